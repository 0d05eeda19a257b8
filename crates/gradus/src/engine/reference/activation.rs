//! Activations: element by element, and softmax by row.

use super::{Compute, Run};
use crate::plan::ops::{Activate, ActivateGradient, Softmax, SoftmaxGradient};
use crate::rules::activations::{ActivationFormula, Visit};

impl Compute for Activate {
    fn compute(&self, run: &mut Run<'_>) {
        struct Value<'a>(&'a [f32], &'a mut [f32]);
        impl Visit for Value<'_> {
            type Output = ();
            fn visit<R: ActivationFormula>(self, rule: &R) {
                for (y, x) in self.1.iter_mut().zip(self.0) {
                    *y = rule.value(*x);
                }
            }
        }
        run.fill(self.y, |run, y| self.rule.visit(Value(run.get(self.x), y)));
    }
}

impl Compute for ActivateGradient {
    fn compute(&self, run: &mut Run<'_>) {
        struct Derivative<'a>(&'a [f32], &'a [f32], &'a [f32], &'a mut [f32]);
        impl Visit for Derivative<'_> {
            type Output = ();
            fn visit<R: ActivationFormula>(self, rule: &R) {
                let Derivative(x, y, dy, dx) = self;
                for (i, dx) in dx.iter_mut().enumerate() {
                    *dx = dy[i] * rule.derivative(x[i], y[i]);
                }
            }
        }
        run.fill(self.dx, |run, dx| {
            let y = run.get(self.y);
            // A derivative that does not use x is given y in its place.
            let x = self.x.map_or(y, |x| run.get(x));
            self.rule.visit(Derivative(x, y, run.get(self.dy), dx));
        });
    }
}

impl Compute for Softmax {
    fn compute(&self, run: &mut Run<'_>) {
        let width = self.view.width;
        run.fill(self.y, |run, y| {
            for (y, x) in y.chunks_mut(width).zip(run.get(self.x).chunks(width)) {
                let highest = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let mut sum = 0.0;
                for (y, x) in y.iter_mut().zip(x) {
                    *y = (x - highest).exp();
                    sum += *y;
                }
                if self.log {
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
}

impl Compute for SoftmaxGradient {
    fn compute(&self, run: &mut Run<'_>) {
        let width = self.view.width;
        run.fill(self.dx, |run, dx| {
            let rows = run
                .get(self.y)
                .chunks(width)
                .zip(run.get(self.dy).chunks(width));
            for (dx, (y, dy)) in dx.chunks_mut(width).zip(rows) {
                if self.log {
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
        });
    }
}
