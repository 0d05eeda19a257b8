//! The backward pass, from the forward operations. Each of them emits its own gradients:
//! [`Operation::backward`](super::operation::Operation::backward).

use super::lower::Lowering;
use super::operands::Layout;
use super::operation::Backward;
use super::ops::{FakeQuantizeWeights, Sum, SumGradients};
use super::updates::Trained;
use super::{Buffer, Op, Size, View};
use crate::error::{Error, Result};
use crate::rules::optimizers::Optimizer;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// A start of the backward pass: a tensor, its gradient, their view.
pub type Start = (Buffer, Buffer, View);

impl Lowering {
    /// The backward pass from gradients of some tensors, and the update of every
    /// trained variable. The gradients of `observed` stretches of forward operations are observed:
    /// of the last result of each that has one.
    pub fn backward(
        &mut self,
        starts: &[Start],
        trained: &[Trained],
        by: &Optimizer,
        observed: &[Range<usize>],
    ) -> Result<Gradients> {
        let forward = self.ops.clone();
        let wanted = depends_on(&forward, trained);
        let stand_in = |op: &Op| match *op {
            Op::FakeQuantizeWeights(FakeQuantizeWeights { w, y, .. }) => Some((y, w)),
            _ => None,
        };
        let mut pass = Pass {
            wanted,
            rounded: forward.iter().filter_map(stand_in).collect(),
            gradients: HashMap::new(),
            weights: HashMap::new(),
            later: Vec::new(),
            lowering: self,
        };
        for &(x, dx, view) in starts {
            pass.pass_through(x, dx, view);
        }
        let mut of_results = vec![None; observed.len()];
        let mut stretches = observed.iter().enumerate().rev().peekable();
        for (n, op) in forward.iter().enumerate().rev() {
            while stretches.next_if(|(_, ops)| ops.start > n).is_some() {}
            if let Some(&(place, ops)) = stretches.peek()
                && ops.contains(&n)
                && of_results[place].is_none()
            {
                of_results[place] = pass.observe(op);
            }
            pass.op(op)?;
        }
        pass.flush();
        let Pass { weights, .. } = pass;
        self.updates(&weights, trained, by);
        Ok(Gradients {
            of_results,
            of_variables: weights,
        })
    }
}

/// The gradients of a backward pass.
#[derive(Debug)]
pub struct Gradients {
    /// Of each observed stretch of operations: the statistics, and the view that they are of.
    pub of_results: Vec<Option<(Buffer, View)>>,
    /// Of each variable that has one.
    pub of_variables: HashMap<Buffer, Buffer>,
}

/// The buffers that depend on trained variables.
fn depends_on(forward: &[Op], trained: &[Trained]) -> HashSet<Buffer> {
    let mut wanted: HashSet<Buffer> = trained.iter().map(|t| t.variable).collect();
    for op in forward {
        if op.reads().any(|b| wanted.contains(&b)) {
            wanted.extend(op.writes());
        }
    }
    wanted
}

/// The backward pass through the forward operations.
pub struct Pass<'a> {
    pub(super) lowering: &'a mut Lowering,
    /// Buffers whose gradient is needed.
    wanted: HashSet<Buffer>,
    /// The variable behind each buffer of its rounded numbers, whose gradient is the variable's.
    rounded: HashMap<Buffer, Buffer>,
    /// The gradient of each tensor, so far.
    gradients: HashMap<Buffer, Buffer>,
    /// The gradient of each variable.
    weights: HashMap<Buffer, Buffer>,
    /// Weight gradients that wait until the gradient of the input has been passed on: what
    /// follows that can then be done in the same pass over memory as its product.
    later: Vec<Op>,
}

impl Pass<'_> {
    /// Observes the gradient of an operation's result; `None` if there is none.
    fn observe(&mut self, op: &Op) -> Option<(Buffer, View)> {
        let operands = op.operands().into_iter();
        let mut results = operands.filter(|operand| operand.is_written());
        let (dy, view) = results.find_map(|result| {
            let view = match (result.layout, result.size) {
                (Layout::Columns(view) | Layout::ColumnsOrFeed(view), _) => view,
                (Layout::Product(view) | Layout::Images(view), _) => view,
                (_, Size::PerRow(size)) => View::row(size),
                (_, Size::Fixed(_)) => return None,
            };
            Some((self.gradient(result.buffer)?, view))
        })?;
        Some((self.lowering.observe(dy, view, None), view))
    }

    fn op(&mut self, op: &Op) -> Result<()> {
        op.begin_backward(self);
        let Some(dy) = op.writes().find_map(|y| self.gradient(y)) else {
            return Ok(());
        };
        match op.backward(dy, self) {
            Backward::Passed | Backward::Zero => Ok(()),
            Backward::None(why) => match op.reads().find(|&x| self.wants(x)) {
                Some(x) => {
                    let name = &self.lowering.buffers[x.index()].name;
                    let problem = format!("{} gives {name} no gradient: {why}", op.name());
                    Err(Error::Internal(problem))
                }
                None => Ok(()),
            },
        }
    }

    /// True if a trained variable needs the gradient of this buffer.
    pub(super) fn wants(&self, buffer: Buffer) -> bool {
        self.wanted.contains(&buffer)
    }

    /// The gradient of a tensor, so far.
    pub(super) fn gradient(&self, of: Buffer) -> Option<Buffer> {
        self.gradients.get(&of).copied()
    }

    /// Emits the operation that makes the gradient of `x`, and adds it to what is there.
    pub(super) fn pass_on<O: Into<Op>>(
        &mut self,
        x: Buffer,
        view: View,
        op: impl FnOnce(Buffer) -> O,
    ) {
        let dx = self.lowering.gradient_of(x);
        self.lowering.push(op(dx));
        self.pass_through(x, dx, view);
    }

    /// Adds `dx` to the gradient of `x`.
    pub(super) fn pass_through(&mut self, x: Buffer, dx: Buffer, view: View) {
        let whole = match self.gradient(x) {
            Some(other) => {
                let y = self.lowering.gradient_of(x);
                self.lowering.push(Sum {
                    a: dx,
                    b: other,
                    y,
                    view,
                });
                y
            }
            None => dx,
        };
        self.gradients.insert(x, whole);
    }

    /// A part of the gradient of a variable, made by `op` when the gradient of the input has
    /// been passed on.
    pub(super) fn weight<O: Into<Op>>(&mut self, w: Buffer, op: impl FnOnce(Buffer) -> O) {
        let dw = self.lowering.gradient_of(w);
        self.push_later(op(dw));
        self.gather(w, dw);
    }

    /// Adds `part` to the gradient of a variable.
    pub(super) fn gather(&mut self, variable: Buffer, part: Buffer) {
        let variable = self.rounded.get(&variable).copied().unwrap_or(variable);
        let whole = match self.weights.get(&variable) {
            Some(&other) => {
                let y = self.lowering.gradient_of(variable);
                let size = self.lowering.buffers[variable.index()].size.of(0);
                self.push_later(SumGradients {
                    a: part,
                    b: other,
                    y,
                    size,
                });
                y
            }
            None => part,
        };
        self.weights.insert(variable, whole);
    }

    /// Emits an operation with the weight gradients that wait.
    pub(super) fn push_later(&mut self, op: impl Into<Op>) {
        self.later.push(op.into());
    }

    /// Emits the weight gradients that wait.
    pub(super) fn flush(&mut self) {
        self.lowering.ops.append(&mut self.later);
    }
}
