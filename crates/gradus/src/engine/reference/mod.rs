//! The engine that defines each operation: one number after the other, every
//! buffer by itself, in the order of the plan. The fast engines are tested
//! against it.

mod augment;
mod indices;
mod merge;
mod normalize;
mod update;

use super::{Engine, Fill, Session, Step};
use crate::base::math::bfloat16;
use crate::base::random::{Key, Stream};
use crate::plan::op::Factors;
use crate::plan::{Buffer, Op, Plan, Program, Role, Size, View};
use crate::rules::activations::{self, Activation};
use crate::rules::losses::Targets;

/// Slow, safe and scalar.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reference;

impl Engine for Reference {
    fn session(&self, program: Program) -> Box<dyn Session> {
        Box::new(ReferenceSession {
            variables: program
                .variables
                .iter()
                .map(|v| vec![0.0; v.size])
                .collect(),
            results: vec![Vec::new(); program.plans.len()],
            plans: program.plans,
        })
    }
}

struct ReferenceSession {
    plans: Vec<Plan>,
    variables: Vec<Vec<f32>>,
    results: Vec<Vec<Vec<f32>>>,
}

impl Session for ReferenceSession {
    fn write(&mut self, variable: Buffer, values: &[f32]) {
        self.variables[variable.index()].copy_from_slice(values);
    }

    fn read(&self, variable: Buffer, values: &mut [f32]) {
        values.copy_from_slice(&self.variables[variable.index()]);
    }

    fn run(&mut self, plan: usize, rows: usize, feeds: &mut [Vec<f32>], fill: &Fill, step: &Step) {
        for info in &self.plans[plan].buffers {
            if let Role::Feed(n) = info.role {
                fill(n, 0..rows, &mut feeds[n][..info.size.of(rows)]);
            }
        }
        let mut run = Run {
            buffers: Vec::new(),
            rows,
            step,
        };
        let plan_ = &self.plans[plan];
        for (i, info) in plan_.buffers.iter().enumerate() {
            run.buffers.push(match info.role {
                Role::Variable => std::mem::take(&mut self.variables[i]),
                Role::Feed(n) => feeds[n][..info.size.of(rows)].to_vec(),
                Role::Temporary => vec![f32::NAN; info.size.of(rows)],
            });
        }
        for op in &plan_.ops {
            run.op(op);
        }
        for (i, variable) in self.variables.iter_mut().enumerate() {
            *variable = std::mem::take(&mut run.buffers[i]);
        }
        self.results[plan] = run.buffers;
    }

    fn twin(&self) -> Box<dyn Session> {
        Box::new(ReferenceSession {
            plans: self.plans.clone(),
            variables: self.variables.clone(),
            results: vec![Vec::new(); self.plans.len()],
        })
    }

    fn fetch(&self, plan: usize, result: Buffer, values: &mut [f32]) {
        let n = values.len();
        values.copy_from_slice(&self.results[plan][result.index()][..n]);
    }
}

struct Run<'a> {
    buffers: Vec<Vec<f32>>,
    rows: usize,
    step: &'a Step,
}

