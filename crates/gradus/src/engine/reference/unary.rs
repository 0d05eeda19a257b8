//! Functions of single elements, and rounding.

use super::{Compute, Run};
use crate::base::math::bfloat16;
use crate::plan::ops::{Cast, FiniteGradient, Unary};

impl Compute for Unary {
    fn compute(&self, run: &mut Run<'_>) {
        run.fill(self.y, |run, y| self.rule.apply(run.get(self.x), y));
    }
}

impl Compute for FiniteGradient {
    fn compute(&self, run: &mut Run<'_>) {
        run.fill(self.dx, |run, dx| {
            for (i, dx) in dx.iter_mut().enumerate() {
                let finite = run.get(self.x)[i].is_finite();
                *dx = if finite { run.get(self.dy)[i] } else { 0.0 };
            }
        });
    }
}

impl Compute for Cast {
    fn compute(&self, run: &mut Run<'_>) {
        let rounded = run.get(self.x).iter().map(|&x| bfloat16(x)).collect();
        run.set(self.y, rounded);
    }
}
