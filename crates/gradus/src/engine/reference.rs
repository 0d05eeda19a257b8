//! The engine that defines each operation: one number after the other, every
//! buffer by itself, in the order of the plan. The fast engines are tested
//! against it.

mod augment;

use super::{Engine, Fill, Session, Step};
use crate::base::random::{Key, Stream};
use crate::plan::op::{Clip, Factors, LARGEST_INVERSE};
use crate::plan::{Buffer, Op, Plan, Program, Role, Size, View};
use crate::rules::activations::{self, Activation};
use crate::rules::losses::Targets;
use crate::rules::optimizers::{self, SLOTS};
use crate::rules::regularizers::{Formula as _, Regularizer};

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
            Op::Augment { .. } | Op::AugmentGradient { .. } => self.augment(op),
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

    /// What makes one tensor of several, or takes it apart.
    fn merge(&mut self, op: &Op) {
        match op {
            Op::Combine { rule, a, b, y, .. } => self.fill(*y, |run, y| {
                for (i, y) in y.iter_mut().enumerate() {
                    *y = rule.value(run.get(*a)[i], run.get(*b)[i]);
                }
            }),
            Op::CombineGradient {
                rule,
                first,
                a,
                b,
                dy,
                dx,
                ..
            } => self.fill(*dx, |run, dx| {
                for (i, dx) in dx.iter_mut().enumerate() {
                    *dx = run.get(*dy)[i] * rule.slope(run.get(*a)[i], run.get(*b)[i], *first);
                }
            }),
            Op::Spread {
                x, y, from, inputs, ..
            } => self.fill(*y, |run, y| {
                for (i, y) in y.iter_mut().enumerate() {
                    let (row, place) = (i / from.len(), from[i % from.len()]);
                    *y = run.get(*x)[row * inputs + place as usize];
                }
            }),
            Op::SpreadGradient {
                dy,
                dx,
                from,
                inputs,
                ..
            } => self.fill(*dx, |run, dx| {
                dx.fill(0.0);
                for (i, dy) in run.get(*dy).iter().enumerate() {
                    let (row, place) = (i / from.len(), from[i % from.len()]);
                    dx[row * inputs + place as usize] += dy;
                }
            }),
            Op::Concatenate { parts, y, view } => self.fill(*y, |run, y| {
                for (row, y) in y.chunks_mut(view.width).enumerate() {
                    let mut start = 0;
                    for &(part, width) in parts {
                        let x = &run.get(part)[row * width..(row + 1) * width];
                        y[start..start + width].copy_from_slice(x);
                        start += width;
                    }
                }
            }),
            Op::Slice {
                x,
                y,
                width,
                start,
                view,
            } => self.fill(*y, |run, y| {
                for (row, y) in y.chunks_mut(view.width).enumerate() {
                    let from = row * width + start;
                    y.copy_from_slice(&run.get(*x)[from..from + view.width]);
                }
            }),
            Op::BatchProduct { a, b, y, of } => self.fill(*y, |run, y| {
                for (i, y) in y.iter_mut().enumerate() {
                    let (matrix, column) = (i / (of.rows * of.columns), i % of.columns);
                    let a = &run.get(*a)[i / of.columns * of.depth..];
                    let b = &run.get(*b)[matrix * of.depth * of.columns..];
                    *y = (0..of.depth)
                        .map(|k| a[k] * b[k * of.columns + column])
                        .sum();
                }
            }),
            Op::UnitRows {
                x,
                y,
                inverse,
                view,
            } => {
                let rows = self.get(*x).chunks(view.width);
                let norm = |x: &[f32]| x.iter().map(|x| x * x).sum::<f32>().sqrt();
                let inverses: Vec<f32> =
                    rows.map(|x| (1.0 / norm(x)).min(LARGEST_INVERSE)).collect();
                self.fill(*y, |run, y| {
                    for (i, y) in y.iter_mut().enumerate() {
                        *y = run.get(*x)[i] * inverses[i / view.width];
                    }
                });
                self.buffers[inverse.index()] = inverses;
            }
            Op::UnitRowsGradient {
                y,
                inverse,
                dy,
                dx,
                view,
            } => self.fill(*dx, |run, dx| {
                for (row, dx) in dx.chunks_mut(view.width).enumerate() {
                    let of = row * view.width..(row + 1) * view.width;
                    let (y, dy) = (&run.get(*y)[of.clone()], &run.get(*dy)[of]);
                    let inverse = run.get(*inverse)[row];
                    // A row that is multiplied by the most is not of length 1.
                    let dot: f32 = match inverse < LARGEST_INVERSE {
                        true => y.iter().zip(dy).map(|(y, dy)| y * dy).sum(),
                        false => 0.0,
                    };
                    for ((dx, y), dy) in dx.iter_mut().zip(y).zip(dy) {
                        *dx = (dy - y * dot) * inverse;
                    }
                }
            }),
            other => unreachable!("{other:?} merges nothing"),
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

    fn scale_gradient(&mut self, op: &Op) {
        let Op::ScaleGradient {
            x,
            by,
            dy,
            dx,
            dby,
            negative_only,
            view,
        } = op
        else {
            return;
        };
        let kept = |run: &Self, i: usize| *negative_only && run.get(*x)[i] > 0.0;
        let sums = self.column_sums(*view, |run, i| match kept(run, i) {
            true => 0.0,
            false => run.get(*dy)[i] * run.get(*x)[i],
        });
        self.fill(*dx, |run, dx| {
            for (i, dx) in dx.iter_mut().enumerate() {
                let slope = match kept(run, i) {
                    true => 1.0,
                    false => run.get(*by)[i % view.width],
                };
                *dx = run.get(*dy)[i] * slope;
            }
        });
        if let Some(dby) = dby {
            self.buffers[dby.index()] = sums;
        }
    }

    fn standardize_rows(&mut self, op: &Op) {
        let Op::StandardizeRows {
            x,
            y,
            inverse,
            epsilon,
            view,
        } = op
        else {
            return;
        };
        let n = view.width as f32;
        let mut inverses = Vec::new();
        self.fill(*y, |run, y| {
            let rows = run.get(*x).chunks(view.width);
            for (y, x) in y.chunks_mut(view.width).zip(rows) {
                let mean = x.iter().sum::<f32>() / n;
                let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / n;
                let inverse = 1.0 / (variance + epsilon).sqrt();
                for (y, x) in y.iter_mut().zip(x) {
                    *y = (x - mean) * inverse;
                }
                inverses.push(inverse);
            }
        });
        self.buffers[inverse.index()] = inverses;
    }

    fn normalize(&mut self, op: &Op) {
        let Op::Normalize {
            x,
            gamma,
            beta,
            moving_mean,
            moving_variance,
            mean,
            inverse,
            y,
            momentum,
            epsilon,
            view,
        } = op
        else {
            return;
        };
        let n = (self.rows * view.positions) as f32;
        let width = view.width;
        let means: Vec<f32> = self
            .column_sums(*view, |run, i| run.get(*x)[i])
            .iter()
            .map(|s| s / n)
            .collect();
        let variances: Vec<f32> = self
            .column_sums(*view, |run, i| (run.get(*x)[i] - means[i % width]).powi(2))
            .iter()
            .map(|s| s / n)
            .collect();
        for (moving, now) in [(moving_mean, &means), (moving_variance, &variances)] {
            for (m, v) in self.buffers[moving.index()].iter_mut().zip(now) {
                *m = *m * momentum + v * (1.0 - momentum);
            }
        }
        let inverses: Vec<f32> = variances
            .iter()
            .map(|v| 1.0 / (v + epsilon).sqrt())
            .collect();
        self.fill(*y, |run, y| {
            for (i, y) in y.iter_mut().enumerate() {
                let c = i % width;
                let gamma = gamma.map_or(1.0, |g| run.get(g)[c]);
                let beta = beta.map_or(0.0, |b| run.get(b)[c]);
                *y = (run.get(*x)[i] - means[c]) * (inverses[c] * gamma) + beta;
            }
        });
        self.buffers[mean.index()] = means;
        self.buffers[inverse.index()] = inverses;
    }

    fn normalize_gradient(&mut self, op: &Op) {
        let Op::NormalizeGradient {
            x,
            gamma,
            mean,
            inverse,
            dy,
            dx,
            dgamma,
            dbeta,
            view,
        } = op
        else {
            return;
        };
        let n = (self.rows * view.positions) as f32;
        let width = view.width;
        let hat = |run: &Self, i: usize| {
            (run.get(*x)[i] - run.get(*mean)[i % width]) * run.get(*inverse)[i % width]
        };
        let sum = self.column_sums(*view, |run, i| run.get(*dy)[i]);
        let sum_hat = self.column_sums(*view, |run, i| run.get(*dy)[i] * hat(run, i));
        self.fill(*dx, |run, dx| {
            for (i, dx) in dx.iter_mut().enumerate() {
                let c = i % width;
                let gamma = gamma.map_or(1.0, |g| run.get(g)[c]);
                let centered = run.get(*dy)[i] - (sum[c] + hat(run, i) * sum_hat[c]) / n;
                *dx = centered * (gamma * run.get(*inverse)[c]);
            }
        });
        for (gradient, values) in [(dgamma, sum_hat), (dbeta, sum)] {
            if let Some(gradient) = gradient {
                self.buffers[gradient.index()] = values;
            }
        }
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

    /// A regularizer's penalty and its derivatives.
    fn penalty(&self, rule: &Regularizer, x: Buffer, columns: usize) -> (f64, Vec<f32>) {
        let x = self.get(x);
        let mut gradient = vec![0.0; x.len()];
        let shape = [x.len() / columns.max(1), columns];
        let sum = rule.penalty_and_gradient(&shape, x, &mut gradient);
        (sum, gradient)
    }

    /// The mean gradient with those before it, or 0 in a step that only gathers.
    fn gather(&mut self, accumulator: Buffer, mut gradient: Vec<f32>) -> Vec<f32> {
        let Step {
            gathering,
            gathered,
            ..
        } = *self.step;
        let sums = &mut self.buffers[accumulator.index()];
        for (g, sum) in gradient.iter_mut().zip(sums) {
            let all = *g + *sum;
            (*g, *sum) = if gathering {
                (0.0, all)
            } else {
                (all / gathered, 0.0)
            };
        }
        gradient
    }

    fn update(&mut self, op: &Op) {
        struct Update<'a> {
            buffers: &'a mut [Vec<f32>],
            coefficients: &'a optimizers::Coefficients,
            w: Buffer,
            gradients: Vec<f32>,
            slots: &'a [Buffer],
            decay: f32,
            rate: f32,
            whole: Option<&'a [usize]>,
        }
        impl optimizers::Visit for Update<'_> {
            type Output = ();
            fn visit<R: optimizers::Formula>(self, rule: &R) {
                let c = &rule.at_rate(self.coefficients, self.rate);
                let buffers = self.buffers;
                if let Some(shape) = self.whole {
                    let mut w = std::mem::take(&mut buffers[self.w.index()]);
                    w.iter_mut().for_each(|w| *w -= *w * (self.decay * c[0]));
                    let mut slots: [Vec<f32>; SLOTS] = Default::default();
                    for (slot, buffer) in slots.iter_mut().zip(self.slots) {
                        *slot = std::mem::take(&mut buffers[buffer.index()]);
                    }
                    let whole = optimizers::Whole {
                        shape,
                        w: &mut w,
                        gradient: &self.gradients,
                        slots: slots.each_mut().map(Vec::as_mut_slice),
                        scratch: &mut vec![f32::NAN; rule.scratch(shape)],
                    };
                    rule.step_whole(c, whole);
                    for (slot, buffer) in slots.into_iter().zip(self.slots) {
                        buffers[buffer.index()] = slot;
                    }
                    buffers[self.w.index()] = w;
                    return;
                }
                for (i, g) in self.gradients.iter().enumerate() {
                    let mut slots = [0.0; SLOTS];
                    for (slot, buffer) in slots.iter_mut().zip(self.slots) {
                        *slot = buffers[buffer.index()][i];
                    }
                    let w = &mut buffers[self.w.index()][i];
                    *w = rule.step(c, *w - *w * (self.decay * c[0]), *g, &mut slots);
                    for (slot, buffer) in slots.iter().zip(self.slots) {
                        buffers[buffer.index()][i] = *slot;
                    }
                }
            }
        }
        let Op::Update {
            rule,
            w,
            gradient,
            slots,
            regularizer,
            accumulator,
            average,
            clip,
            decay,
            rate,
            whole,
            ..
        } = op
        else {
            return;
        };
        let mut gradient = self.get(*gradient).to_vec();
        if let Some(rule) = regularizer {
            for (g, &w) in gradient.iter_mut().zip(self.get(*w)) {
                *g += rule.slope(w);
            }
        }
        if let Some(accumulator) = accumulator {
            gradient = self.gather(*accumulator, gradient);
        }
        let (scale, bound) = match clip {
            Clip::None => (1.0, f32::INFINITY),
            Clip::Value(bound) => (1.0, *bound),
            Clip::Norm { norm, limit } => {
                let norm = self.get(*norm)[0].sqrt();
                (
                    if norm > *limit { limit / norm } else { 1.0 },
                    f32::INFINITY,
                )
            }
        };
        let clipped = |g: &f32| (g * scale).clamp(-bound, bound);
        let gradients = gradient.iter().map(clipped).collect();
        if !self.step.gathering {
            rule.visit(Update {
                buffers: &mut self.buffers,
                coefficients: &self.step.coefficients,
                w: *w,
                gradients,
                slots,
                decay: *decay,
                rate: *rate,
                whole: whole.as_deref(),
            });
        }
        if let Some(average) = average {
            let (m, overwrite) = (self.step.average_momentum, self.step.overwrite);
            let mut weights = std::mem::take(&mut self.buffers[w.index()]);
            let averages = &mut self.buffers[average.index()];
            for (average, w) in averages.iter_mut().zip(&mut weights) {
                *average = m * *average + (1.0 - m) * *w;
                if overwrite {
                    *w = *average;
                }
            }
            self.buffers[w.index()] = weights;
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
