use super::{LossFormula, check_above, mean};
use crate::base::registry::Rule;
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// Keras' epsilon of denominators and logarithms.
const EPSILON: f32 = 1e-7;

plain!(
    /// The mean over the last axis of (output - target)².
    MeanSquaredError
);
plain!(
    /// The mean over the last axis of |output - target|.
    MeanAbsoluteError
);
plain!(
    /// 100 times the mean over the last axis of |output - target| / |target|,
    /// |target| being at least 1e-7.
    MeanAbsolutePercentageError
);
plain!(
    /// The mean over the last axis of (ln(1 + output) - ln(1 + target))², both clipped to at least
    /// 1e-7.
    MeanSquaredLogarithmicError
);
plain!(
    /// The mean over the last axis of ln cosh(output - target): half the square
    /// of small errors, the absolute value of large ones.
    LogCosh
);
plain!(
    /// The mean over the last axis of output - target · ln(output + 1e-7): for
    /// counts, minus the likelihood of Poisson's distribution.
    Poisson
);

/// The mean over the last axis of e² / 2 where |e| ≤ δ, else δ |e| - δ² / 2,
/// with e = output - target (Huber 1964).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Huber {
    /// δ: beyond it, errors count by their absolute value. Default 1.
    pub delta: f64,
}

impl Huber {
    pub(in crate::rules) const DEFAULT: Self = Huber { delta: 1.0 };
}

impl Default for Huber {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Rule for Huber {
    fn check(&self) -> Result<()> {
        check_above("delta", self.delta)
    }
}

/// 1, -1, or 0 at 0: the derivative of |e|.
fn sign(e: f32) -> f32 {
    if e == 0.0 { 0.0 } else { e.signum() }
}

impl LossFormula for MeanSquaredError {
    fn row(&self, target: &[f32], output: &[f32], gradient: &mut [f32]) -> f32 {
        mean(target, output, gradient, |t, y| {
            let e = y - t;
            (e * e, 2.0 * e)
        })
    }
}

impl LossFormula for MeanAbsoluteError {
    fn row(&self, target: &[f32], output: &[f32], gradient: &mut [f32]) -> f32 {
        mean(target, output, gradient, |t, y| {
            let e = y - t;
            (e.abs(), sign(e))
        })
    }
}

impl LossFormula for MeanAbsolutePercentageError {
    fn row(&self, target: &[f32], output: &[f32], gradient: &mut [f32]) -> f32 {
        let share = mean(target, output, gradient, |t, y| {
            let (e, size) = (y - t, t.abs().max(EPSILON));
            (e.abs() / size, 100.0 * sign(e) / size)
        });
        100.0 * share
    }
}

impl LossFormula for MeanSquaredLogarithmicError {
    fn row(&self, target: &[f32], output: &[f32], gradient: &mut [f32]) -> f32 {
        mean(target, output, gradient, |t, y| {
            let e = y.max(EPSILON).ln_1p() - t.max(EPSILON).ln_1p();
            let slope = if y > EPSILON {
                2.0 * e / (1.0 + y)
            } else {
                0.0
            };
            (e * e, slope)
        })
    }
}

impl LossFormula for LogCosh {
    fn row(&self, target: &[f32], output: &[f32], gradient: &mut [f32]) -> f32 {
        mean(target, output, gradient, |t, y| {
            let e = y - t;
            // |e| + ln((1 + e^-2|e|) / 2): nothing overflows. Near 0, where
            // that cancels, e² / 2 - e⁴ / 12.
            let value = if e.abs() < 0.05 {
                let square = e * e;
                square * (0.5 - square / 12.0)
            } else {
                e.abs() + (-2.0 * e.abs()).exp().ln_1p() - std::f32::consts::LN_2
            };
            (value, e.tanh())
        })
    }
}

impl LossFormula for Poisson {
    fn row(&self, target: &[f32], output: &[f32], gradient: &mut [f32]) -> f32 {
        mean(target, output, gradient, |t, y| {
            (y - t * (y + EPSILON).ln(), 1.0 - t / (y + EPSILON))
        })
    }
}

impl LossFormula for Huber {
    fn row(&self, target: &[f32], output: &[f32], gradient: &mut [f32]) -> f32 {
        let delta = self.delta as f32;
        mean(target, output, gradient, |t, y| {
            let e = y - t;
            if e.abs() <= delta {
                (0.5 * e * e, e)
            } else {
                (delta * e.abs() - 0.5 * delta * delta, delta * sign(e))
            }
        })
    }
}
