use super::parts::{arguments, check_positive};
use super::{Clock, Coefficients, OptimizerFormula, SLOTS};
use crate::base::lane::Lane;
use crate::base::registry::Rule;
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// A separate rate for each weight (Duchi et al. 2011):
///
/// a ← a + g², w ← w - rate · g / √(a + ε).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Adagrad {
    /// Initial value of a. Default 0.1.
    pub initial_accumulator_value: f64,
    /// ε. Default 1e-7.
    pub epsilon: f64,
}

arguments! { Adagrad { initial_accumulator_value: f64, epsilon: f64 } }

impl Default for Adagrad {
    fn default() -> Self {
        Adagrad {
            initial_accumulator_value: 0.1,
            epsilon: 1e-7,
        }
    }
}

impl Rule for Adagrad {
    fn check(&self) -> Result<()> {
        check_positive("initial_accumulator_value", self.initial_accumulator_value)?;
        check_positive("epsilon", self.epsilon)
    }
}

impl OptimizerFormula for Adagrad {
    fn slots(&self) -> &'static [&'static str] {
        &["accumulator"]
    }

    fn slot_start(&self) -> [f32; SLOTS] {
        [self.initial_accumulator_value as f32, 0.0, 0.0]
    }

    fn coefficients(&self, clock: Clock<'_>) -> Coefficients {
        [clock.learning_rate, self.epsilon as f32, 0.0, 0.0, 0.0, 0.0]
    }

    #[inline(always)]
    fn step<L: Lane>(&self, c: &Coefficients, w: L, g: L, slots: &mut [L; SLOTS]) -> L {
        let a = g.mul_add(g, slots[0]);
        slots[0] = a;
        w - g * L::splat(c[0]) / (a + L::splat(c[1])).sqrt()
    }
}
