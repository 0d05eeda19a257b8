//! Checkpoints that are written while the training goes on.

use super::write::{Folder, Snapshot};
use crate::base::threads::lock;
use crate::error::{Error, Result};
use std::sync::{Arc, Mutex};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// The writer of a run's checkpoints: one at a time, by a thread of its own.
#[derive(Debug)]
pub struct Writer {
    folder: Arc<Mutex<Folder>>,
    /// The time between two checkpoints, if one is configured.
    every: Option<Duration>,
    running: Option<JoinHandle<Done>>,
    /// The time at which the last one was begun.
    began: Option<Instant>,
    /// The time that the last one took.
    taken: Duration,
    /// The number of failures since one was written.
    failures: u32,
}

/// The result of a thread, and the time that it took.
type Done = (Result<()>, Duration);

/// The work that may be lost where checkpoints cost less than a twentieth of it.
const WORK: Duration = Duration::from_secs(5);
/// The work for each checkpoint, in multiples of the checkpoint's duration.
const SHARE: u32 = 19;
/// The longest wait after failures.
const LONGEST: Duration = Duration::from_secs(60);

impl Writer {
    /// A writer to that folder.
    pub fn new(folder: Folder, every: Option<Duration>) -> Self {
        Writer {
            folder: Arc::new(Mutex::new(folder)),
            every,
            running: None,
            began: None,
            taken: Duration::ZERO,
            failures: 0,
        }
    }

    /// True if a checkpoint is due at an epoch's end.
    pub fn is_due(&self) -> bool {
        self.is_due_after(WORK.min(self.taken * SHARE))
    }

    /// True if a checkpoint is due inside an epoch.
    pub fn is_due_inside(&self) -> bool {
        self.is_due_after(WORK.max(self.taken * SHARE))
    }

    fn is_due_after(&self, usual: Duration) -> bool {
        let pause = match self.failures {
            0 => self.every.unwrap_or(usual),
            failures => LONGEST.min(Duration::from_secs(1 << failures.min(6))),
        };
        let waited = self.began.is_none_or(|began| began.elapsed() >= pause);
        waited && self.running.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Begins to write a checkpoint; `began` is the time at which its making began. The one
    /// before it is waited for.
    pub fn begin(&mut self, snapshot: Snapshot, began: Instant) -> Result<()> {
        let before = self.wait();
        self.began = Some(began);
        let folder = Arc::clone(&self.folder);
        let write = move || (lock(&folder).write(snapshot), began.elapsed());
        match Builder::new().name("checkpoint".to_owned()).spawn(write) {
            Ok(thread) => self.running = Some(thread),
            Err(cause) => {
                self.failures += 1;
                let folder = lock(&self.folder).path().to_owned();
                return Err(Error::io("start a thread that writes", folder, cause));
            }
        }
        before
    }

    /// Writes a checkpoint, and waits for it.
    pub fn write(&mut self, snapshot: Snapshot) -> Result<()> {
        // Its failure is this one's, if it lasts.
        let _ = self.wait();
        let began = Instant::now();
        self.began = Some(began);
        let written = lock(&self.folder).write(snapshot);
        self.ended((written, began.elapsed()))
    }

    /// The result of the checkpoint under way, once it has ended.
    pub fn ended_meanwhile(&mut self) -> Option<Result<()>> {
        match self.running.as_ref()?.is_finished() {
            true => Some(self.wait()),
            false => None,
        }
    }

    /// Waits for the checkpoint under way.
    pub fn wait(&mut self) -> Result<()> {
        match self.running.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(done)) => self.ended(done),
            Some(Err(_)) => Err(Error::Internal("the writer of checkpoints broke".into())),
        }
    }

    fn ended(&mut self, (written, taken): Done) -> Result<()> {
        match &written {
            Ok(()) => {
                self.failures = 0;
                self.taken = taken;
            }
            Err(_) => self.failures += 1,
        }
        written
    }
}

/// A training that has ended, in whatever way, writes no more.
impl Drop for Writer {
    fn drop(&mut self) {
        // The training's own error is the one to report.
        let _ = self.wait();
    }
}
