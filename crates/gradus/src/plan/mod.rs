//! The plan: what happens in one step, as a short list of operations on
//! numbered buffers with every shape known.
//!
//! [`lower`] makes the forward operations from a model, [`backward`] the
//! gradients and updates, [`fuse`] groups what one pass over memory can do,
//! [`memory`] lets buffers share space, [`verify`] checks it all.

pub(crate) mod access;
mod augment;
pub(crate) mod backward;
mod bfloat16;
pub(crate) mod dump;
pub(crate) mod fuse;
mod indices;
pub(crate) mod lower;
pub(crate) mod memory;
mod merge;
mod normalized;
pub(crate) mod op;
pub(crate) mod verify;

#[cfg(test)]
mod tests;

use crate::base::shape::Shape;
pub(crate) use access::Split;
use fuse::Group;
pub(crate) use op::{Buffer, Op, View};

/// What a plan is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Forward, backward and update.
    Train,
    /// Forward in inference mode, and the loss.
    Evaluate,
    /// Forward in inference mode.
    Infer,
    /// Forward in inference mode, but for the layers of noise.
    Sample,
}

/// How many numbers a buffer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// So many for each row of the batch.
    PerRow(usize),
    /// So many, whatever the batch.
    Fixed(usize),
}

impl Size {
    /// The numbers held for a batch of `rows`.
    pub fn of(self, rows: usize) -> usize {
        match self {
            Size::PerRow(n) => n * rows,
            Size::Fixed(n) => n,
        }
    }
}

/// Where a buffer's numbers come from and how long they last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Kept from step to step: a weight, a statistic, an optimizer's slot.
    Variable,
    /// Given with each batch: the n-th of the feeds.
    Feed(usize),
    /// Made and used within a step.
    Temporary,
}

/// What is known of a buffer.
#[derive(Clone, Debug, PartialEq)]
pub struct BufferInfo {
    /// For the dump and for errors.
    pub name: String,
    /// How many numbers it holds.
    pub size: Size,
    /// Where they come from.
    pub role: Role,
}

/// One step, for batches of up to `rows` rows.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What it is for.
    pub mode: Mode,
    /// The most rows of a batch.
    pub rows: usize,
    /// Buffers by number; the first are the program's variables.
    pub buffers: Vec<BufferInfo>,
    /// What happens, in an order in which it can happen.
    pub ops: Vec<Op>,
    /// Runs of operations that are done together, and which of them may be
    /// done at the same time: one inner list is one phase.
    pub phases: Vec<Vec<Group>>,
    /// Where each temporary lies: see [`memory::Place`].
    pub places: Vec<memory::Place>,
    /// How many numbers the temporaries need together.
    pub arena: usize,
    /// The model's outputs.
    pub outputs: Vec<(Buffer, Shape)>,
    /// Of each trained output, the losses and for how many positions of a row.
    pub losses: Vec<(Buffer, usize)>,
    /// What is added to the loss, and whether it is divided by the batch's rows.
    pub penalties: Vec<(Buffer, bool)>,
    /// Whether all factors of products are rounded to bfloat16.
    pub bfloat16: bool,
}

/// A variable of a program.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// For the dump and for errors.
    pub name: String,
    /// How many numbers it holds.
    pub size: usize,
}

/// Plans over the same variables.
#[derive(Clone, Debug)]
pub struct Program {
    /// The variables, numbered as the plans' first buffers.
    pub variables: Vec<Variable>,
    /// The plans.
    pub plans: Vec<Plan>,
}

impl Plan {
    /// The buffers that are read after the step.
    pub(crate) fn kept(&self) -> Vec<Buffer> {
        let outputs = self.outputs.iter().map(|&(b, _)| b);
        let penalties = self.penalties.iter().map(|&(b, _)| b);
        outputs
            .chain(self.losses.iter().map(|&(b, _)| b))
            .chain(penalties)
            .collect()
    }
}
