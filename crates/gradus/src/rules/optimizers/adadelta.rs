use super::parts::{arguments, check_positive, check_rate};
use super::{Clock, Coefficients, OptimizerFormula, SLOTS};
use crate::base::lane::Lane;
use crate::base::registry::Rule;
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// Steps in the units of the weights (Zeiler 2012):
///
/// a ← ρ a + (1 - ρ) g², Δ = -g √(d + ε) / √(a + ε), d ← ρ d + (1 - ρ) Δ²,
/// w ← w + rate · Δ. The paper has rate 1, Keras 0.001.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Adadelta {
    /// ρ, the decay of both running means. Default 0.95.
    pub rho: f64,
    /// ε. Default 1e-7.
    pub epsilon: f64,
}

arguments! { Adadelta { rho: f64, epsilon: f64 } }

impl Default for Adadelta {
    fn default() -> Self {
        Adadelta {
            rho: 0.95,
            epsilon: 1e-7,
        }
    }
}

impl Rule for Adadelta {
    fn check(&self) -> Result<()> {
        check_rate("rho", self.rho)?;
        check_positive("epsilon", self.epsilon)
    }
}

impl OptimizerFormula for Adadelta {
    fn slots(&self) -> &'static [&'static str] {
        &["accumulated_grad", "accumulated_delta_var"]
    }

    fn coefficients(&self, clock: Clock<'_>) -> Coefficients {
        [
            clock.learning_rate,
            self.rho as f32,
            (1.0 - self.rho) as f32,
            self.epsilon as f32,
            0.0,
            0.0,
        ]
    }

    #[inline(always)]
    fn step<L: Lane>(&self, c: &Coefficients, w: L, g: L, slots: &mut [L; SLOTS]) -> L {
        let [rate, rho, rest, epsilon, _, _] = c.map(L::splat);
        let a = slots[0] * rho + g * g * rest;
        let change = (slots[1] + epsilon).sqrt() * g / (a + epsilon).sqrt();
        slots[0] = a;
        slots[1] = slots[1] * rho + change * change * rest;
        w - change * rate
    }
}
