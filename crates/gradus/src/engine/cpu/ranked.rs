//! The fast engine on several ranks: each does its part of every plan.

use super::Cpu;
use super::peers::Peers;
use super::session::CpuSession;
use crate::base::ranks::Collective;
use crate::engine::{Engine, Session};
use crate::error::Result;
use crate::plan::Program;
use std::sync::Arc;

/// The fast engine as one of several ranks.
pub(crate) struct Ranked {
    pub cpu: Cpu,
    pub ranks: Arc<dyn Collective>,
    /// True if the ranks make the bits of one.
    pub exact: bool,
}

impl Engine for Ranked {
    fn compile(&self, program: Program) -> Result<Box<dyn Session>> {
        let Cpu { isa, threads } = self.cpu;
        let peers = Peers::new(Arc::clone(&self.ranks), self.exact);
        let session = CpuSession::new(isa, threads, program, Some(peers))?;
        Ok(Box::new(session))
    }

    fn together(&self, work: &(dyn Fn() + Sync)) {
        self.cpu.together(work);
    }
}
