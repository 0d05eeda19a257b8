//! The files of a checkpoint: their names, sizes and digests.

use crate::base::digest::Digest;
use crate::base::files;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;

/// A file that a state names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The name, without a folder.
    pub name: String,
    /// The size in bytes.
    pub size: u64,
    /// The digest of its bytes.
    pub digest: String,
}

impl Entry {
    /// The entry of a file with these bytes.
    pub fn of(name: String, bytes: &[u8]) -> Self {
        Entry {
            name,
            size: bytes.len() as u64,
            digest: Digest::of(bytes),
        }
    }

    /// True if a file of its name and size is in the folder.
    pub fn is_there(&self, folder: &Path) -> bool {
        let found = fs::metadata(folder.join(&self.name));
        found.is_ok_and(|found| found.len() == self.size)
    }

    /// The bytes of the file, if they are those that were written; `kind` is the beginning of
    /// its name.
    pub fn read(&self, folder: &Path, kind: &str) -> Result<Vec<u8>> {
        let ours = self.name.strip_prefix(kind).and_then(|rest| {
            let number = rest.strip_prefix('-')?.strip_suffix(".keras")?;
            number.bytes().all(|b| b.is_ascii_digit()).then_some(())
        });
        if ours.is_none() {
            let expected = format!("a name such as {kind}-000001.keras");
            return Err(Error::invalid(kind, format!("`{}`", self.name), expected));
        }
        let path = folder.join(&self.name);
        let failed = |cause| Error::io("read", &path, cause);
        let size = fs::metadata(&path).map_err(failed)?.len();
        if size != self.size {
            let problem = format!("has {size} bytes, {} were written", self.size);
            return Err(Error::file(&path, problem));
        }
        let bytes = files::read(&path, "a checkpoint's model", size)?;
        match Digest::of(&bytes) == self.digest {
            true => Ok(bytes),
            false => Err(Error::file(
                &path,
                "its bytes are not those that were written",
            )),
        }
    }
}

/// The name of the state of that number.
pub fn state_name(number: u64) -> String {
    format!("state-{number:06}.toml")
}

/// The number of a state of that name, if it is one.
pub fn state_number(name: &str) -> Option<u64> {
    let number = name.strip_prefix("state-")?.strip_suffix(".toml")?;
    number.parse().ok().filter(|n| state_name(*n) == name)
}
