//! The fast engine: a plan is compiled to groups of operations, which are cut into tasks, done
//! by a pool of threads with the processor's widest instructions.
//!
//! Every result is computed whole by one task, in an order that does not depend
//! on how the work was cut: the same numbers on any number of threads.
#![allow(unsafe_code)]

mod arena;
#[cfg(all(target_arch = "x86_64", not(miri)))]
mod bf16;
mod chunks;
mod compile;
mod context;
mod convolution;
mod denormals;
mod execute;
mod gradient;
mod isa;
mod kernels;
mod memory;
mod ops;
mod packed;
mod pairs;
pub(crate) mod peers;
mod pool;
mod pruned;
mod ranked;
mod session;
mod simd;
mod sparse;
mod thread_tuner;

use super::{Engine, Session};
use crate::error::Result;
use crate::plan::Program;
pub(crate) use isa::Isa;
pub(crate) use ranked::Ranked;

/// The fast engine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cpu {
    /// Instruction set to use.
    pub isa: Isa,
    /// The number of threads, if not the process's pool.
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
    fn compile(&self, program: Program) -> Result<Box<dyn Session>> {
        let session = session::CpuSession::new(self.isa, self.threads, program, None)?;
        Ok(Box::new(session))
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
