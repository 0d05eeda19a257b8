//! The fast engine: a plan's groups cut into tasks, done by a pool of threads
//! with the processor's widest instructions.
//!
//! Every result is computed whole by one task, in an order that does not depend
//! on how the work was cut: the same numbers on any number of threads.
#![allow(unsafe_code)]

mod arena;
mod augment;
#[cfg(all(target_arch = "x86_64", not(miri)))]
mod bf16;
mod columns;
mod denormals;
mod gradient;
mod indices;
mod isa;
mod kernels;
mod layout;
mod matrices;
mod merge;
mod pace;
mod pairs;
mod pieces;
pub(crate) mod pool;
mod rows;
mod session;
mod simd;
mod sparse;
mod tasks;
mod weights;
mod whole;

use super::{Engine, Session};
use crate::plan::Program;
pub(crate) use isa::Isa;

/// The fast engine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cpu {
    /// The instructions to use.
    pub isa: Isa,
    /// How many threads, if not the process's pool.
    pub threads: Option<usize>,
}

impl Default for Cpu {
    fn default() -> Self {
        Cpu {
            isa: Isa::best(),
            threads: None,
        }
    }
}

impl Engine for Cpu {
    fn session(&self, program: Program) -> Box<dyn Session> {
        Box::new(session::CpuSession::new(self.isa, self.threads, program))
    }

    fn together(&self, work: &(dyn Fn() + Sync)) {
        match self.threads {
            Some(threads) => pool::Pool::new(threads).run(&|_| work()),
            None => match pool::shared().as_deref_mut() {
                Some(Some(pool)) => pool.run(&|_| work()),
                _ => work(),
            },
        }
    }
}
