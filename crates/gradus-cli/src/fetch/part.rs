//! An incomplete file: `NAME.part`, kept from one try to the next.

use gradus::artifacts::atomic_file::into_place;
use gradus::{Error, Result};
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The incomplete file, opened and locked.
pub struct Part {
    file: File,
    path: PathBuf,
    length: u64,
}

impl Part {
    /// Opens the incomplete file of `path`, with its existing contents.
    pub fn open(path: &Path) -> Result<Part> {
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        name.push(".part");
        let path = path.with_file_name(name);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|cause| Error::io("create", &path, cause))?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                let cause = io::Error::other("another gradus is fetching it");
                return Err(Error::io("write", &path, cause));
            }
            // Some network disks have no locks: the hash detects the damage of two writers.
            Err(TryLockError::Error(_)) | Ok(()) => {}
        }
        let about = file
            .metadata()
            .map_err(|cause| Error::io("read", &path, cause))?;
        let length = about.len();
        Ok(Part { file, path, length })
    }

    /// Number of bytes so far.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Discards the contents.
    pub fn clear(&mut self) -> Result<()> {
        self.length = 0;
        let cleared = self.file.set_len(0);
        cleared.map_err(|cause| Error::io("write", &self.path, cause))
    }

    /// Appends bytes.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self
            .file
            .seek(SeekFrom::Start(self.length))
            .and_then(|_| self.file.write_all(bytes));
        written.map_err(|cause| Error::io("write", &self.path, cause))?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// The SHA-256 of the contents on disk, in hexadecimal digits.
    pub fn sha256(&mut self) -> Result<String> {
        let start = self.file.seek(SeekFrom::Start(0));
        start
            .and_then(|_| sha256(&mut self.file))
            .map_err(|cause| Error::io("read", &self.path, cause))
    }

    /// Renames it to its final name.
    pub fn finish(self, path: &Path) -> Result<()> {
        into_place(&self.file, &self.path, path)
    }

    /// Removes it if it is empty, since there is nothing to resume.
    pub fn give_up(self) {
        if self.length == 0 {
            // A leftover file does no harm.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// The SHA-256 of the rest of a stream, in hexadecimal digits.
pub fn sha256(from: &mut dyn Read) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match from.read(&mut buffer)? {
            0 => break,
            count => hasher.update(&buffer[..count]),
        }
    }
    let bytes = hasher.finalize();
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
