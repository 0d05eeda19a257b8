//! Lowering: a model's layers become forward operations. The methods that emit an operation
//! stand beside it, in `ops`.

pub use super::ops::Statistics;

use super::{Buffer, BufferInfo, Mode, Op, Plan, Role, Size, View};
use crate::base::shape::Shape;
use crate::error::{Error, Result};

/// A tensor in the making: its buffer, and the shape of one row.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// Its memory.
    pub buffer: Buffer,
    /// The shape of one row.
    pub shape: Shape,
}

impl Value {
    /// Its view as a matrix, the last axis being the columns.
    pub fn view(&self) -> View {
        let width = self.shape.last();
        View {
            positions: self.shape.size() / width.max(1),
            width,
        }
    }
}

/// The forward operations so far. Layers call its methods.
#[derive(Debug)]
pub struct Lowering {
    pub(super) mode: Mode,
    pub(super) buffers: Vec<BufferInfo>,
    pub(super) ops: Vec<Op>,
    feeds: usize,
    streams: u32,
    pub(super) penalties: Vec<(Buffer, bool)>,
    pub(super) observed: Vec<Buffer>,
    /// True if layers compute as in inference, whatever the mode.
    inference: bool,
    /// True if the factors of products will be rounded.
    pub(super) bfloat16: bool,
}

impl Lowering {
    /// An empty plan with the program's variables. The factors of products will be rounded if
    /// `bfloat16`.
    pub fn new(mode: Mode, bfloat16: bool, variables: &[super::Variable]) -> Self {
        let buffers = variables
            .iter()
            .map(|v| BufferInfo {
                name: v.name.clone(),
                size: Size::Fixed(v.size),
                role: Role::Variable,
            })
            .collect();
        Lowering {
            mode,
            buffers,
            ops: Vec::new(),
            feeds: 0,
            streams: 0,
            penalties: Vec::new(),
            observed: Vec::new(),
            inference: false,
            bfloat16,
        }
    }

    /// True if layers are in training mode.
    pub fn training(&self) -> bool {
        self.mode == Mode::Train && !self.inference
    }

    /// Makes layers compute as in inference, or according to the mode.
    pub fn in_inference(&mut self, inference: bool) {
        self.inference = inference;
    }

    /// True if layers of noise are at work.
    pub fn noisy(&self) -> bool {
        matches!(self.mode, Mode::Train | Mode::Sample) && !self.inference
    }

    /// The number of operations so far.
    pub fn len(&self) -> usize {
        self.ops.len()
    }

    /// The operations so far.
    #[cfg(test)]
    pub(crate) fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// A new feed, given with each batch.
    pub fn feed(&mut self, name: &str, shape: Shape) -> Value {
        let role = Role::Feed(self.feeds);
        self.feeds += 1;
        let buffer = self.add(name, Size::PerRow(shape.size()), role);
        Value { buffer, shape }
    }

    /// A new stream of random numbers.
    pub fn stream(&mut self) -> u32 {
        self.streams += 1;
        self.streams - 1
    }

    /// The number of streams so far.
    pub fn streams(&self) -> u32 {
        self.streams
    }

    /// Leaves out so many streams.
    pub fn skip_streams(&mut self, count: u32) {
        self.streams += count;
    }

    /// The same elements in another shape.
    pub fn reshape(&mut self, x: &Value, shape: Shape) -> Value {
        Value {
            buffer: x.buffer,
            shape,
        }
    }

    /// Emits an operation.
    pub(super) fn push(&mut self, op: impl Into<Op>) {
        self.ops.push(op.into());
    }

    /// A new temporary.
    pub(super) fn temporary(&mut self, name: &str, size: Size) -> Buffer {
        self.add(name, size, Role::Temporary)
    }

    /// A new temporary of another buffer's size.
    pub(super) fn gradient_of(&mut self, buffer: Buffer) -> Buffer {
        let info = &self.buffers[buffer.index()];
        let (name, size) = (format!("d {}", info.name), info.size);
        self.add(&name, size, Role::Temporary)
    }

    /// A new temporary of this shape.
    pub(super) fn like(&mut self, name: &str, shape: &Shape) -> Value {
        let buffer = self.add(name, Size::PerRow(shape.size()), Role::Temporary);
        Value {
            buffer,
            shape: shape.clone(),
        }
    }

    pub(super) fn add(&mut self, name: &str, size: Size, role: Role) -> Buffer {
        self.buffers.push(BufferInfo {
            name: name.to_owned(),
            size,
            role,
        });
        Buffer(self.buffers.len() as u32 - 1)
    }
}

impl Lowering {
    /// The finished plan for up to `rows` rows, verified.
    pub fn finish(
        self,
        rows: usize,
        outputs: Vec<Value>,
        losses: Vec<(Buffer, usize)>,
    ) -> Result<Plan> {
        let plan = Plan {
            mode: self.mode,
            rows,
            buffers: self.buffers,
            ops: self.ops,
            outputs: outputs.into_iter().map(|v| (v.buffer, v.shape)).collect(),
            losses,
            penalties: self.penalties,
            observed: self.observed,
            bfloat16: self.bfloat16,
        };
        match super::verify::verify(&plan) {
            Ok(()) => Ok(plan),
            Err(problem) => Err(Error::Internal(format!("{problem}, in this plan:\n{plan}"))),
        }
    }
}
