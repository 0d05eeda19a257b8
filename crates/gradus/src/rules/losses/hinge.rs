use super::{LossFormula, mean};
use crate::base::registry::Rule;

plain!(
    /// The mean over the last axis of max(1 - t y, 0), for targets t of -1 or 1; 0 counts as -1, so
    /// that targets of 0 and 1 work, too.
    Hinge
);
plain!(
    /// The mean over the last axis of max(1 - t y, 0)², for targets as
    /// [`Hinge`]'s.
    SquaredHinge
);
plain!(
    /// max(1 + highest - right, 0), right being Σ t y and highest the largest
    /// (1 - t) y, for one-hot targets t.
    CategoricalHinge
);

/// Keras turns a batch of zeros and ones into -1 and 1. A batch of -1 and 1 has no zero, so each
/// value can be converted by itself.
fn signed(t: f32) -> f32 {
    if t == 0.0 { -1.0 } else { t }
}

impl LossFormula for Hinge {
    fn of_classes(&self) -> bool {
        true
    }

    fn row(&self, target: &[f32], output: &[f32], gradient: &mut [f32]) -> f32 {
        mean(target, output, gradient, |t, y| {
            let t = signed(t);
            let lack = 1.0 - t * y;
            if lack > 0.0 { (lack, -t) } else { (0.0, 0.0) }
        })
    }
}

impl LossFormula for SquaredHinge {
    fn of_classes(&self) -> bool {
        true
    }

    fn row(&self, target: &[f32], output: &[f32], gradient: &mut [f32]) -> f32 {
        mean(target, output, gradient, |t, y| {
            let t = signed(t);
            let lack = (1.0 - t * y).max(0.0);
            (lack * lack, -2.0 * t * lack)
        })
    }
}

impl LossFormula for CategoricalHinge {
    fn of_classes(&self) -> bool {
        true
    }

    fn row(&self, target: &[f32], output: &[f32], gradient: &mut [f32]) -> f32 {
        let mut right = 0.0;
        let mut highest = (f32::NEG_INFINITY, 0);
        for (i, (&t, &y)) in target.iter().zip(output).enumerate() {
            right += t * y;
            let wrong = (1.0 - t) * y;
            if wrong > highest.0 {
                highest = (wrong, i);
            }
        }
        let loss = highest.0 - right + 1.0;
        if loss <= 0.0 {
            gradient.fill(0.0);
            return 0.0;
        }
        for (i, (g, &t)) in gradient.iter_mut().zip(target).enumerate() {
            *g = if i == highest.1 { 1.0 - 2.0 * t } else { -t };
        }
        // NaN outputs have no maximum, but must not go unnoticed.
        if right.is_nan() { f32::NAN } else { loss }
    }
}
