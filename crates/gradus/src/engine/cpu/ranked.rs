//! The fast engine on several ranks: each does its part of every plan.

use super::Cpu;
use super::session::CpuSession;
use crate::base::ranks::Collective;
use crate::engine::{Engine, Session};
use crate::error::{Error, Result};
use crate::plan::Program;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The fast engine as one of several ranks.
pub(crate) struct Ranked {
    pub cpu: Cpu,
    pub ranks: Arc<dyn Collective>,
}

impl Engine for Ranked {
    fn compile(&self, program: Program) -> Result<Box<dyn Session>> {
        let Cpu { isa, threads } = self.cpu;
        let peers = Peers::new(Arc::clone(&self.ranks));
        let session = CpuSession::new(isa, threads, program, Some(peers))?;
        Ok(Box::new(session))
    }

    fn together(&self, work: &(dyn Fn() + Sync)) {
        self.cpu.together(work);
    }
}

/// The other ranks of a session, and the error that has cut them off.
pub(super) struct Peers {
    pub ranks: Arc<dyn Collective>,
    failed: AtomicBool,
    failure: Mutex<Option<Error>>,
}

impl Peers {
    fn new(ranks: Arc<dyn Collective>) -> Self {
        Peers {
            ranks,
            failed: AtomicBool::new(false),
            failure: Mutex::new(None),
        }
    }

    /// See [`Collective::all_gather`]. After an error nothing is passed on any more.
    pub fn gather(&self, values: &mut [f32], starts: &[usize]) {
        if self.failed.load(Ordering::Acquire) {
            return;
        }
        if let Err(error) = self.ranks.all_gather(values, starts) {
            self.failed.store(true, Ordering::Release);
            let failure = self.failure.lock();
            *failure.unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
    }

    /// The error, once.
    pub fn failure(&self) -> Option<Error> {
        let failure = self.failure.lock();
        failure.unwrap_or_else(PoisonError::into_inner).take()
    }
}
