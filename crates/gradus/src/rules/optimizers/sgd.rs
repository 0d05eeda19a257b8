use super::parts::arguments;
use super::{Clock, Coefficients, OptimizerFormula, SLOTS};
use crate::base::lane::Lane;
use crate::base::registry::Rule;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// Gradient descent, with momentum m (Polyak 1964) if `momentum` μ is above 0:
///
/// m ← μ m - rate · g, and w ← w + m, or with `nesterov` (Nesterov 1983)
/// w ← w + μ m - rate · g.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct SGD {
    /// μ, from 0 up to 1. Default 0.
    pub momentum: f64,
    /// True for Nesterov momentum. Default no.
    pub nesterov: bool,
}

arguments! { SGD { momentum: f64, nesterov: bool } }

impl Rule for SGD {
    fn check(&self) -> Result<()> {
        if (0.0..=1.0).contains(&self.momentum) {
            Ok(())
        } else {
            Err(Error::invalid(
                "momentum",
                self.momentum,
                "a number from 0 to 1",
            ))
        }
    }
}

impl OptimizerFormula for SGD {
    const LEARNING_RATE: f64 = 0.01;
    const LARGE_RATE: Option<f64> = Some(1.0);

    fn slots(&self) -> &'static [&'static str] {
        if self.momentum > 0.0 {
            &["momentum"]
        } else {
            &[]
        }
    }

    fn gain(&self, momentum: Option<f64>) -> f64 {
        match self.momentum {
            0.0 => 1.0,
            own => 1.0 / (1.0 - momentum.unwrap_or(own)).max(f64::EPSILON),
        }
    }

    fn coefficients(&self, clock: Clock<'_>) -> Coefficients {
        let momentum = clock.momentum.unwrap_or(self.momentum as f32);
        [clock.learning_rate, momentum, 0.0, 0.0, 0.0, 0.0]
    }

    #[inline(always)]
    fn step<L: Lane>(&self, c: &Coefficients, w: L, g: L, slots: &mut [L; SLOTS]) -> L {
        let (rate, momentum) = (L::splat(c[0]), L::splat(c[1]));
        if self.momentum == 0.0 {
            return w - g * rate;
        }
        let m = slots[0] * momentum - g * rate;
        slots[0] = m;
        if self.nesterov {
            w + (m * momentum - g * rate)
        } else {
            w + m
        }
    }
}
