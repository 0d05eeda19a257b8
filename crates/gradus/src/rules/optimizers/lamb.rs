use super::parts::{arguments, check_positive, check_rate, correction};
use super::{Clock, Coefficients, OptimizerFormula, SLOTS, Whole};
use crate::base::lane::Lane;
use crate::base::registry::Rule;
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// Layerwise adaptive moments for large batches (You et al. 2020), in Keras' form: m and v as Adam,
/// r = m̂ / (√v̂ + ε) with m̂ = m / (1 - β₁ᵗ) and v̂ = v / (1 - β₂ᵗ), and for each variable as a
/// whole
///
/// w ← w - rate ‖w‖ / ‖r‖ · r; the ratio is 1 where either norm is 0.
///
/// Weight decay is applied before and is no part of r, unlike in the paper.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Lamb {
    /// β₁, the decay of the mean gradient. Default 0.9.
    pub beta_1: f64,
    /// β₂, the decay of the mean squared gradient. Default 0.999.
    pub beta_2: f64,
    /// ε. Default 1e-7.
    pub epsilon: f64,
}

arguments! { Lamb { beta_1: f64, beta_2: f64, epsilon: f64 } }

impl Lamb {
    /// Updates m and v; returns r.
    #[inline(always)]
    fn direction<L: Lane>(&self, c: &Coefficients, g: L, m: &mut L, v: &mut L) -> L {
        *m = (g - *m).mul_add(L::splat(c[1]), *m);
        *v = (g * g - *v).mul_add(L::splat(c[2]), *v);
        let root = (*v / L::splat(c[4])).sqrt();
        *m / L::splat(c[3]) / (root + L::splat(c[5]))
    }
}

impl Default for Lamb {
    fn default() -> Self {
        Lamb {
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-7,
        }
    }
}

impl Rule for Lamb {
    fn check(&self) -> Result<()> {
        check_rate("beta_1", self.beta_1)?;
        check_rate("beta_2", self.beta_2)?;
        check_positive("epsilon", self.epsilon)
    }
}

/// ‖w‖ / ‖r‖, from the squares.
fn ratio(w: f64, r: f64) -> f32 {
    let positive = w > 0.0 && r > 0.0;
    if positive { (w / r).sqrt() as f32 } else { 1.0 }
}

impl OptimizerFormula for Lamb {
    const LARGE_RATE: Option<f64> = Some(0.5);

    fn slots(&self) -> &'static [&'static str] {
        &["momentum", "velocity"]
    }

    fn coefficients(&self, clock: Clock<'_>) -> Coefficients {
        let beta_1 = clock.momentum.map_or(self.beta_1, f64::from);
        let t = clock.iteration + 1;
        [
            clock.learning_rate,
            (1.0 - beta_1) as f32,
            (1.0 - self.beta_2) as f32,
            correction(beta_1, t),
            correction(self.beta_2, t),
            self.epsilon as f32,
        ]
    }

    /// Treats each element as a variable of its own: ‖w‖ / ‖r‖ is |w| / |r|.
    #[inline(always)]
    fn step<L: Lane>(&self, c: &Coefficients, w: L, g: L, slots: &mut [L; SLOTS]) -> L {
        let [m, v, _] = slots;
        let r = self.direction(c, g, m, v);
        let (size, length) = (w.abs(), r.abs());
        let both = L::zero().lt(size.min(length));
        let ratio = L::select(both, size / length, L::one());
        w - ratio * L::splat(c[0]) * r
    }

    fn needs_whole(&self, _path: &str, _shape: &[usize]) -> bool {
        true
    }

    #[inline(always)]
    fn step_whole(&self, c: &Coefficients, variable: Whole<'_>) {
        let Whole {
            w,
            gradient,
            slots: [m, v, _],
            scratch: r,
            ..
        } = variable;
        let (mut weights, mut steps) = (0.0, 0.0);
        for i in 0..w.len() {
            r[i] = self.direction(c, gradient[i], &mut m[i], &mut v[i]);
            weights += f64::from(w[i]) * f64::from(w[i]);
            steps += f64::from(r[i]) * f64::from(r[i]);
        }
        let rate = ratio(weights, steps) * c[0];
        for (w, r) in w.iter_mut().zip(r) {
            *w -= rate * *r;
        }
    }

    fn scratch(&self, shape: &[usize]) -> usize {
        shape.iter().product()
    }
}