impl Run<'_> {
    fn get(&self, buffer: Buffer) -> &[f32] {
        &self.buffers[buffer.index()]
    }

    /// Fills a buffer by what `f` makes of the others.
    fn fill(&mut self, buffer: Buffer, f: impl FnOnce(&Self, &mut [f32])) {
        let mut values = std::mem::take(&mut self.buffers[buffer.index()]);
        f(self, &mut values);
        self.buffers[buffer.index()] = values;
    }

    fn op(&mut self, op: &Op) {
        match op {
            Op::Product { x, w, y, of } => self.product(*x, *w, *y, *of),
            Op::ProductInput { dy, w, dx, of } => self.product_input(*dy, *w, *dx, *of),
            Op::ProductWeight { x, dy, dw, of } => self.product_weight(*x, *dy, *dw, *of),
            Op::NormalizedWeight { .. } => self.normalized_weight(op),
            Op::NormalizedScale { .. } => self.normalized_scale(op),
            Op::Bias { x, bias, y, view } => self.fill(*y, |run, y| {
                let bias = run.get(*bias);
                for (i, (y, x)) in y.iter_mut().zip(run.get(*x)).enumerate() {
                    *y = x + bias[i % view.width];
                }
            }),
            Op::BiasGradient { dy, db, view } => {
                let sums = self.column_sums(*view, |run, i| run.get(*dy)[i]);
                self.buffers[db.index()] = sums;
            }
            Op::Activate { rule, x, y, .. } => self.activate(rule, *x, *y),
            Op::ActivateGradient {
                rule, x, y, dy, dx, ..
            } => {
                self.activate_gradient(rule, *x, *y, *dy, *dx);
            }
            Op::Softmax { x, y, log, view } => self.softmax(*x, *y, *log, *view),
            Op::SoftmaxGradient {
                y,
                dy,
                dx,
                log,
                view,
            } => self.fill(*dx, |run, dx| {
                let rows = run
                    .get(*y)
                    .chunks(view.width)
                    .zip(run.get(*dy).chunks(view.width));
                for (dx, (y, dy)) in dx.chunks_mut(view.width).zip(rows) {
                    if *log {
                        let sum: f32 = dy.iter().sum();
                        for ((dx, y), dy) in dx.iter_mut().zip(y).zip(dy) {
                            *dx = dy - y.exp() * sum;
                        }
                        continue;
                    }
                    let dot: f32 = y.iter().zip(dy).map(|(y, dy)| y * dy).sum();
                    for ((dx, y), dy) in dx.iter_mut().zip(y).zip(dy) {
                        *dx = y * (dy - dot);
                    }
                }
            }),
            Op::Dropout {
                x, y, rate, stream, ..
            } => self.fill(*y, |run, y| {
                let key = Key::new(run.step.seed, Stream::Layer(*stream), run.step.iteration);
                let scale = 1.0 / (1.0 - rate);
                for (i, (y, x)) in y.iter_mut().zip(run.get(*x)).enumerate() {
                    let keep = key.uniform::<f32>(i as u32) >= *rate;
                    *y = if keep { x * scale } else { 0.0 };
                }
            }),
            Op::Normalize { .. } => self.normalize(op),
            Op::NormalizeGradient { .. } => self.normalize_gradient(op),
            Op::Standardize {
                x,
                gamma,
                beta,
                mean,
                variance,
                y,
                epsilon,
                view,
            } => {
                self.fill(*y, |run, y| {
                    for (i, y) in y.iter_mut().enumerate() {
                        let c = i % view.width;
                        let inverse = 1.0 / (run.get(*variance)[c] + epsilon).sqrt();
                        let gamma = gamma.map_or(1.0, |g| run.get(g)[c]);
                        let beta = beta.map_or(0.0, |b| run.get(b)[c]);
                        *y = (run.get(*x)[i] - run.get(*mean)[c]) * (inverse * gamma) + beta;
                    }
                });
            }
            Op::StandardizeGradient {
                gamma,
                variance,
                dy,
                dx,
                epsilon,
                view,
            } => {
                self.fill(*dx, |run, dx| {
                    for (i, dx) in dx.iter_mut().enumerate() {
                        let c = i % view.width;
                        let inverse = 1.0 / (run.get(*variance)[c] + epsilon).sqrt();
                        let gamma = gamma.map_or(1.0, |g| run.get(g)[c]);
                        *dx = run.get(*dy)[i] * (inverse * gamma);
                    }
                });
            }
            Op::Scale {
                x,
                by,
                y,
                negative_only,
                view,
            } => self.fill(*y, |run, y| {
                let (x, by) = (run.get(*x), run.get(*by));
                for (i, (y, &x)) in y.iter_mut().zip(x).enumerate() {
                    let kept = *negative_only && x > 0.0;
                    *y = if kept { x } else { x * by[i % view.width] };
                }
            }),
            Op::ScaleGradient { .. } => self.scale_gradient(op),
            Op::StandardizeRows { .. } => self.standardize_rows(op),
            Op::StandardizeRowsGradient {
                y,
                inverse,
                dy,
                dx,
                view,
            } => self.fill(*dx, |run, dx| {
                let n = view.width as f32;
                for (row, dx) in dx.chunks_mut(view.width).enumerate() {
                    let of = row * view.width..(row + 1) * view.width;
                    let (y, dy) = (&run.get(*y)[of.clone()], &run.get(*dy)[of]);
                    let sum: f32 = dy.iter().sum();
                    let dot: f32 = y.iter().zip(dy).map(|(y, dy)| y * dy).sum();
                    for ((dx, y), dy) in dx.iter_mut().zip(y).zip(dy) {
                        *dx = (dy - (sum + y * dot) / n) * run.get(*inverse)[row];
                    }
                }
            }),
            Op::Noise {
                rule, x, y, stream, ..
            } => self.fill(*y, |run, y| {
                let key = Key::new(run.step.seed, Stream::Layer(*stream), run.step.iteration);
                for (i, (y, x)) in y.iter_mut().zip(run.get(*x)).enumerate() {
                    *y = rule.value(key, i as u32, *x);
                }
            }),
            Op::NoiseGradient {
                rule,
                y,
                dy,
                dx,
                stream,
                ..
            } => self.fill(*dx, |run, dx| {
                let key = Key::new(run.step.seed, Stream::Layer(*stream), run.step.iteration);
                for (i, dx) in dx.iter_mut().enumerate() {
                    *dx = run.get(*dy)[i] * rule.slope(key, i as u32, run.get(*y)[i]);
                }
            }),
            Op::Permute {
                x,
                y,
                dims,
                order,
                view,
            } => self.fill(*y, |run, y| {
                let from = permuted(dims, order);
                let x = run.get(*x);
                for (i, y) in y.iter_mut().enumerate() {
                    *y = x[i / view.width * view.width + from[i % view.width]];
                }
            }),
            Op::Augment { .. }
            | Op::AugmentGradient { .. }
            | Op::Resize { .. }
            | Op::ResizeGradient { .. } => self.augment(op),
            Op::Constant { y, values } => self.buffers[y.index()] = values.clone(),
            Op::Sum { a, b, y, .. } | Op::SumGradients { a, b, y, .. } => {
                self.fill(*y, |run, y| {
                    for ((y, a), b) in y.iter_mut().zip(run.get(*a)).zip(run.get(*b)) {
                        *y = a + b;
                    }
                });
            }
            Op::Combine { .. }
            | Op::CombineGradient { .. }
            | Op::Spread { .. }
            | Op::SpreadGradient { .. }
            | Op::Concatenate { .. }
            | Op::Slice { .. }
            | Op::BatchProduct { .. }
            | Op::UnitRows { .. }
            | Op::UnitRowsGradient { .. } => self.merge(op),
            Op::Map { .. }
            | Op::FiniteGradient { .. }
            | Op::Encode { .. }
            | Op::Embed { .. }
            | Op::EmbedGradient { .. } => self.indices(op),
            Op::Loss { .. } => self.loss(op),
            Op::SquaredNorm { gradients, norm } => {
                let all = gradients.iter().flat_map(|&(g, _)| self.get(g));
                let sum: f64 = all.map(|&x| f64::from(x) * f64::from(x)).sum();
                self.buffers[norm.index()] = vec![sum as f32];
            }
            Op::Penalty {
                rule,
                x,
                penalty,
                columns,
                ..
            } => {
                let (sum, _) = self.penalty(rule, *x, *columns);
                self.buffers[penalty.index()] = vec![sum as f32];
            }
            Op::Round { x, y, .. } => {
                let rounded = self.get(*x).iter().map(|&x| bfloat16(x)).collect();
                self.buffers[y.index()] = rounded;
            }
            Op::PenaltyGradient {
                rule,
                x,
                dx,
                size,
                columns,
            } => {
                let (_, mut gradient) = self.penalty(rule, *x, *columns);
                if let Size::PerRow(_) = size {
                    let rows = self.rows as f32;
                    gradient.iter_mut().for_each(|g| *g /= rows);
                }
                self.buffers[dx.index()] = gradient;
            }
            Op::Accumulate {
                gradient,
                accumulator,
                y,
                ..
            } => {
                let gradient = self.get(*gradient).to_vec();
                let gathered = self.gather(*accumulator, gradient);
                self.buffers[y.index()] = gathered;
            }
            Op::Update { .. } => self.update(op),
            Op::Constrain { rule, w, shape, .. } => self.fill(*w, |_, w| rule.apply(shape, w)),
        }
    }

    fn product(&mut self, x: Buffer, w: Buffer, y: Buffer, of: Factors) {
        self.fill(y, |run, y| {
            let (x, w) = (run.get(x), run.get(w));
            for (i, y) in y.iter_mut().enumerate() {
                let (row, column) = (i / of.outputs, i % of.outputs);
                *y = (0..of.inputs)
                    .map(|k| x[row * of.inputs + k] * w[k * of.outputs + column])
                    .sum();
            }
        });
    }

    fn product_input(&mut self, dy: Buffer, w: Buffer, dx: Buffer, of: Factors) {
        self.fill(dx, |run, dx| {
            let (dy, w) = (run.get(dy), run.get(w));
            for (i, dx) in dx.iter_mut().enumerate() {
                let (row, k) = (i / of.inputs, i % of.inputs);
                *dx = (0..of.outputs)
                    .map(|n| dy[row * of.outputs + n] * w[k * of.outputs + n])
                    .sum();
            }
        });
    }

    fn product_weight(&mut self, x: Buffer, dy: Buffer, dw: Buffer, of: Factors) {
        let rows = self.rows * of.positions;
        self.fill(dw, |run, dw| {
            let (x, dy) = (run.get(x), run.get(dy));
            for (i, dw) in dw.iter_mut().enumerate() {
                let (k, n) = (i / of.outputs, i % of.outputs);
                *dw = (0..rows)
                    .map(|row| x[row * of.inputs + k] * dy[row * of.outputs + n])
                    .sum();
            }
        });
    }

    fn activate(&mut self, rule: &Activation, x: Buffer, y: Buffer) {
        struct Value<'a>(&'a [f32], &'a mut [f32]);
        impl activations::Visit for Value<'_> {
            type Output = ();
            fn visit<R: activations::Formula>(self, rule: &R) {
                for (y, x) in self.1.iter_mut().zip(self.0) {
                    *y = rule.value(*x);
                }
            }
        }
        self.fill(y, |run, y| rule.visit(Value(run.get(x), y)));
    }

    fn activate_gradient(
        &mut self,
        rule: &Activation,
        x: Option<Buffer>,
        y: Buffer,
        dy: Buffer,
        dx: Buffer,
    ) {
        struct Slope<'a>(&'a [f32], &'a [f32], &'a [f32], &'a mut [f32]);
        impl activations::Visit for Slope<'_> {
            type Output = ();
            fn visit<R: activations::Formula>(self, rule: &R) {
                let Slope(x, y, dy, dx) = self;
                for (i, dx) in dx.iter_mut().enumerate() {
                    *dx = dy[i] * rule.slope(x[i], y[i]);
                }
            }
        }
        self.fill(dx, |run, dx| {
            let y_values = run.get(y);
            // A slope that does not use x is given y in its place.
            let x = x.map_or(y_values, |x| run.get(x));
            rule.visit(Slope(x, y_values, run.get(dy), dx));
        });
    }

    fn softmax(&mut self, x: Buffer, y: Buffer, log: bool, view: View) {
        self.fill(y, |run, y| {
            for (y, x) in y.chunks_mut(view.width).zip(run.get(x).chunks(view.width)) {
                let highest = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let mut sum = 0.0;
                for (y, x) in y.iter_mut().zip(x) {
                    *y = (x - highest).exp();
                    sum += *y;
                }
                if log {
                    let sum = sum.ln();
                    for (y, x) in y.iter_mut().zip(x) {
                        *y = x - highest - sum;
                    }
                } else {
                    y.iter_mut().for_each(|y| *y /= sum);
                }
            }
        });
    }

    /// Σ over matrix rows of f(number's place), by column.
    fn column_sums(&self, view: View, f: impl Fn(&Self, usize) -> f32) -> Vec<f32> {
        let rows = self.rows * view.positions;
        (0..view.width)
            .map(|c| (0..rows).map(|r| f(self, r * view.width + c)).sum())
            .collect()
    }

    fn loss(&mut self, op: &Op) {
        let Op::Loss {
            rule,
            x,
            target,
            weight,
            losses,
            gradient,
            share,
            view,
        } = op
        else {
            return;
        };
        let positions = self.rows * view.positions;
        let mut values = vec![0.0; positions];
        let mut slopes = vec![0.0; positions * view.width];
        let target_width = match rule.targets() {
            Targets::ClassNumbers => 1,
            Targets::LikeOutputs => view.width,
        };
        let targets = &self.get(*target)[..positions * target_width];
        rule.rows(view.width, targets, self.get(*x), &mut values, &mut slopes);
        let weights = weight.map(|w| &self.get(w)[..self.rows]);
        let scale = rule.scale(positions, targets, weights);
        for (p, value) in values.iter_mut().enumerate() {
            let weight = weights.map_or(1.0, |w| w[p / view.positions]) * scale;
            *value *= weight;
            let share = share * weight / positions as f32;
            for slope in &mut slopes[p * view.width..(p + 1) * view.width] {
                *slope *= share;
            }
        }
        self.buffers[losses.index()] = values;
        if let Some(gradient) = gradient {
            self.buffers[gradient.index()] = slopes;
        }
    }
}

/// Where each number of a permuted row comes from: `dims` are the original's,
/// the new n-th axis is its `order[n]`-th.
fn permuted(dims: &[usize], order: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; dims.len()];
    for axis in (1..dims.len()).rev() {
        strides[axis - 1] = strides[axis] * dims[axis];
    }
    order.iter().fold(vec![0], |starts, &axis| {
        let stride = strides[axis];
        let next = |start: usize| (0..dims[axis]).map(move |i| start + i * stride);
        starts.into_iter().flat_map(next).collect()
    })
}
