//! `gradus data fetch NAME`: download of a data set's files from its mirrors.

#[cfg(feature = "fetch")]
mod client;
#[cfg(feature = "fetch")]
mod download;
#[cfg(feature = "fetch")]
mod part;
#[cfg(feature = "fetch")]
mod progress;

use gradus::data::remote::{REMOTE, Remote, data_folders};
use gradus::data::{self, BuiltIn};
use gradus::{Error, Result};
use std::io;
use std::path::Path;

/// Fetches a set into the first folder that its loader searches, and prints its location. `mirrors`
/// replace the servers of the table.
pub fn fetch(name: &str, mirrors: &[String]) -> Result<String> {
    let set = find(name)?;
    let Some(set) = set else {
        return Ok(format!(
            "{name} is in the program: there is nothing to fetch\n"
        ));
    };
    let folders = data_folders(set.name);
    let folder = folders.into_iter().next().unwrap_or_default();
    // A user's own server must be used even if the files exist elsewhere.
    if mirrors.is_empty()
        && let Some(found) = elsewhere(set, &folder)
    {
        return Ok(format!("{}: already in {found}\n", set.name));
    }
    std::fs::create_dir_all(&folder).map_err(|cause| Error::io("create", &folder, cause))?;
    let mirrors: Vec<&str> = match mirrors {
        [] => set.mirrors.to_vec(),
        given => given.iter().map(|url| url.trim_end_matches('/')).collect(),
    };
    get(set, &folder, &mirrors)?;
    let files: Vec<&str> = set.files.iter().map(|file| file.name).collect();
    Ok(format!(
        "{}: {} in {}\n",
        set.name,
        files.join(", "),
        folder.display()
    ))
}

/// The set of a name, or `None` for one that is built in.
fn find(name: &str) -> Result<Option<&'static Remote>> {
    if let Some(set) = REMOTE.iter().find(|set| set.name == name) {
        return Ok(Some(set));
    }
    let known = REMOTE.iter().map(|set| set.name);
    let set =
        BuiltIn::find("NAME", name).map_err(|_| Error::unknown("NAME", "data set", name, known))?;
    Ok(REMOTE.iter().find(|remote| remote.name == set.files()))
}

/// Another folder than ours that has the set already (Debian's, for example).
fn elsewhere(set: &Remote, ours: &Path) -> Option<String> {
    let found = match BuiltIn::find("NAME", set.name) {
        Ok(known) => known.found()?,
        Err(_) => data::housing().ok()?.display().to_string(),
    };
    // Files in our own folder are verified, and fetched again if damaged.
    (!Path::new(&found).starts_with(ours)).then_some(found)
}

#[cfg(feature = "fetch")]
fn get(set: &Remote, folder: &Path, mirrors: &[&str]) -> Result<()> {
    let agent = client::agent();
    for file in set.files {
        download::download(&agent, file, folder, mirrors).map_err(|failed| match failed {
            download::Failed::Here(error) => error,
            download::Failed::There(tried) => by_hand(set, folder, &tried),
        })?;
    }
    Ok(())
}

#[cfg(not(feature = "fetch"))]
fn get(set: &Remote, folder: &Path, _: &[&str]) -> Result<()> {
    let why = "this gradus was built without its feature `fetch`";
    Err(by_hand(set, folder, why))
}

/// The error, and the way to get the set without this command.
fn by_hand(set: &Remote, folder: &Path, why: &str) -> Error {
    let files: Vec<&str> = set.files.iter().map(|file| file.name).collect();
    let mut text = format!(
        "{why}\nto do without: put {} into {}",
        files.join(", "),
        folder.display()
    );
    if let Some(package) = set.package {
        text.push_str(&format!("\non Debian and Ubuntu: apt install {package}"));
    }
    Error::io("fetch", set.name, io::Error::other(text))
}
