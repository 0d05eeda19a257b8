//! Download of one file: from mirror to mirror until its hash is right.

use super::client::{self, Answer};
use super::part::{Part, sha256};
use super::progress::Shown;
use gradus::Error;
use gradus::data::remote::RemoteFile;
use std::fs::File;
use std::path::Path;
use ureq::Agent;

/// Number of rounds over all mirrors, as long as each makes progress.
const ROUNDS: usize = 3;

/// The reason why there is no file.
#[derive(Debug)]
pub enum Failed {
    /// A local problem: the disk, the folder.
    Here(Error),
    /// No mirror had the file: a line for each with its error.
    There(String),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Failed::Here(error)
    }
}

/// Downloads a file into `folder` under its name, unless it is there already. It gets its name only
/// when its hash is right; until then it is kept in a file beside it, from which the next try, or
/// the next mirror, continues.
pub fn download(
    agent: &Agent,
    file: &RemoteFile,
    folder: &Path,
    mirrors: &[&str],
) -> Result<(), Failed> {
    let path = folder.join(file.name);
    if is_whole(&path, file) {
        return Ok(());
    }
    let mut part = Part::open(&path)?;
    let shown = Shown::new(file);
    if path.exists() {
        shown.say(&format!(
            "{} is damaged: it is fetched again",
            path.display()
        ));
    }
    let mut tried: Vec<String> = Vec::new();
    for _ in 0..ROUNDS {
        let before = part.length();
        for mirror in mirrors {
            let url = format!("{mirror}/{}", file.name);
            match attempt(agent, &url, file, &mut part, &shown) {
                Ok(()) => {
                    tried.iter().for_each(|line| shown.say(line));
                    return Ok(part.finish(&path)?);
                }
                Err(Failed::There(why)) => {
                    let line = format!("{url}: {why}");
                    if !tried.contains(&line) {
                        tried.push(line);
                    }
                }
                Err(here) => return Err(here),
            }
        }
        if part.length() <= before {
            break;
        }
    }
    part.give_up();
    let lines: String = tried.iter().map(|line| format!("\n  {line}")).collect();
    Err(Failed::There(format!("{} from{lines}", file.name)))
}

/// True if the file is there with the right contents.
fn is_whole(path: &Path, file: &RemoteFile) -> bool {
    let right_length = path
        .metadata()
        .is_ok_and(|about| about.len() == file.length);
    let hash = || sha256(&mut File::open(path)?);
    right_length && hash().is_ok_and(|hash| hash == file.sha256)
}

/// Completes `part` from one mirror.
fn attempt(
    agent: &Agent,
    url: &str,
    file: &RemoteFile,
    part: &mut Part,
    shown: &Shown,
) -> Result<(), Failed> {
    loop {
        if part.length() > file.length {
            part.clear()?;
        }
        let resumed = part.length() > 0;
        if part.length() < file.length {
            receive(agent, url, file, part, shown)?;
        }
        let found = part.sha256()?;
        if found == file.sha256 {
            return Ok(());
        }
        part.clear()?;
        // The fault may be in an earlier try's part: once more from the beginning.
        if !resumed {
            let why = format!(
                "other contents: found the SHA-256 {found}, expected {}",
                file.sha256
            );
            return Err(Failed::There(why));
        }
    }
}

/// Appends the data of one mirror.
fn receive(
    agent: &Agent,
    url: &str,
    file: &RemoteFile,
    part: &mut Part,
    shown: &Shown,
) -> Result<(), Failed> {
    let answer = client::get(agent, url, part.length(), file.length).map_err(Failed::There)?;
    let Answer { start, mut body } = answer;
    if start != part.length() {
        part.clear()?;
    }
    let mut buffer = vec![0; 1 << 16];
    loop {
        shown.at(part.length());
        let cut = |why: &dyn std::fmt::Display, part: &Part| {
            let (have, all) = (part.length(), file.length);
            Failed::There(format!("{why} after {have} of {all} bytes"))
        };
        let count = match body.read(&mut buffer) {
            Ok(0) if part.length() < file.length => return Err(cut(&"it ends", part)),
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) => return Err(cut(&error, part)),
        };
        if part.length() + count as u64 > file.length {
            part.clear()?;
            let why = format!("it goes on after the {} bytes of the file", file.length);
            return Err(Failed::There(why));
        }
        part.append(&buffer[..count])?;
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
