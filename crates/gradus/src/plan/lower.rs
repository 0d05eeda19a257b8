//! Lowering: a model's layers become forward operations.

use super::{Buffer, BufferInfo, Mode, Op, Role, Size, View, op::Factors};
use crate::base::shape::Shape;
use crate::rules::activations::{Activation, Form};
use crate::rules::noise::Noise;
use crate::rules::regularizers::Regularizer;

/// A tensor in the making: its buffer, and the shape of one row.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// Where it is.
    pub buffer: Buffer,
    /// The shape of one row.
    pub shape: Shape,
}

impl Value {
    /// It as a matrix, the last axis being the columns.
    pub fn view(&self) -> View {
        let width = self.shape.last();
        View {
            positions: self.shape.size() / width.max(1),
            width,
        }
    }
}

/// A layer's parameters for batch normalization.
#[derive(Clone, Copy, Debug)]
pub struct Statistics {
    /// γ.
    pub gamma: Option<Buffer>,
    /// β.
    pub beta: Option<Buffer>,
    /// The moving mean.
    pub mean: Buffer,
    /// The moving variance.
    pub variance: Buffer,
    /// How slowly the moving ones move.
    pub momentum: f32,
    /// ε.
    pub epsilon: f32,
}

/// The forward operations so far. Layers call its methods.
#[derive(Debug)]
pub struct Lowering {
    mode: Mode,
    pub(super) buffers: Vec<BufferInfo>,
    pub(super) ops: Vec<Op>,
    feeds: usize,
    streams: u32,
    penalties: Vec<(Buffer, bool)>,
    /// True if layers compute as in inference, whatever the mode.
    inference: bool,
    /// Whether the factors of products will be rounded.
    pub(super) bfloat16: bool,
}

