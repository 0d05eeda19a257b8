use super::parts::{arguments, check_positive, check_rate, correction};
use super::{Clock, Coefficients, OptimizerFormula, SLOTS};
use crate::base::lane::Lane;
use crate::base::registry::Rule;
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// Adam with Nesterov's momentum (Dozat 2016), in Keras' form: with uₜ = β₁(1 - ½ 0.96ᵗ) and Uₜ the
/// product of all u up to t,
///
/// m and v as Adam, m̂ = uₜ₊₁ m / (1 - Uₜ₊₁) + (1 - uₜ) g / (1 - Uₜ),
/// v̂ = v / (1 - β₂ᵗ), w ← w - rate m̂ / (√v̂ + ε).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Nadam {
    /// β₁, the decay of the mean gradient. Default 0.9.
    pub beta_1: f64,
    /// β₂, the decay of the mean squared gradient. Default 0.999.
    pub beta_2: f64,
    /// ε. Default 1e-7.
    pub epsilon: f64,
}

arguments! { Nadam { beta_1: f64, beta_2: f64, epsilon: f64 } }

impl Default for Nadam {
    fn default() -> Self {
        Nadam {
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-7,
        }
    }
}

impl Rule for Nadam {
    fn check(&self) -> Result<()> {
        check_rate("beta_1", self.beta_1)?;
        check_rate("beta_2", self.beta_2)?;
        check_positive("epsilon", self.epsilon)
    }
}

impl OptimizerFormula for Nadam {
    const LARGE_RATE: Option<f64> = Some(0.03);

    fn slots(&self) -> &'static [&'static str] {
        &["momentum", "velocity"]
    }

    /// U, the running product of u.
    fn scalars(&self) -> &'static [f32] {
        &[1.0]
    }

    fn coefficients(&self, clock: Clock<'_>) -> Coefficients {
        // In single precision as in Keras: its 1 - β is 1 - f32(β) here.
        let beta_1 = clock.momentum.unwrap_or(self.beta_1 as f32);
        let t = clock.iteration + 1;
        let u = |t: u64| beta_1 * (1.0 - 0.5 * 0.96_f32.powf(t as f32));
        let (u_now, u_next) = (u(t), u(t + 1));
        let product = clock.scalars[0] * u_now;
        clock.scalars[0] = product;
        [
            clock.learning_rate,
            u_next / (1.0 - product * u_next),
            (1.0 - u_now) / (1.0 - product),
            1.0 - beta_1,
            1.0 - self.beta_2 as f32,
            1.0 / correction(self.beta_2, t),
        ]
    }

    #[inline(always)]
    fn step<L: Lane>(&self, c: &Coefficients, w: L, g: L, slots: &mut [L; SLOTS]) -> L {
        let m = (g - slots[0]).mul_add(L::splat(c[3]), slots[0]);
        let v = (g * g - slots[1]).mul_add(L::splat(c[4]), slots[1]);
        slots[0] = m;
        slots[1] = v;
        let m_hat = m * L::splat(c[1]) + g * L::splat(c[2]);
        let v_hat = v * L::splat(c[5]);
        w - m_hat * L::splat(c[0]) / (v_hat.sqrt() + L::splat(self.epsilon as f32))
    }
}
