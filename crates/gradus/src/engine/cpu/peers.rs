//! The other ranks, as a session's operations meet them.

use crate::base::ranks::Collective;
use crate::error::{Error, Result};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The other ranks of a session, and the error that has cut them off.
pub(super) struct Peers {
    pub ranks: Arc<dyn Collective>,
    /// True if the ranks make the bits of one.
    pub exact: bool,
    failed: AtomicBool,
    /// Room for a message of several pieces.
    message: Mutex<Vec<f32>>,
    failure: Mutex<Option<Error>>,
}

impl Peers {
    pub fn new(ranks: Arc<dyn Collective>, exact: bool) -> Self {
        Peers {
            ranks,
            exact,
            failed: AtomicBool::new(false),
            message: Mutex::default(),
            failure: Mutex::new(None),
        }
    }

    /// Passes pieces of memory on in one message: of each, with its elements that every rank has made. After an
    /// error nothing is passed on any more.
    pub fn gather(&self, pieces: &mut [(&mut [f32], Vec<Range<usize>>)]) {
        self.unless_failed(|| self.passed_on(pieces));
    }

    /// Adds pieces of memory up over the ranks, in one message. `of` is true of the ranks whose numbers count.
    /// After an error nothing is passed on any more.
    pub fn sum(&self, pieces: &mut [&mut [f32]], of: &[bool]) {
        self.unless_failed(|| {
            if let [all] = pieces {
                return self.ranks.sum(all, of);
            }
            let length = pieces.iter().map(|piece| piece.len()).sum();
            let message = self.message.lock();
            let mut message = message.unwrap_or_else(PoisonError::into_inner);
            if message.len() < length {
                message.resize(length, 0.0);
            }
            let mut rest = &mut message[..length];
            for piece in pieces.iter() {
                let (here, after) = rest.split_at_mut(piece.len());
                here.copy_from_slice(piece);
                rest = after;
            }
            self.ranks.sum(&mut message[..length], of)?;
            let mut rest = &message[..length];
            for piece in pieces.iter_mut() {
                let (here, after) = rest.split_at(piece.len());
                piece.copy_from_slice(here);
                rest = after;
            }
            Ok(())
        });
    }

    fn unless_failed(&self, pass_on: impl FnOnce() -> Result<()>) {
        if self.failed.load(Ordering::Acquire) {
            return;
        }
        if let Err(error) = pass_on() {
            self.failed.store(true, Ordering::Release);
            let failure = self.failure.lock();
            *failure.unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
    }

    fn passed_on(&self, pieces: &mut [(&mut [f32], Vec<Range<usize>>)]) -> Result<()> {
        let ranks = self.ranks.ranks();
        if let [(all, parts)] = pieces {
            let ends = parts.iter().map(|part| part.end);
            let starts: Vec<usize> = std::iter::once(0).chain(ends).collect();
            return self.ranks.all_gather(all, &starts);
        }
        // The pieces of one rank behind those of the other.
        let mut starts = vec![0; ranks + 1];
        for rank in 0..ranks {
            let own = pieces.iter().map(|(_, parts)| parts[rank].len());
            starts[rank + 1] = starts[rank] + own.sum::<usize>();
        }
        let message = self.message.lock();
        let mut message = message.unwrap_or_else(PoisonError::into_inner);
        if message.len() < starts[ranks] {
            message.resize(starts[ranks], 0.0);
        }
        let message = &mut message[..starts[ranks]];
        let mut at = starts[self.ranks.rank()];
        for (all, parts) in pieces.iter() {
            let part = &all[parts[self.ranks.rank()].clone()];
            message[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        }
        self.ranks.all_gather(message, &starts)?;
        let mut at = 0;
        for rank in 0..ranks {
            for (all, parts) in pieces.iter_mut() {
                let part = &mut all[parts[rank].clone()];
                part.copy_from_slice(&message[at..at + part.len()]);
                at += part.len();
            }
        }
        Ok(())
    }

    /// The error, once.
    pub fn failure(&self) -> Option<Error> {
        let failure = self.failure.lock();
        failure.unwrap_or_else(PoisonError::into_inner).take()
    }
}
