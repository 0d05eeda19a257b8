use super::parts::{arguments, check_rate};
use super::{Clock, Coefficients, OptimizerFormula, SLOTS};
use crate::base::lane::Lane;
use crate::base::registry::Rule;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// Steps of constant size, by the sign of a momentum (Chen et al. 2023):
///
/// w ← w - rate · sign(β₁ m + (1 - β₁) g), then m ← β₂ m + (1 - β₂) g.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Lion {
    /// β₁, the momentum's share in the direction, above 0. Default 0.9.
    pub beta_1: f64,
    /// β₂, the decay of the momentum. Default 0.99.
    pub beta_2: f64,
}

arguments! { Lion { beta_1: f64, beta_2: f64 } }

impl Default for Lion {
    fn default() -> Self {
        Lion {
            beta_1: 0.9,
            beta_2: 0.99,
        }
    }
}

impl Rule for Lion {
    fn check(&self) -> Result<()> {
        if !(self.beta_1 > 0.0 && self.beta_1 <= 1.0) {
            return Err(Error::invalid(
                "beta_1",
                self.beta_1,
                "a number above 0, 1 at most",
            ));
        }
        check_rate("beta_2", self.beta_2)
    }
}

impl OptimizerFormula for Lion {
    const LARGE_RATE: Option<f64> = Some(0.01);

    fn slots(&self) -> &'static [&'static str] {
        &["momentum"]
    }

    fn coefficients(&self, clock: Clock<'_>) -> Coefficients {
        let beta_1 = clock.momentum.unwrap_or(self.beta_1 as f32);
        let beta_2 = self.beta_2 as f32;
        [
            clock.learning_rate,
            beta_1,
            1.0 - beta_1,
            beta_2,
            1.0 - beta_2,
            0.0,
        ]
    }

    #[inline(always)]
    fn step<L: Lane>(&self, c: &Coefficients, w: L, g: L, slots: &mut [L; SLOTS]) -> L {
        let [rate, beta_1, rest_1, beta_2, rest_2, _] = c.map(L::splat);
        let direction = slots[0] * beta_1 + g * rest_1;
        slots[0] = slots[0] * beta_2 + g * rest_2;
        w - direction.sign() * rate
    }
}
