use super::parts::{arguments, check_positive, check_rate, correction};
use super::{Clock, Coefficients, OptimizerFormula, SLOTS};
use crate::base::lane::Lane;
use crate::base::registry::Rule;
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// Adam with the largest gradient instead of the mean square (Kingma & Ba 2015):
///
/// m ← m + (1 - β₁)(g - m), u ← max(β₂ u, |g|),
/// w ← w - rate · m / ((1 - β₁ᵗ)(u + ε)).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Adamax {
    /// β₁, the decay of the mean gradient. Default 0.9.
    pub beta_1: f64,
    /// β₂, the decay of the largest gradient. Default 0.999.
    pub beta_2: f64,
    /// ε. Default 1e-7.
    pub epsilon: f64,
}

arguments! { Adamax { beta_1: f64, beta_2: f64, epsilon: f64 } }

impl Default for Adamax {
    fn default() -> Self {
        Adamax {
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-7,
        }
    }
}

impl Rule for Adamax {
    fn check(&self) -> Result<()> {
        check_rate("beta_1", self.beta_1)?;
        check_rate("beta_2", self.beta_2)?;
        check_positive("epsilon", self.epsilon)
    }
}

impl OptimizerFormula for Adamax {
    const LARGE_RATE: Option<f64> = Some(0.1);

    fn slots(&self) -> &'static [&'static str] {
        &["momentum", "norm"]
    }

    fn coefficients(&self, clock: Clock<'_>) -> Coefficients {
        let beta_1 = clock.momentum.map_or(self.beta_1, f64::from);
        [
            clock.learning_rate,
            (1.0 - beta_1) as f32,
            self.beta_2 as f32,
            correction(beta_1, clock.iteration + 1),
            self.epsilon as f32,
            0.0,
        ]
    }

    #[inline(always)]
    fn step<L: Lane>(&self, c: &Coefficients, w: L, g: L, slots: &mut [L; SLOTS]) -> L {
        let [rate, rest_1, beta_2, correction, epsilon, _] = c.map(L::splat);
        let m = (g - slots[0]).mul_add(rest_1, slots[0]);
        let u = (slots[1] * beta_2).max(g.abs());
        slots[0] = m;
        slots[1] = u;
        w - m * rate / ((u + epsilon) * correction)
    }
}
