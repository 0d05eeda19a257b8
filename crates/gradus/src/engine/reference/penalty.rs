//! Regularizers' penalties and their derivatives.

use super::{Compute, Run};
use crate::plan::ops::{Penalty, PenaltyGradient};
use crate::plan::{Buffer, Size};
use crate::rules::regularizers::Regularizer;

impl Compute for Penalty {
    fn compute(&self, run: &mut Run<'_>) {
        let (sum, _) = penalty(run, &self.rule, self.x, self.columns);
        run.set(self.penalty, vec![sum as f32]);
    }
}

impl Compute for PenaltyGradient {
    fn compute(&self, run: &mut Run<'_>) {
        let (_, mut gradient) = penalty(run, &self.rule, self.x, self.columns);
        if let Size::PerRow(_) = self.size {
            let rows = run.rows as f32;
            gradient.iter_mut().for_each(|g| *g /= rows);
        }
        run.set(self.dx, gradient);
    }
}

/// A regularizer's penalty and its derivatives.
fn penalty(run: &Run<'_>, rule: &Regularizer, x: Buffer, columns: usize) -> (f64, Vec<f32>) {
    let x = run.get(x);
    let mut gradient = vec![0.0; x.len()];
    let shape = [x.len() / columns.max(1), columns];
    let sum = rule.penalty_and_gradient(&shape, x, &mut gradient);
    (sum, gradient)
}
