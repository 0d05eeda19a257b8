use super::parts::{arguments, check_positive, check_rate};
use super::{Clock, Coefficients, OptimizerFormula, SLOTS};
use crate::base::lane::Lane;
use crate::base::registry::Rule;
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// Steps in units of the recent gradients' root mean square (Tieleman & Hinton
/// 2012):
///
/// v ← ρ v + (1 - ρ) g², d = v + ε, or with `centered` a ← ρ a + (1 - ρ) g and
/// d = v - a² + ε; then w ← w - rate · g / √d, or with `momentum` μ above 0
/// m ← μ m + rate · g / √d and w ← w - m.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct RMSprop {
    /// ρ, the decay of the mean squared gradient. Default 0.9.
    pub rho: f64,
    /// μ, from 0 up to 1. Default 0.
    pub momentum: f64,
    /// ε, under the root. Default 1e-7.
    pub epsilon: f64,
    /// True to use the gradient's variance instead of its mean square. Default no.
    pub centered: bool,
}

arguments! { RMSprop { rho: f64, momentum: f64, epsilon: f64, centered: bool } }

impl Default for RMSprop {
    fn default() -> Self {
        RMSprop {
            rho: 0.9,
            momentum: 0.0,
            epsilon: 1e-7,
            centered: false,
        }
    }
}

impl Rule for RMSprop {
    fn check(&self) -> Result<()> {
        check_rate("rho", self.rho)?;
        check_rate("momentum", self.momentum)?;
        check_positive("epsilon", self.epsilon)
    }
}

impl OptimizerFormula for RMSprop {
    const LARGE_RATE: Option<f64> = Some(0.03);

    fn slots(&self) -> &'static [&'static str] {
        match (self.momentum > 0.0, self.centered) {
            (false, false) => &["velocity"],
            (true, false) => &["velocity", "momentum"],
            (false, true) => &["velocity", "average_gradient"],
            (true, true) => &["velocity", "momentum", "average_gradient"],
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
        [
            clock.learning_rate,
            self.rho as f32,
            (1.0 - self.rho) as f32,
            momentum,
            self.epsilon as f32,
            0.0,
        ]
    }

    #[inline(always)]
    fn step<L: Lane>(&self, c: &Coefficients, w: L, g: L, slots: &mut [L; SLOTS]) -> L {
        let [rate, rho, rest, momentum, epsilon, _] = c.map(L::splat);
        let v = slots[0] * rho + g * g * rest;
        slots[0] = v;
        let mut d = v;
        if self.centered {
            let place = if self.momentum > 0.0 { 2 } else { 1 };
            let a = slots[place] * rho + g * rest;
            slots[place] = a;
            // Rounding must not make a variance negative.
            d = (v - a * a).max(L::zero());
        }
        let change = g * rate / (d + epsilon).sqrt();
        if self.momentum > 0.0 {
            let m = slots[1].mul_add(momentum, change);
            slots[1] = m;
            w - m
        } else {
            w - change
        }
    }
}
