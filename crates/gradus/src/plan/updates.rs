//! The updates of trained variables, from their gradients: penalties, gathering, clipping, the
//! optimizer's step, constraints.

use super::lower::Lowering;
use super::ops::{Accumulate, Clip, Constrain, PenaltyGradient, SquaredNorm, SumGradients};
use super::{Buffer, Op, Size, ops};
use crate::rules::constraints::Constraint;
use crate::rules::optimizers::Optimizer;
use crate::rules::regularizers::Regularizer;
use std::collections::HashMap;

/// A trained variable, with its optimizer's state.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The variable.
    pub variable: Buffer,
    /// Slots, in the method's order.
    pub slots: Vec<Buffer>,
    /// Moving average, if there is one.
    pub average: Option<Buffer>,
    /// Accumulated gradients since its last update, if any.
    pub accumulator: Option<Buffer>,
    /// The penalty on it.
    pub regularizer: Option<Regularizer>,
    /// The constraint that it is brought back to after each step.
    pub constraint: Option<Constraint>,
    /// Shape.
    pub shape: Vec<usize>,
    /// True if its step takes all of it at once.
    pub whole: bool,
    /// Weight decay.
    pub decay: f32,
    /// The factor of its learning rate.
    pub rate: f32,
    /// True if its zeros stay zeros.
    pub keeps_zeros: bool,
}

impl Trained {
    /// The number of its elements.
    pub fn size(&self) -> usize {
        self.shape.iter().product()
    }
}

impl Lowering {
    /// Emits the updates; `weights` has the gradients of the variables that have one.
    pub(super) fn updates(
        &mut self,
        weights: &HashMap<Buffer, Buffer>,
        trained: &[Trained],
        by: &Optimizer,
    ) {
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
        let last = LastAccess::of(&self.ops);
        // The updates behind each operation, the last one first.
        let mut behind: HashMap<usize, Vec<Op>> = HashMap::new();
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
                keeps_zeros: t.keeps_zeros,
                whole: t.whole.then(|| t.shape.clone()),
                size: t.size(),
            };
            // Directly after its gradient if nothing later reads the variable, so that one pass
            // over memory does both.
            let (made, read) = (last.write.get(&gradient), last.read.get(&t.variable));
            match (clip, made) {
                (Clip::None | Clip::Value(_), Some(made)) if read <= Some(made) && !t.whole => {
                    behind.entry(*made).or_default().push(update.into());
                }
                _ => self.push(update),
            }
        }
        for (n, op) in std::mem::take(&mut self.ops).into_iter().enumerate() {
            self.ops.push(op);
            let updates = behind.remove(&n).unwrap_or_default();
            self.ops.extend(updates.into_iter().rev());
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

/// The operations that read and write each buffer last.
struct LastAccess {
    read: HashMap<Buffer, usize>,
    write: HashMap<Buffer, usize>,
}

impl LastAccess {
    fn of(ops: &[Op]) -> Self {
        let (mut read, mut write) = (HashMap::new(), HashMap::new());
        for (n, op) in ops.iter().enumerate() {
            for operand in op.operands() {
                if operand.is_read() {
                    read.insert(operand.buffer, n);
                }
                if operand.is_written() {
                    write.insert(operand.buffer, n);
                }
            }
        }
        LastAccess { read, write }
    }
}
