//! The library's own source, as text.

use std::fs;
use std::path::{Path, PathBuf};

/// All Rust files below a folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found
}

/// True of `tests.rs` and of what is in a folder `tests`.
pub fn is_a_test(path: &Path) -> bool {
    path.components().any(|c| c.as_os_str() == "tests.rs")
        || path
            .components()
            .rev()
            .skip(1)
            .any(|c| c.as_os_str() == "tests")
}

/// A file's code without its comments and without the items that only tests have. Relies
/// on rustfmt, which CI checks: an item ends at the first line that closes it at its own
/// indentation.
pub fn lines(text: &str) -> Vec<&str> {
    let mut kept = Vec::new();
    let mut lines = text.lines().filter(|l| !l.trim_start().starts_with("//"));
    while let Some(line) = lines.next() {
        if line.trim() != "#[cfg(test)]" {
            kept.push(line);
            continue;
        }
        let indent = &line[..line.len() - line.trim_start().len()];
        for line in lines.by_ref() {
            let own = line
                .strip_prefix(indent)
                .is_some_and(|rest| !rest.starts_with(' '));
            if own && (line.ends_with(';') || line.ends_with('}')) {
                break;
            }
        }
    }
    kept
}
