//! Engines: how a plan's operations happen on a machine.
//!
//! [`reference`] is slow and safe, and defines what each operation computes;
//! [`cpu`] is the fast one; [`null`] computes nothing.

pub(crate) mod cpu;
#[cfg(test)]
pub(crate) mod null;
#[cfg(test)]
pub(crate) mod reference;

use crate::plan::{Buffer, Program};
use crate::rules::optimizers::Coefficients;
use std::ops::Range;

/// What an operation may need to know of the step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Step {
    /// Where the random numbers come from.
    pub seed: u64,
    /// Steps taken before this one.
    pub iteration: u64,
    /// The optimizer's numbers; the first is the learning rate.
    pub coefficients: Coefficients,
    /// Whether gradients are only gathered in this step, for a later update.
    pub gathering: bool,
    /// How many steps' gradients an update is the mean of, if they are gathered.
    pub gathered: f32,
    /// How much of the weights' moving averages stays.
    pub average_momentum: f32,
    /// Whether the weights become their averages in this step.
    pub overwrite: bool,
}

/// Makes sessions.
pub(crate) trait Engine: Send + Sync {
    /// A session of its own for a program.
    fn session(&self, program: Program) -> Box<dyn Session>;

    /// Does `work` on as many threads as there are free ones, at least on this
    /// one, and waits for all. They share it out among themselves.
    fn together(&self, work: &(dyn Fn() + Sync)) {
        work();
    }
}

/// Writes rows of the batch's n-th feed. Any thread may call it, for any rows.
pub(crate) type Fill<'a> = dyn Fn(usize, Range<usize>, &mut [f32]) + Sync + 'a;

/// A program's variables, and the means to run its plans on them. It shares no
/// memory with the host: everything goes in and out by copies.
pub(crate) trait Session: Send {
    /// Sets a variable.
    fn write(&mut self, variable: Buffer, values: &[f32]);
    /// Gets a variable.
    fn read(&self, variable: Buffer, values: &mut [f32]);
    /// Runs a plan on a batch of `rows` rows. `feeds` are in the plan's order and
    /// have room for the most rows that the plan takes; `fill` writes their rows.
    fn run(&mut self, plan: usize, rows: usize, feeds: &mut [Vec<f32>], fill: &Fill, step: &Step);
    /// A session for one thread, on the same variables, for plans that only read
    /// them. They cannot be written any more, neither here nor there.
    fn twin(&self) -> Box<dyn Session>;
    /// Gets what the last run of that plan left in one of its results.
    fn fetch(&self, plan: usize, result: Buffer, values: &mut [f32]);
}

/// The engine that is used unless a test names another.
pub(crate) fn default() -> Box<dyn Engine> {
    Box::new(cpu::Cpu::default())
}

#[cfg(test)]
mod tests;
