//! Files that the system refuses to write: a training warns, goes on, and tries again.

use super::event::{Event, Progress};
use crate::error::{Error, Result};
use std::path::PathBuf;
use std::time::SystemTime;

/// The files of a run that could not be written.
#[derive(Debug, Default)]
pub struct Unwritten {
    failures: Vec<Failure>,
    /// The kinds of files that have been warned of since they were last written.
    told: Vec<&'static str>,
}

/// A refused write.
#[derive(Debug)]
struct Failure {
    kind: &'static str,
    path: PathBuf,
    at: SystemTime,
    problem: String,
}

impl Unwritten {
    /// Notes the outcome for a kind of file. A refusal by the system is told once, until one is
    /// written; any other error is returned.
    pub fn note(
        &mut self,
        kind: &'static str,
        written: Result<()>,
        progress: &Progress<'_>,
    ) -> Result<()> {
        let error = match written {
            Ok(()) => {
                self.told.retain(|told| *told != kind);
                return Ok(());
            }
            Err(error) => error,
        };
        let Error::Io { path, .. } = &error else {
            return Err(error);
        };
        self.failures.retain(|failure| failure.path != *path);
        self.failures.push(Failure {
            kind,
            path: path.clone(),
            at: SystemTime::now(),
            problem: error.to_string(),
        });
        if self.told.contains(&kind) {
            return Ok(());
        }
        self.told.push(kind);
        let problem = &error;
        progress.tell(&Event::NotWritten { kind, problem })
    }

    /// Forgets the failures of a kind whose newest file makes up for earlier ones.
    pub fn forget(&mut self, kind: &'static str) {
        self.failures.retain(|failure| failure.kind != kind);
    }

    /// The errors of the files that have not been written since.
    pub fn finish(self) -> Vec<String> {
        let lasting = |failure: &Failure| {
            let written = failure.path.metadata().and_then(|about| about.modified());
            written.map_or(true, |written| written < failure.at)
        };
        let lasting = self.failures.into_iter().filter(lasting);
        lasting.map(|failure| failure.problem).collect()
    }
}
