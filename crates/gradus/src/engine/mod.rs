//! Engines: machines that a program's plans run on.
//!
//! An engine gets a [`Program`], plans over common variables, and makes of it whatever its
//! machine needs: schedules, memory, packed matrices, kernels. A plan knows nothing of these:
//! it has operations, each with its operand table (`plan/operands.rs`), in an order in which
//! they can run. The verifier has checked it when it was lowered, so that an engine may rely
//! on every size in the tables.
//!
//! [`reference`] is slow and safe, and defines what each operation computes;
//! [`cpu`] is the fast one; [`null`] computes nothing.
//!
//! # A new engine
//! It implements [`Engine`] and [`Session`], and a trait of its own for every operation,
//! called through `with_op!`: an operation that it lacks does not compile. `engine/tests.rs`
//! compares it with the reference on models that have every operation.
//!
//! **Memory** is never shared with the host. Variables go in by [`Session::write`] and come
//! out by [`Session::read`]; results come out by [`Session::fetch`]; a batch's rows are
//! written by a callback into host memory, which an engine may read where it is or copy.
//!
//! **What may be deferred:** [`Session::run`] need not wait for its results. `read`, `fetch`,
//! and `write` come after it in order: they wait for what they need. The callback and the
//! host's feeds are the caller's again once `run` returns.
//!
//! **Numbers:** results are those of the reference to float32 rounding, sums may be made in
//! another order. On one machine that order is fixed: the same program on the same rows gives
//! the same bits, on any number of threads, and a row's outputs do not depend on the rows
//! beside it. Random numbers are functions of [`Step`] and the element's place (the `Key` of
//! seed, stream and iteration), the same bits on every engine.

pub(crate) mod cpu;
#[cfg(test)]
pub(crate) mod null;
#[cfg(test)]
pub(crate) mod reference;

#[cfg(feature = "train")]
use crate::base::ranks::Collective;
use crate::error::{Error, Result};
use crate::plan::{Buffer, Program};
use crate::rules::optimizers::Coefficients;
use std::ops::Range;
#[cfg(feature = "train")]
use std::sync::Arc;

/// The parameters of a step, which operations may ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Step {
    /// The seed of its random numbers.
    pub seed: u64,
    /// Steps taken before this one.
    pub iteration: u64,
    /// The optimizer's coefficients; the first is the learning rate.
    pub coefficients: Coefficients,
    /// True if gradients are only gathered in this step, for a later update.
    pub gathering: bool,
    /// The number of steps of whose gradients an update takes the mean, if they are gathered.
    pub gathered: f32,
    /// The share of the weights' moving averages that stays.
    pub average_momentum: f32,
    /// True if the weights become their averages in this step.
    pub overwrite: bool,
    /// True if values are counted for histograms, in a plan that observes.
    pub counting: bool,
}

/// A machine that runs programs.
pub(crate) trait Engine: Send + Sync {
    /// Compiles a program for this machine: a session with variables of its own, all 0. An
    /// error if the machine cannot run it.
    fn compile(&self, program: Program) -> Result<Box<dyn Session>>;

    /// Does `work` on as many host threads as are free, at least on this
    /// one, and waits for all. They share it out among themselves.
    fn together(&self, work: &(dyn Fn() + Sync)) {
        work();
    }
}

/// A writer of rows of the batch's n-th feed. Any thread may call it, for any rows.
pub(crate) type Fill<'a> = dyn Fn(usize, Range<usize>, &mut [f32]) + Sync + 'a;

/// A compiled program with its variables.
pub(crate) trait Session: Send {
    /// Sets a variable, row-major.
    fn write(&mut self, variable: Buffer, values: &[f32]);

    /// Gets a variable, row-major.
    fn read(&self, variable: Buffer, values: &mut [f32]);

    /// Runs a plan on a batch of `rows` rows, at most the plan's. `feeds` are in the plan's
    /// order and have room for the most rows that the plan takes; `fill` writes their rows,
    /// each once, before this returns.
    fn run(&mut self, plan: usize, rows: usize, feeds: &mut [Vec<f32>], fill: &Fill, step: &Step);

    /// A session for one host thread on the same variables, for plans that only read
    /// them. They cannot be written any more, neither here nor there.
    fn share(&mut self) -> Box<dyn Session>;

    /// The error that has cut the last run short, of a session on several ranks: its results are
    /// worthless. By default none does.
    fn failure(&mut self) -> Option<Error> {
        None
    }

    /// Gets the rows of a result (an output, losses, a penalty) of the last run of that plan.
    fn fetch(&self, plan: usize, result: Buffer, values: &mut [f32]);
}

/// The default engine as one of several ranks, which are to make the bits of one, or not.
#[cfg(feature = "train")]
pub(crate) fn ranked(ranks: Arc<dyn Collective>, exact: bool) -> impl Engine {
    let cpu = cpu::Cpu::default();
    cpu::Ranked { cpu, ranks, exact }
}

/// The instructions that the default engine computes with, as far as bits and the layout of weights
/// depend on them.
#[cfg(feature = "train")]
pub(crate) fn instructions() -> String {
    // Products of pairs give AVX-512's bits, and are chosen by their speed.
    format!("{:?}", cpu::Isa::best()).replace("Avx512Bf16", "Avx512")
}

/// The default engine.
pub(crate) fn default() -> Box<dyn Engine> {
    Box::new(cpu::Cpu::default())
}

#[cfg(test)]
mod tests;
