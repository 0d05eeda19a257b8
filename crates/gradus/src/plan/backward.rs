//! The loss, the gradients and the updates, from the forward operations.

use super::lower::{Lowering, Value};
use super::op::Clip;
use super::{Buffer, Op, Size, View};
use crate::rules::constraints::Constraint;
use crate::rules::losses::Loss;
use crate::rules::optimizers::Optimizer;
use crate::rules::regularizers::Regularizer;
use std::collections::{HashMap, HashSet};

/// Where the backward pass starts: a tensor, its gradient, their view.
pub type Start = (Buffer, Buffer, View);

/// A variable that is trained, with what its optimizer keeps for it.
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
    /// What keeps it small.
    pub regularizer: Option<Regularizer>,
    /// What it is kept to.
    pub constraint: Option<Constraint>,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Whether its step takes all of it at once.
    pub whole: bool,
    /// Its weight decay.
    pub decay: f32,
    /// What its learning rate is multiplied by.
    pub rate: f32,
}

impl Trained {
    fn size(&self) -> usize {
        self.shape.iter().product()
    }
}

impl Lowering {
    /// The loss of `output`, taken before the last activation where the loss
    /// can be; gives the losses' buffer and, if a gradient of this share is wanted,
    /// where the backward pass starts.
    pub fn loss(
        &mut self,
        rule: &Loss,
        output: &Value,
        target: &Value,
        weight: Option<&Value>,
        gradient: Option<f64>,
    ) -> (Buffer, Option<Start>) {
        let view = output.view();
        let (x, rule) = self.before_activation(rule, output.buffer);
        let losses = self.temporary("losses", Size::PerRow(view.positions));
        let share = gradient.unwrap_or(1.0) as f32;
        let gradient = gradient.map(|_| self.gradient_of(x));
        self.ops.push(Op::Loss {
            rule,
            x,
            target: target.buffer,
            weight: weight.map(|w| w.buffer),
            losses,
            gradient,
            share,
            view,
        });
        (losses, gradient.map(|g| (x, g, view)))
    }

    fn before_activation(&self, rule: &Loss, output: Buffer) -> (Buffer, Loss) {
        use crate::rules::activations::Activation;
        let last = self.ops.iter().find_map(|op| match op {
            Op::Activate { rule, x, y, .. } if *y == output => Some((rule.clone(), *x)),
            Op::Softmax { x, y, log, .. } if *y == output => match log {
                false => Some((Activation::Softmax, *x)),
                true => Some((Activation::LogSoftmax, *x)),
            },
            _ => None,
        });
        if let Some((activation, x)) = last
            && let Some(earlier) = rule.before(&activation)
        {
            return (x, earlier);
        }
        (output, rule.clone())
    }

    /// The backward pass from gradients of some tensors, and the update of every
    /// trained variable.
    pub fn backward(&mut self, starts: &[Start], trained: &[Trained], by: &Optimizer) {
        let forward = self.ops.clone();
        let wanted = depends_on(&forward, trained);
        let mut pass = Pass {
            wanted,
            signal: HashMap::new(),
            weights: HashMap::new(),
            later: Vec::new(),
            lowering: self,
        };
        for &(x, dx, view) in starts {
            pass.pass_through(x, dx, view);
        }
        for op in forward.iter().rev() {
            pass.op(op);
        }
        pass.flush();
        let Pass { weights, .. } = pass;
        self.updates(&weights, trained, by);
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
            let update = Op::Update {
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
            let made = self
                .ops
                .iter()
                .rposition(|op| touches(op, gradient, Op::writes));
            let read = self
                .ops
                .iter()
                .rposition(|op| touches(op, t.variable, Op::reads));
            match (clip, made, read) {
                (Clip::None | Clip::Value(_), Some(made), read)
                    if read <= Some(made) && !t.whole =>
                {
                    self.ops.insert(made + 1, update);
                }
                _ => self.ops.push(update),
            }
        }
        for (t, _) in with_gradient {
            if let Some(rule) = &t.constraint {
                self.ops.push(Op::Constrain {
                    rule: rule.clone(),
                    w: t.variable,
                    shape: t.shape.clone(),
                    size: t.size(),
                });
            }
        }
    }

