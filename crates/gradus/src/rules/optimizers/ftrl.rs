use super::parts::{arguments, check_positive};
use super::{Clock, Coefficients, OptimizerFormula, SLOTS};
use crate::base::lane::Lane;
use crate::base::math::pow;
use crate::base::registry::Rule;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// Follow the regularized leader (McMahan et al. 2013), for sparse linear models:
///
/// n' = n + g², p = `learning_rate_power`,
/// z ← z + g + 2 s w - w (n'^-p - n^-p) / rate, s = `l2_shrinkage_regularization_strength`,
/// w ← (clip(z, ±l1) - z) / (n'^-p / rate + 2 l2 + β / rate), n ← n'.
///
/// The weights are recomputed from z in each step: their initial values are lost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Ftrl {
    /// p, 0 or below: the power by which the rate falls with the gradients seen. Default -0.5.
    pub learning_rate_power: f64,
    /// Initial value of n. Default 0.1.
    pub initial_accumulator_value: f64,
    /// l1. Default 0.
    pub l1_regularization_strength: f64,
    /// l2. Default 0.
    pub l2_regularization_strength: f64,
    /// s: l2 on the loss rather than on the weights. Default 0.
    pub l2_shrinkage_regularization_strength: f64,
    /// β. Default 0.
    pub beta: f64,
}

arguments! { Ftrl { learning_rate_power: f64, initial_accumulator_value: f64, l1_regularization_strength: f64, l2_regularization_strength: f64, l2_shrinkage_regularization_strength: f64, beta: f64 } }

impl Default for Ftrl {
    fn default() -> Self {
        Ftrl {
            learning_rate_power: -0.5,
            initial_accumulator_value: 0.1,
            l1_regularization_strength: 0.0,
            l2_regularization_strength: 0.0,
            l2_shrinkage_regularization_strength: 0.0,
            beta: 0.0,
        }
    }
}

impl Rule for Ftrl {
    fn check(&self) -> Result<()> {
        let power = self.learning_rate_power;
        if !(power <= 0.0 && power.is_finite()) {
            return Err(Error::invalid(
                "learning_rate_power",
                power,
                "a number of 0 or below",
            ));
        }
        for (key, value) in [
            ("initial_accumulator_value", self.initial_accumulator_value),
            (
                "l1_regularization_strength",
                self.l1_regularization_strength,
            ),
            (
                "l2_regularization_strength",
                self.l2_regularization_strength,
            ),
            (
                "l2_shrinkage_regularization_strength",
                self.l2_shrinkage_regularization_strength,
            ),
            ("beta", self.beta),
        ] {
            check_positive(key, value)?;
        }
        Ok(())
    }
}

impl Ftrl {
    /// n^-p.
    #[inline(always)]
    fn power<L: Lane>(&self, n: L) -> L {
        if self.learning_rate_power == -0.5 {
            n.sqrt()
        } else if self.learning_rate_power == 0.0 {
            L::one()
        } else {
            pow(n, -self.learning_rate_power as f32)
        }
    }

    /// Twice the strength of l2, β's share in it.
    fn l2(&self, rate: f32) -> f32 {
        2.0 * (self.l2_regularization_strength as f32 + self.beta as f32 / (2.0 * rate))
    }
}

impl OptimizerFormula for Ftrl {
    const MAKES_ZEROS: bool = true;

    fn slots(&self) -> &'static [&'static str] {
        &["accumulator", "linear"]
    }

    fn slot_start(&self) -> [f32; SLOTS] {
        [self.initial_accumulator_value as f32, 0.0, 0.0]
    }

    fn coefficients(&self, clock: Clock<'_>) -> Coefficients {
        [
            clock.learning_rate,
            2.0 * self.l2_shrinkage_regularization_strength as f32,
            self.l1_regularization_strength as f32,
            self.l2(clock.learning_rate),
            0.0,
            0.0,
        ]
    }

    fn at_rate(&self, c: &Coefficients, factor: f32) -> Coefficients {
        let rate = c[0] * factor;
        [rate, c[1], c[2], self.l2(rate), c[4], c[5]]
    }

    #[inline(always)]
    fn step<L: Lane>(&self, c: &Coefficients, w: L, g: L, slots: &mut [L; SLOTS]) -> L {
        let [rate, shrinkage, l1, l2, _, _] = c.map(L::splat);
        let n = g.mul_add(g, slots[0]);
        let power = self.power(n);
        let sigma = (power - self.power(slots[0])) / rate;
        let z = slots[1] + (g + shrinkage * w - sigma * w);
        slots[0] = n;
        slots[1] = z;
        let clipped = (-l1).max(l1.min(z));
        (clipped - z) / (power / rate + l2)
    }
}
