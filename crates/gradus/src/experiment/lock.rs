//! The lock of a run folder: one process at a time trains in it.

use super::clock::utc;
use super::event::{Event, Progress};
use crate::error::{Error, Result};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

/// The file that is locked. Its text says by whom, and is of no use once the lock is free.
const LOCK: &str = ".lock";

/// The lock of a run folder, held until it is dropped or its process ends.
#[derive(Debug)]
pub struct Lock {
    /// `None` where the system cannot lock.
    _held: Option<File>,
}

impl Lock {
    /// Locks a folder. Another process that trains in it is an error; a system that cannot lock
    /// is told.
    pub fn take(folder: &Path, progress: &Progress<'_>) -> Result<Self> {
        let path = folder.join(LOCK);
        let mut options = OpenOptions::new();
        // The text of a process that holds it is kept.
        let opened = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        let mut file = opened.map_err(|cause| Error::io("write", &path, cause))?;
        let holder = || fs::read_to_string(&path).unwrap_or_default();
        match patiently(&file, || holder().starts_with(&own_name())) {
            Ok(()) => {
                let text = format!("{}since {}\n", own_name(), utc(SystemTime::now()));
                // It is only for people and messages.
                let _ = file
                    .set_len(0)
                    .and_then(|()| file.write_all(text.as_bytes()));
                Ok(Lock { _held: Some(file) })
            }
            Err(TryLockError::WouldBlock) => {
                let holder = holder();
                let holder = match holder.trim() {
                    "" => "another process",
                    holder => holder,
                };
                Err(Error::file(folder, format!("is being trained by {holder}")))
            }
            Err(TryLockError::Error(cause)) => {
                let problem = &Error::io("lock", &path, cause);
                progress.tell(&Event::NotLocked { problem })?;
                Ok(Lock { _held: None })
            }
        }
    }
}

/// The time for which a lock is waited for: a process that was killed holds its own until its last
/// write has ended.
const PATIENCE: Duration = Duration::from_secs(3);

/// Locks a file, which another process may be about to leave; this one (`is_own`) is not.
fn patiently(file: &File, is_own: impl Fn() -> bool) -> Result<(), TryLockError> {
    let began = Instant::now();
    loop {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if began.elapsed() < PATIENCE && !is_own() => {
                sleep(Duration::from_millis(50));
            }
            locked => return locked,
        }
    }
}

/// The beginning of the text of a lock that this process holds.
fn own_name() -> String {
    format!("process {} ", std::process::id())
}