    /// The gradient with what an update cannot add to it on the way: whatever
    /// there is if `all` of it is wanted, else the derivatives of penalties that
    /// need the whole matrix.
    fn whole_gradient(&mut self, of: &Trained, mut gradient: Buffer, all: bool) -> Buffer {
        let size = of.size();
        if let Some(rule) = &of.regularizer
            && (all || rule.l1_l2().is_none())
        {
            let (dx, y) = (self.gradient_of(gradient), self.gradient_of(gradient));
            self.ops.push(Op::PenaltyGradient {
                rule: rule.clone(),
                x: of.variable,
                dx,
                size: Size::Fixed(size),
                columns: of.shape.last().copied().unwrap_or(1),
            });
            let (a, b) = (gradient, dx);
            self.ops.push(Op::SumGradients { a, b, y, size });
            gradient = y;
        }
        if let Some(accumulator) = of.accumulator.filter(|_| all) {
            let y = self.gradient_of(gradient);
            self.ops.push(Op::Accumulate {
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
        self.ops.push(Op::SquaredNorm { gradients, norm });
        norm
    }
}

fn touches(op: &Op, buffer: Buffer, how: fn(&Op, &mut dyn FnMut(Buffer))) -> bool {
    let mut found = false;
    how(op, &mut |b| found |= b == buffer);
    found
}

/// The buffers that a change of a trained variable would change.
fn depends_on(forward: &[Op], trained: &[Trained]) -> HashSet<Buffer> {
    let mut wanted: HashSet<Buffer> = trained.iter().map(|t| t.variable).collect();
    for op in forward {
        let mut depends = false;
        op.reads(&mut |b: Buffer| depends |= wanted.contains(&b));
        if depends {
            op.writes(&mut |b: Buffer| {
                wanted.insert(b);
            });
        }
    }
    wanted
}

/// The way back through the forward operations.
pub(super) struct Pass<'a> {
    pub(super) lowering: &'a mut Lowering,
    /// Buffers whose gradient is wanted.
    pub(super) wanted: HashSet<Buffer>,
    /// The gradient of each tensor, so far.
    pub(super) signal: HashMap<Buffer, Buffer>,
    /// The gradient of each variable.
    weights: HashMap<Buffer, Buffer>,
    /// Weight gradients that wait until the signal has passed on: what follows
    /// the signal can then be done in the same pass as its product.
    pub(super) later: Vec<Op>,
}

impl Pass<'_> {
    fn op(&mut self, op: &Op) {
        match op {
            Op::Product { x, w, y, of } => {
                let Some(&dy) = self.signal.get(y) else {
                    return;
                };
                self.flush();
                if let Some(normalized) = self.normalized_input(*x, *w, *of) {
                    return self.through_normalized(normalized, dy, *w, *of);
                }
                if self.wanted.contains(x) {
                    let (w, of) = (*w, *of);
                    self.pass_on(*x, of.input_view(), |dx| Op::ProductInput { dy, w, dx, of });
                }
                if self.wanted.contains(w) {
                    let (x, of) = (*x, *of);
                    self.weight(*w, |dw| Op::ProductWeight { x, dy, dw, of });
                }
            }
            // Forward: y = x · wᵀ.
            Op::ProductInput {
                dy: x,
                w,
                dx: y,
                of,
            } => {
                let Some(&dy) = self.signal.get(y) else {
                    return;
                };
                self.flush();
                let (x, w, of) = (*x, *w, *of);
                if self.wanted.contains(&x) {
                    self.pass_on(x, of.output_view(), |dx| Op::Product {
                        x: dy,
                        w,
                        y: dx,
                        of,
                    });
                }
                if self.wanted.contains(&w) {
                    self.weight(w, |dw| Op::ProductWeight {
                        x: dy,
                        dy: x,
                        dw,
                        of,
                    });
                }
            }
            Op::Bias { x, bias, y, view } => {
                let Some(&dy) = self.signal.get(y) else {
                    return;
                };
                let view = *view;
                if self.wanted.contains(bias) {
                    let db = self.lowering.gradient_of(*bias);
                    self.lowering.ops.push(Op::BiasGradient { dy, db, view });
                    self.gather(*bias, db);
                }
                if self.wanted.contains(x) {
                    self.pass_through(*x, dy, view);
                }
            }
            Op::Activate { rule, x, y, view } => {
                let Some(&dy) = self.signal.get(y) else {
                    return;
                };
                let (rule, view, y) = (rule.clone(), *view, *y);
                let input = rule.slope_uses_input().then_some(*x);
                self.pass_on(*x, view, |dx| Op::ActivateGradient {
                    rule,
                    x: input,
                    y,
                    dy,
                    dx,
                    view,
                });
            }
            Op::Softmax { x, y, log, view } => {
                let Some(&dy) = self.signal.get(y) else {
                    return;
                };
                let (y, log, view) = (*y, *log, *view);
                self.pass_on(*x, view, |dx| Op::SoftmaxGradient {
                    y,
                    dy,
                    dx,
                    log,
                    view,
                });
            }
            Op::Dropout {
                x,
                y,
                rate,
                stream,
                view,
            } => {
                let Some(&dy) = self.signal.get(y) else {
                    return;
                };
                let (rate, stream, view) = (*rate, *stream, *view);
                self.pass_on(*x, view, |dx| Op::Dropout {
                    x: dy,
                    y: dx,
                    rate,
                    stream,
                    view,
                });
            }
            Op::Normalize {
                x,
                gamma,
                beta,
                mean,
                inverse,
                y,
                view,
                ..
            } => {
                let Some(&dy) = self.signal.get(y) else {
                    return;
                };
                let dgamma = gamma.map(|g| self.lowering.gradient_of(g));
                let dbeta = beta.map(|b| self.lowering.gradient_of(b));
                let parts = [(*gamma, dgamma), (*beta, dbeta)];
                let (x, gamma, mean, inverse, view) = (*x, *gamma, *mean, *inverse, *view);
                self.pass_on(x, view, |dx| Op::NormalizeGradient {
                    x,
                    gamma,
                    mean,
                    inverse,
                    dy,
                    dx,
                    dgamma,
                    dbeta,
                    view,
                });
                for (variable, part) in parts {
                    if let (Some(variable), Some(part)) = (variable, part) {
                        self.gather(variable, part);
                    }
                }
            }
            Op::Scale {
                x,
                by,
                y,
                negative_only,
                view,
            } => {
                let Some(&dy) = self.signal.get(y) else {
                    return;
                };
                let (x, by, negative_only, view) = (*x, *by, *negative_only, *view);
                let dby = self
                    .wanted
                    .contains(&by)
                    .then(|| self.lowering.gradient_of(by));
                self.pass_on(x, view, |dx| Op::ScaleGradient {
                    x,
                    by,
                    dy,
                    dx,
                    dby,
                    negative_only,
                    view,
                });
                if let Some(dby) = dby {
                    self.gather(by, dby);
                }
            }
            Op::StandardizeRows {
                x,
                y,
                inverse,
                view,
                ..
            } => {
                let Some(&dy) = self.signal.get(y) else {
                    return;
                };
                let (y, inverse, view) = (*y, *inverse, *view);
                self.pass_on(*x, view, |dx| Op::StandardizeRowsGradient {
                    y,
                    inverse,
                    dy,
                    dx,
                    view,
                });
            }
            Op::Noise {
                rule,
                x,
                y,
                stream,
                view,
            } => {
                let Some(&dy) = self.signal.get(y) else {
                    return;
                };
                let (rule, y, stream, view) = (*rule, *y, *stream, *view);
                if rule.keeps_gradient() {
                    return self.pass_through(*x, dy, view);
                }
                self.pass_on(*x, view, |dx| Op::NoiseGradient {
                    rule,
                    y,
                    dy,
                    dx,
                    stream,
                    view,
                });
            }
            Op::Permute {
                x,
                y,
                dims,
                order,
                view,
            } => {
                let Some(&dy) = self.signal.get(y) else {
                    return;
                };
                let mut back = vec![0; order.len()];
                for (place, &axis) in order.iter().enumerate() {
                    back[axis] = place;
                }
                let dims = order.iter().map(|&axis| dims[axis]).collect();
                let view = *view;
                self.pass_on(*x, view, |dx| Op::Permute {
                    x: dy,
                    y: dx,
                    dims,
                    order: back,
                    view,
                });
            }
            Op::Standardize {
                x,
                gamma,
                variance,
                y,
                epsilon,
                view,
                ..
            } => {
                let Some(&dy) = self.signal.get(y) else {
                    return;
                };
                if self.wanted.contains(x) {
                    let (gamma, variance, epsilon, view) = (*gamma, *variance, *epsilon, *view);
                    self.pass_on(*x, view, |dx| Op::StandardizeGradient {
                        gamma,
                        variance,
                        dy,
                        dx,
                        epsilon,
                        view,
                    });
                }
            }
            Op::Penalty {
                rule,
                x,
                size: size @ Size::PerRow(numbers),
                columns,
                ..
            } if self.wanted.contains(x) => {
                let (x, size, columns) = (*x, *size, *columns);
                let rule = rule.clone();
                let view = View {
                    positions: numbers / columns.max(1),
                    width: columns,
                };
                self.pass_on(x, view, |dx| Op::PenaltyGradient {
                    rule,
                    x,
                    dx,
                    size,
                    columns,
                });
            }
            Op::Augment { .. } => self.augment(op),
            Op::Resize { .. } => self.resize(op),
            merging => self.merge(merging),
        }
    }

    /// Emits what makes the gradient of `x`, and adds it to what is there.
    pub(super) fn pass_on(&mut self, x: Buffer, view: View, op: impl FnOnce(Buffer) -> Op) {
        let dx = self.lowering.gradient_of(x);
        self.lowering.ops.push(op(dx));
        self.pass_through(x, dx, view);
    }

    /// `dx` is a part of the gradient of `x`.
    pub(super) fn pass_through(&mut self, x: Buffer, dx: Buffer, view: View) {
        let whole = match self.signal.get(&x) {
            Some(&other) => {
                let y = self.lowering.gradient_of(x);
                self.lowering.ops.push(Op::Sum {
                    a: dx,
                    b: other,
                    y,
                    view,
                });
                y
            }
            None => dx,
        };
        self.signal.insert(x, whole);
    }

    /// A part of the gradient of a variable, made by `op` when the signal has
    /// passed on.
    pub(super) fn weight(&mut self, w: Buffer, op: impl FnOnce(Buffer) -> Op) {
        let dw = self.lowering.gradient_of(w);
        self.later.push(op(dw));
        self.gather(w, dw);
    }

    /// `part` is a part of the gradient of a variable.
    pub(super) fn gather(&mut self, variable: Buffer, part: Buffer) {
        let whole = match self.weights.get(&variable) {
            Some(&other) => {
                let y = self.lowering.gradient_of(variable);
                let size = self.lowering.buffers[variable.index()].size.of(0);
                self.later.push(Op::SumGradients {
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

    fn flush(&mut self) {
        self.lowering.ops.append(&mut self.later);
    }
}
