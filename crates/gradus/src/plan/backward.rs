//! The gradients and the updates, from the forward operations. Each operation emits its own
//! gradients: [`Operation::backward`](super::operation::Operation::backward).

use super::lower::Lowering;
use super::operation::Backward;
use super::ops::{Accumulate, Clip, Constrain, PenaltyGradient, SquaredNorm, Sum, SumGradients};
use super::{Buffer, Op, Size, View, ops};
use crate::error::{Error, Result};
use crate::rules::constraints::Constraint;
use crate::rules::optimizers::Optimizer;
use crate::rules::regularizers::Regularizer;
use std::collections::{HashMap, HashSet};

/// A start of the backward pass: a tensor, its gradient, their view.
pub type Start = (Buffer, Buffer, View);

/// A trained variable, with its optimizer's state.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The variable.
    pub variable: Buffer,
    /// Its slots, as the method orders them.
    pub slots: Vec<Buffer>,
    /// Its moving average, if there is one.
    pub average: Option<Buffer>,
    /// The gradients since its last update, if they are gathered.
    pub accumulator: Option<Buffer>,
    /// The penalty on it.
    pub regularizer: Option<Regularizer>,
    /// The constraint that it is brought back to after each step.
    pub constraint: Option<Constraint>,
    /// Its shape.
    pub shape: Vec<usize>,
    /// True if its step takes all of it at once.
    pub whole: bool,
    /// Its weight decay.
    pub decay: f32,
    /// The factor of its learning rate.
    pub rate: f32,
}

impl Trained {
    fn size(&self) -> usize {
        self.shape.iter().product()
    }
}

impl Lowering {
    /// The backward pass from gradients of some tensors, and the update of every
    /// trained variable.
    pub fn backward(
        &mut self,
        starts: &[Start],
        trained: &[Trained],
        by: &Optimizer,
    ) -> Result<()> {
        let forward = self.ops.clone();
        let wanted = depends_on(&forward, trained);
        let mut pass = Pass {
            wanted,
            gradients: HashMap::new(),
            weights: HashMap::new(),
            later: Vec::new(),
            lowering: self,
        };
        for &(x, dx, view) in starts {
            pass.pass_through(x, dx, view);
        }
        for op in forward.iter().rev() {
            pass.op(op)?;
        }
        pass.flush();
        let Pass { weights, .. } = pass;
        self.updates(&weights, trained, by);
        Ok(())
    }

    fn updates(&mut self, weights: &HashMap<Buffer, Buffer>, trained: &[Trained], by: &Optimizer) {
        let by_norm = by.clipnorm.is_some() || by.global_clipnorm.is_some();
        let with_gradient = trained
            .iter()
            .filter_map(|t| weights.get(&t.variable).map(|&g| (t, g)));
        let with_gradient: Vec<(&Trained, Buffer)> = with_gradient
            .map(|(t, gradient)| (t, self.whole_gradient(t, gradient, by_norm || t.whole)))
            .collect();
        let mut whole = None;
        if by.global_clipnorm.is_some() {
            let gradients: Vec<Buffer> = with_gradient.iter().map(|&(_, g)| g).collect();
            whole = Some(self.squared_norm(&gradients));
        }
        for &(t, gradient) in &with_gradient {
            let clip = if let Some(limit) = by.clipvalue {
                Clip::Value(limit as f32)
            } else if let Some(limit) = by.clipnorm {
                Clip::Norm {
                    norm: self.squared_norm(&[gradient]),
                    limit: limit as f32,
                }
            } else if let (Some(norm), Some(limit)) = (whole, by.global_clipnorm) {
                Clip::Norm {
                    norm,
                    limit: limit as f32,
                }
            } else {
                Clip::None
            };
            let element = t.regularizer.as_ref().and_then(Regularizer::l1_l2);
            let update = ops::Update {
                rule: by.method.clone(),
                w: t.variable,
                gradient,
                slots: t.slots.clone(),
                regularizer: element.filter(|_| !(by_norm || t.whole)),
                accumulator: t.accumulator.filter(|_| !(by_norm || t.whole)),
                average: t.average,
                clip,
                decay: t.decay,
                rate: t.rate,
                whole: t.whole.then(|| t.shape.clone()),
                size: t.size(),
            };
            // Right behind its gradient if nothing later reads the variable, so
            // that one pass over memory does both.
            let mut ops = self.ops.iter();
            let made = ops.rposition(|op| op.writes().any(|b| b == gradient));
            let mut ops = self.ops.iter();
            let read = ops.rposition(|op| op.reads().any(|b| b == t.variable));
            match (clip, made, read) {
                (Clip::None | Clip::Value(_), Some(made), read)
                    if read <= Some(made) && !t.whole =>
                {
                    self.ops.insert(made + 1, update.into());
                }
                _ => self.push(update),
            }
        }
        for (t, _) in with_gradient {
            if let Some(rule) = &t.constraint {
                self.push(Constrain {
                    rule: rule.clone(),
                    w: t.variable,
                    shape: t.shape.clone(),
                    size: t.size(),
                });
            }
        }
    }

    /// The gradient with the terms that an update cannot add to it on the way: all of them if
    /// `all` is wanted, else the derivatives of penalties that need the whole matrix.
    fn whole_gradient(&mut self, of: &Trained, mut gradient: Buffer, all: bool) -> Buffer {
        let size = of.size();
        if let Some(rule) = &of.regularizer
            && (all || rule.l1_l2().is_none())
        {
            let (dx, y) = (self.gradient_of(gradient), self.gradient_of(gradient));
            self.push(PenaltyGradient {
                rule: rule.clone(),
                x: of.variable,
                dx,
                size: Size::Fixed(size),
                columns: of.shape.last().copied().unwrap_or(1),
            });
            let (a, b) = (gradient, dx);
            self.push(SumGradients { a, b, y, size });
            gradient = y;
        }
        if let Some(accumulator) = of.accumulator.filter(|_| all) {
            let y = self.gradient_of(gradient);
            self.push(Accumulate {
                gradient,
                accumulator,
                y,
                size,
            });
            gradient = y;
        }
        gradient
    }

    fn squared_norm(&mut self, gradients: &[Buffer]) -> Buffer {
        let norm = self.temporary("squared norm", Size::Fixed(1));
        let size = |g: &Buffer| self.buffers[g.index()].size.of(0);
        let gradients = gradients.iter().map(|g| (*g, size(g))).collect();
        self.push(SquaredNorm { gradients, norm });
        norm
    }
}

/// The buffers that a change of a trained variable would change.
fn depends_on(forward: &[Op], trained: &[Trained]) -> HashSet<Buffer> {
    let mut wanted: HashSet<Buffer> = trained.iter().map(|t| t.variable).collect();
    for op in forward {
        if op.reads().any(|b| wanted.contains(&b)) {
            wanted.extend(op.writes());
        }
    }
    wanted
}

/// The way back through the forward operations.
pub struct Pass<'a> {
    pub(super) lowering: &'a mut Lowering,
    /// Buffers whose gradient is wanted.
    wanted: HashSet<Buffer>,
    /// The gradient of each tensor, so far.
    gradients: HashMap<Buffer, Buffer>,
    /// The gradient of each variable.
    weights: HashMap<Buffer, Buffer>,
    /// Weight gradients that wait until the gradient of the input has been passed on: what
    /// follows that can then be done in the same pass over memory as its product.
    later: Vec<Op>,
}

impl Pass<'_> {
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

    /// `dx` is a part of the gradient of `x`.
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

    /// `part` is a part of the gradient of a variable.
    pub(super) fn gather(&mut self, variable: Buffer, part: Buffer) {
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
