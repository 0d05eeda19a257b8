//! The folders searched for the files of built-in data sets.

use crate::error::Error;
use std::path::{Path, PathBuf};

/// The folders searched for a built-in set's files, in order.
///
/// They are `$GRADUS_DATA/NAME`, `$GRADUS_DATA` itself, `gradus/NAME` in the
/// user's cache folder (`$XDG_CACHE_HOME` or `~/.cache`), and Debian's
/// `/usr/share/datasets/NAME`.
pub fn data_folders(name: &str) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if let Some(folder) = variable("GRADUS_DATA") {
        folders.push(folder.join(name));
        // Different sets use the same file names, so a folder named after another set is skipped.
        let others = ["mnist", "fashion-mnist"];
        let its_own = folder.file_name().and_then(|last| last.to_str());
        if !others
            .iter()
            .any(|&other| other != name && Some(other) == its_own)
        {
            folders.push(folder);
        }
    }
    folders.extend(cache_folder().map(|cache| cache.join(name)));
    folders.push(Path::new("/usr/share/datasets").join(name));
    folders
}

/// gradus' part of the user's cache folder.
pub(super) fn cache_folder() -> Option<PathBuf> {
    let cache = variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")));
    cache.map(|cache| cache.join("gradus"))
}

/// An environment variable that is a folder.
fn variable(name: &str) -> Option<PathBuf> {
    let value = std::env::var_os(name).filter(|value| !value.is_empty());
    value.map(PathBuf::from)
}

/// The error for a set whose `files` are in none of the folders. `package` is
/// Debian's, if it has one.
pub(super) fn missing(
    name: &str,
    files: &str,
    package: Option<&str>,
    folders: &[PathBuf],
) -> Error {
    let mut problem =
        format!("the data set `{name}` is not on this machine: looked for {files}, in");
    for folder in folders {
        problem.push_str(&format!("\n  {}", folder.display()));
    }
    problem.push_str(&format!(
        "\nfetch it: `gradus data fetch {name}`; or put the files there, or set GRADUS_DATA to the \
         folder that has them"
    ));
    if let Some(package) = package {
        problem.push_str(&format!("; on Debian and Ubuntu: apt install {package}"));
    }
    Error::NotReady { problem }
}
