//! Two tensors of one shape become one.

use super::{Compute, Run};
use crate::plan::ops::{Binary, BinaryGradient, Sum};

impl Compute for Sum {
    fn compute(&self, run: &mut Run<'_>) {
        run.sum(self.a, self.b, self.y);
    }
}

impl Compute for Binary {
    fn compute(&self, run: &mut Run<'_>) {
        run.fill(self.y, |run, y| {
            for (i, y) in y.iter_mut().enumerate() {
                *y = self.rule.value(run.get(self.a)[i], run.get(self.b)[i]);
            }
        });
    }
}

impl Compute for BinaryGradient {
    fn compute(&self, run: &mut Run<'_>) {
        run.fill(self.dx, |run, dx| {
            for (i, dx) in dx.iter_mut().enumerate() {
                let (a, b) = (run.get(self.a)[i], run.get(self.b)[i]);
                *dx = run.get(self.dy)[i] * self.rule.derivative(a, b, self.first);
            }
        });
    }
}
