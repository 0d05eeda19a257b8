//! The operations on this engine, in files of the same names as in `plan/ops`. What a kernel
//! is given leads to memory of the size that the operand table says: the verifier has
//! compared the two when the plan was lowered, in release too.

mod activation;
mod affine;
mod batch_matmul;
mod batch_norm;
mod batch_norm_parts;
mod binary;
mod convolution;
mod depthwise;
mod embed;
mod fake_quantization;
mod gather;
mod image;
mod kernel_sum;
mod loss;
mod matmul;
mod noise;
mod normalized_matmul;
mod observe;
mod pad;
mod penalty;
mod pool;
mod quantized;
mod rearrange;
mod row_norm;
mod unary;
mod update;

use super::context::Context;
use super::gradient::Panel;
use super::kernels::columns::Block;
use crate::plan::{Buffer, Op, Plan, with_op};
use std::slice::{from_raw_parts, from_raw_parts_mut};

/// The chunk of an operation that is to be done, as its [`Split`](crate::plan::Split) says.
#[derive(Clone, Copy)]
pub(super) enum Part<'a> {
    /// Columns of a matrix of the batch.
    Columns(Block),
    /// Columns of a weight's gradient, with the operations that follow on them.
    Weights {
        from: usize,
        to: usize,
        followers: &'a [Op],
    },
    /// A panel of a weight's gradient that has just been made.
    Panel(&'a Panel),
    /// Elements of a variable.
    Elements(usize, usize),
    /// Matrix rows of the batch.
    Rows(usize, usize),
    /// The loss with its weight and metrics.
    Whole,
}

/// An operation as this engine does it.
pub(super) trait Execute {
    /// Does a part, which no other thread touches meanwhile.
    fn run(&self, context: &Context<'_>, part: Part<'_>);

    /// Does all of a task's columns at once where that pays, or says no. By default, no.
    fn run_ahead(&self, context: &Context<'_>, block: Block) -> bool {
        let _ = (context, block);
        false
    }

    /// The elements of scratch that it asks the context for, at most. By default none; who
    /// asks for more than all operations of a program say gets a panic.
    fn scratch(&self, plan: &Plan) -> usize {
        let _ = plan;
        0
    }
}

/// Does a part of an operation.
pub(super) fn run(op: &Op, context: &Context<'_>, part: Part<'_>) {
    with_op!(op, |op| op.run(context, part));
}

/// See [`Execute::run_ahead`].
pub(super) fn run_ahead(op: &Op, context: &Context<'_>, block: Block) -> bool {
    with_op!(op, |op| op.run_ahead(context, block))
}

/// The elements of scratch that a thread needs for a plan.
pub(super) fn scratch(plan: &Plan) -> usize {
    let room = |op: &Op| with_op!(op, |op| op.scratch(plan));
    plan.ops.iter().map(room).max().unwrap_or(0)
}

impl Part<'_> {
    /// The block, of an operation that is cut by columns.
    fn columns(self) -> Block {
        match self {
            Part::Columns(block) => block,
            _ => unreachable!("the operation is cut by columns"),
        }
    }

    /// The block of an elementwise operation that is cut by columns of the batch, or by
    /// elements of a variable of this size.
    fn block(self, size: usize) -> Block {
        match self {
            Part::Columns(block) => block,
            Part::Elements(from, to) => Block {
                first: 0,
                rows: 1,
                stride: size,
                from,
                to,
                packed: false,
            },
            _ => unreachable!("the operation is cut by columns or elements"),
        }
    }

    /// The rows, of an operation that is cut by rows.
    fn rows<'c>(self, context: &'c Context<'c>) -> Rows<'c> {
        match self {
            Part::Rows(from, to) => Rows { context, from, to },
            _ => unreachable!("the operation is cut by rows"),
        }
    }
}

/// Matrix rows `from..to` of the batch, which belong to one task.
struct Rows<'a> {
    context: &'a Context<'a>,
    from: usize,
    to: usize,
}

impl<'a> Rows<'a> {
    /// The number of rows.
    fn count(&self) -> usize {
        self.to - self.from
    }

    /// The address of the first row of a matrix of so many columns.
    fn at(&self, buffer: Buffer, width: usize) -> *mut f32 {
        let plan = self.context.plan();
        debug_assert!(self.to * width <= plan.buffers[buffer.index()].size.of(plan.rows));
        // SAFETY: the verifier has compared the sizes; the rows are inside the batch.
        unsafe { self.context.at(buffer).add(self.from * width) }
    }

    /// The rows of a matrix of so many columns.
    ///
    /// # Safety
    /// The operation's table must give the buffer this many for each row, and nobody write to
    /// them meanwhile.
    unsafe fn read(&self, buffer: Buffer, width: usize) -> &'a [f32] {
        // SAFETY: the caller's promise.
        unsafe { from_raw_parts(self.at(buffer, width), self.count() * width) }
    }

    /// The rows of a matrix of so many columns, to be written.
    ///
    /// # Safety
    /// As for `read`; and no input may share the buffer's memory.
    unsafe fn write(&self, buffer: Buffer, width: usize) -> &'a mut [f32] {
        // SAFETY: the caller's promise.
        unsafe { from_raw_parts_mut(self.at(buffer, width), self.count() * width) }
    }
}
