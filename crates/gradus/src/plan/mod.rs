//! The plan: what happens in one step, as a short list of operations on
//! numbered buffers with every shape known. It says nothing of a machine: engines
//! make schedules and memory of their own of it.
//!
//! [`ops`] has the operations, each with its facts and its backward; [`lower`] collects them
//! from a model's layers, [`backward`] adds the gradients and [`updates`] the optimizer's
//! steps, [`verify`] checks it all.

pub(crate) mod backward;
mod bfloat16;
mod buffer;
pub(crate) mod dump;
pub(crate) mod lower;
pub(crate) mod operands;
pub(crate) mod operation;
pub(crate) mod ops;
pub(crate) mod share;
pub(crate) mod updates;
pub(crate) mod verify;

#[cfg(test)]
mod tests;

use crate::base::shape::Shape;
pub(crate) use buffer::{Buffer, BufferInfo, Role, Size, View};
pub(crate) use operation::Split;
pub(crate) use ops::{Op, with_op};

/// The purpose of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Forward, backward and update.
    Train,
    /// Forward in inference mode, and the loss.
    Evaluate,
    /// Forward in inference mode.
    Infer,
    /// Forward in inference mode, with noise on.
    Sample,
}

/// One step, for batches of up to `rows` rows.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Its purpose.
    pub mode: Mode,
    /// Largest batch, in rows.
    pub rows: usize,
    /// Buffers by index; the first are the program's variables.
    pub buffers: Vec<BufferInfo>,
    /// The operations, in an order in which they can run.
    pub ops: Vec<Op>,
    /// The model's outputs.
    pub outputs: Vec<(Buffer, Shape)>,
    /// The losses of each trained output, and the number of positions of a row that have one.
    pub losses: Vec<(Buffer, usize)>,
    /// Penalties added to the loss; true of those that are divided by the batch's rows.
    pub penalties: Vec<(Buffer, bool)>,
    /// The buffers of what was observed.
    pub observed: Vec<Buffer>,
    /// True if all factors of products are rounded to bfloat16.
    pub bfloat16: bool,
}

/// A variable of a program.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// Name, for the dump and for errors.
    pub name: String,
    /// The number of its elements.
    pub size: usize,
}

/// Plans over the same variables.
#[derive(Clone, Debug)]
pub struct Program {
    /// Variables, numbered like the plans' first buffers.
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
            .chain(self.observed.iter().copied())
            .collect()
    }
}