impl Lowering {
    /// Nothing yet but the program's variables. The factors of products will be rounded if
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
            inference: false,
            bfloat16,
        }
    }

    /// Whether layers are in training mode.
    pub fn training(&self) -> bool {
        self.mode == Mode::Train && !self.inference
    }

    /// Makes layers compute as in inference, or as the mode says.
    pub fn in_inference(&mut self, inference: bool) {
        self.inference = inference;
    }

    /// Whether layers of noise are at work.
    pub fn noisy(&self) -> bool {
        matches!(self.mode, Mode::Train | Mode::Sample) && !self.inference
    }

    /// The operations so far.
    #[cfg(test)]
    pub(crate) fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// Something given with each batch.
    pub fn feed(&mut self, name: &str, shape: Shape) -> Value {
        let role = Role::Feed(self.feeds);
        self.feeds += 1;
        let buffer = self.add(name, Size::PerRow(shape.size()), role);
        Value { buffer, shape }
    }

    /// A stream of random numbers of its own.
    pub fn stream(&mut self) -> u32 {
        self.streams += 1;
        self.streams - 1
    }

    /// x · w on the last axis.
    pub fn product(&mut self, x: &Value, w: Buffer, outputs: usize) -> Value {
        let View {
            positions,
            width: inputs,
        } = x.view();
        let y = self.like("product", &x.shape.with_last(outputs));
        self.ops.push(Op::Product {
            x: x.buffer,
            w,
            y: y.buffer,
            of: Factors {
                positions,
                inputs,
                outputs,
            },
        });
        y
    }

    /// x · wᵀ on the last axis.
    pub fn product_transposed(&mut self, x: &Value, w: Buffer, outputs: usize) -> Value {
        let View { positions, width } = x.view();
        let y = self.like("product", &x.shape.with_last(outputs));
        self.ops.push(Op::ProductInput {
            dy: x.buffer,
            w,
            dx: y.buffer,
            of: Factors {
                positions,
                inputs: outputs,
                outputs: width,
            },
        });
        y
    }

    /// x + bias on the last axis.
    pub fn bias(&mut self, x: &Value, bias: Buffer) -> Value {
        let y = self.like("biased", &x.shape);
        self.ops.push(Op::Bias {
            x: x.buffer,
            bias,
            y: y.buffer,
            view: x.view(),
        });
        y
    }

    /// f(x).
    pub fn activate(&mut self, x: &Value, rule: &Activation) -> Value {
        if *rule == Activation::Linear {
            return x.clone();
        }
        let y = self.like(rule.class(), &x.shape);
        self.ops.push(match rule.form() {
            Form::Element => Op::Activate {
                rule: rule.clone(),
                x: x.buffer,
                y: y.buffer,
                view: x.view(),
            },
            form @ (Form::Softmax | Form::LogSoftmax) => Op::Softmax {
                x: x.buffer,
                y: y.buffer,
                log: form == Form::LogSoftmax,
                view: x.view(),
            },
        });
        y
    }

    /// x with a share `rate` of it set to 0, where layers are noisy or if `always`.
    pub fn dropout(&mut self, x: &Value, rate: f64, always: bool) -> Value {
        let stream = self.stream();
        if !(self.noisy() || always) || rate == 0.0 {
            return x.clone();
        }
        let y = self.like("dropped", &x.shape);
        self.ops.push(Op::Dropout {
            x: x.buffer,
            y: y.buffer,
            rate: rate as f32,
            stream,
            view: x.view(),
        });
        y
    }

    /// x normalized by column: by the batch in training mode if `trainable`,
    /// else by the moving statistics.
    pub fn normalize(&mut self, x: &Value, of: Statistics, trainable: bool) -> Value {
        let view = x.view();
        let y = self.like("normalized", &x.shape);
        if self.training() && trainable {
            let mean = self.add("mean", Size::Fixed(view.width), Role::Temporary);
            let inverse = self.add(
                "inverse deviation",
                Size::Fixed(view.width),
                Role::Temporary,
            );
            self.ops.push(Op::Normalize {
                x: x.buffer,
                gamma: of.gamma,
                beta: of.beta,
                moving_mean: of.mean,
                moving_variance: of.variance,
                mean,
                inverse,
                y: y.buffer,
                momentum: of.momentum,
                epsilon: of.epsilon,
                view,
            });
        } else if self.mode == Mode::Train && trainable && (of.gamma.or(of.beta)).is_some() {
            // The moving statistics stay, γ and β are trained.
            let (gamma, beta) = (of.gamma, of.beta);
            let of = Statistics {
                gamma: None,
                beta: None,
                ..of
            };
            let y = self.normalize(x, of, trainable);
            let y = gamma.map_or(y.clone(), |gamma| self.scale(&y, gamma, false));
            return beta.map_or(y.clone(), |beta| self.bias(&y, beta));
        } else {
            self.ops.push(Op::Standardize {
                x: x.buffer,
                gamma: of.gamma,
                beta: of.beta,
                mean: of.mean,
                variance: of.variance,
                y: y.buffer,
                epsilon: of.epsilon,
                view,
            });
        }
        y
    }

    /// x · by on the last axis; if `negative_only`, x where it is above 0.
    pub fn scale(&mut self, x: &Value, by: Buffer, negative_only: bool) -> Value {
        let y = self.like("scaled", &x.shape);
        self.ops.push(Op::Scale {
            x: x.buffer,
            by,
            y: y.buffer,
            negative_only,
            view: x.view(),
        });
        y
    }

    /// Each matrix row with mean 0 and variance 1.
    pub fn standardize_rows(&mut self, x: &Value, epsilon: f64) -> Value {
        let view = x.view();
        let y = self.like("standardized", &x.shape);
        let size = Size::PerRow(view.positions);
        let inverse = self.add("inverse deviation", size, Role::Temporary);
        self.ops.push(Op::StandardizeRows {
            x: x.buffer,
            y: y.buffer,
            inverse,
            epsilon: epsilon as f32,
            view,
        });
        y
    }

    /// x under noise, where layers are noisy or if `always`; None elsewhere.
    pub fn noise(&mut self, x: &Value, rule: Noise, always: bool) -> Option<Value> {
        let stream = self.stream();
        if !(self.noisy() || always) {
            return None;
        }
        let y = self.like("noisy", &x.shape);
        self.ops.push(Op::Noise {
            rule,
            x: x.buffer,
            y: y.buffer,
            stream,
            view: x.view(),
        });
        Some(y)
    }

    /// Numbers that are the same in each step.
    pub fn constant(&mut self, name: &str, values: Vec<f32>) -> Buffer {
        let y = self.add(name, Size::Fixed(values.len()), Role::Temporary);
        self.ops.push(Op::Constant { y, values });
        y
    }

    /// x with its axes in another order: the n-th is then x's `order[n]`-th.
    pub fn permute(&mut self, x: &Value, order: &[usize]) -> Value {
        let dims = x.shape.dims();
        let shape = Shape::new(order.iter().map(|&axis| dims[axis]).collect::<Vec<_>>());
        let long = order.iter().filter(|&&axis| dims[axis] > 1);
        if long.is_sorted() {
            return self.reshape(x, shape);
        }
        let y = self.like("permuted", &shape);
        self.ops.push(Op::Permute {
            x: x.buffer,
            y: y.buffer,
            dims: dims.to_vec(),
            order: order.to_vec(),
            view: View {
                positions: 1,
                width: shape.size(),
            },
        });
        y
    }

    /// What `f` makes of x when x is a matrix whose columns run over `axes` and
    /// whose rows over all others; then back in x's own order. `axes` ascend.
    pub fn by_axes(
        &mut self,
        x: &Value,
        axes: &[usize],
        f: impl FnOnce(&mut Self, &Value) -> Value,
    ) -> Value {
        let dims = x.shape.dims();
        let others = (0..dims.len()).filter(|axis| !axes.contains(axis));
        let order: Vec<usize> = others.chain(axes.iter().copied()).collect();
        let width = axes.iter().map(|&axis| dims[axis]).product();
        let positions = x.shape.size() / usize::max(width, 1);
        let ordered = self.permute(x, &order);
        let matrix = self.reshape(&ordered, [positions, width].into());
        let y = f(self, &matrix);
        let y = self.reshape(&y, ordered.shape);
        let mut back = vec![0; order.len()];
        for (place, &axis) in order.iter().enumerate() {
            back[axis] = place;
        }
        self.permute(&y, &back)
    }

    /// The same numbers in another shape.
    pub fn reshape(&mut self, x: &Value, shape: Shape) -> Value {
        Value {
            buffer: x.buffer,
            shape,
        }
    }

    /// The penalty for a variable is added to the loss.
    pub fn penalize(&mut self, rule: &Regularizer, w: Buffer, columns: usize) {
        let size = self.buffers[w.index()].size;
        self.penalty(rule, w, size, columns);
    }

    /// The penalty for a layer's output, by row, is added to the loss.
    pub fn penalize_activity(&mut self, rule: &Regularizer, x: &Value) {
        let View { width, .. } = x.view();
        self.penalty(rule, x.buffer, Size::PerRow(x.shape.size()), width);
    }

    fn penalty(&mut self, rule: &Regularizer, x: Buffer, size: Size, columns: usize) {
        let penalty = self.temporary("penalty", Size::Fixed(1));
        self.penalties
            .push((penalty, matches!(size, Size::PerRow(_))));
        self.ops.push(Op::Penalty {
            rule: rule.clone(),
            x,
            penalty,
            size,
            columns,
        });
    }

    /// x where it can be read after the step: a feed is copied.
    pub fn result(&mut self, x: &Value) -> Value {
        if self.buffers[x.buffer.index()].role == Role::Temporary {
            return x.clone();
        }
        let y = self.like("copy", &x.shape);
        self.ops.push(Op::Activate {
            rule: Activation::Linear,
            x: x.buffer,
            y: y.buffer,
            view: x.view(),
        });
        y
    }

    /// A new temporary.
    pub(super) fn temporary(&mut self, name: &str, size: Size) -> Buffer {
        self.add(name, size, Role::Temporary)
    }

    /// A new temporary with a copy of another's size.
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

    fn add(&mut self, name: &str, size: Size, role: Role) -> Buffer {
        self.buffers.push(BufferInfo {
            name: name.to_owned(),
            size,
            role,
        });
        Buffer(self.buffers.len() as u32 - 1)
    }
}

impl Lowering {
    /// The finished plan: grouped, with memory for up to `rows` rows.
    pub fn finish(
        self,
        rows: usize,
        outputs: Vec<Value>,
        losses: Vec<(Buffer, usize)>,
    ) -> super::Plan {
        let mut plan = super::Plan {
            mode: self.mode,
            rows,
            buffers: self.buffers,
            ops: self.ops,
            phases: Vec::new(),
            places: Vec::new(),
            arena: 0,
            outputs: outputs.into_iter().map(|v| (v.buffer, v.shape)).collect(),
            losses,
            penalties: self.penalties,
            bfloat16: self.bfloat16,
        };
        let kept = plan.kept();
        let roots = super::memory::share(&plan.ops, &plan.buffers, &kept);
        let groups = super::fuse::groups(&plan.ops);
        plan.phases = super::fuse::phases(&plan.ops, groups, &roots);
        (plan.places, plan.arena) =
            super::memory::places(&plan.ops, &plan.buffers, &plan.phases, &roots, &kept, rows);
        debug_assert_eq!(super::verify::verify(&plan), Ok(()), "{plan}");
        plan
    }
}
