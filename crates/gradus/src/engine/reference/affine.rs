//! Bias and scale by column.

use super::{Compute, Run};
use crate::plan::ops::{Bias, BiasGradient, Scale, ScaleGradient};

impl Compute for Bias {
    fn compute(&self, run: &mut Run<'_>) {
        run.fill(self.y, |run, y| {
            let bias = run.get(self.bias);
            for (i, (y, x)) in y.iter_mut().zip(run.get(self.x)).enumerate() {
                *y = x + bias[i % self.view.width];
            }
        });
    }
}

impl Compute for BiasGradient {
    fn compute(&self, run: &mut Run<'_>) {
        let sums = run.column_sums(self.view, |run, i| run.get(self.dy)[i]);
        run.set(self.db, sums);
    }
}

impl Compute for Scale {
    fn compute(&self, run: &mut Run<'_>) {
        run.fill(self.y, |run, y| {
            let (x, by) = (run.get(self.x), run.get(self.by));
            for (i, (y, &x)) in y.iter_mut().zip(x).enumerate() {
                let kept = self.negative_only && x > 0.0;
                *y = if kept { x } else { x * by[i % self.view.width] };
            }
        });
    }
}

impl Compute for ScaleGradient {
    fn compute(&self, run: &mut Run<'_>) {
        let kept = |run: &Run<'_>, i: usize| self.negative_only && run.get(self.x)[i] > 0.0;
        let sums = run.column_sums(self.view, |run, i| match kept(run, i) {
            true => 0.0,
            false => run.get(self.dy)[i] * run.get(self.x)[i],
        });
        run.fill(self.dx, |run, dx| {
            for (i, dx) in dx.iter_mut().enumerate() {
                let derivative = match kept(run, i) {
                    true => 1.0,
                    false => run.get(self.by)[i % self.view.width],
                };
                *dx = run.get(self.dy)[i] * derivative;
            }
        });
        if let Some(dby) = self.dby {
            run.set(dby, sums);
        }
    }
}
