use super::parts::{arguments, check_positive, check_rate, correction};
use super::{Clock, Coefficients, OptimizerFormula, SLOTS};
use crate::base::lane::Lane;
use crate::base::registry::Rule;
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// Adaptive moments (Kingma & Ba 2015), in Keras' form:
///
/// m ← m + (1 - β₁)(g - m), v ← v + (1 - β₂)(g² - v), and w ← w - m · rate √(1 - β₂ᵗ) / (1 - β₁ᵗ) /
/// (√v + ε); with `amsgrad` (Reddi et al. 2018) the largest v so far replaces v.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Adam {
    /// β₁, the decay of the mean gradient. Default 0.9.
    pub beta_1: f64,
    /// β₂, the decay of the mean squared gradient. Default 0.999.
    pub beta_2: f64,
    /// ε. Default 1e-7.
    pub epsilon: f64,
    /// True for AMSGrad, which keeps the largest v. Default no.
    pub amsgrad: bool,
}

arguments! { Adam { beta_1: f64, beta_2: f64, epsilon: f64, amsgrad: bool } }

impl Default for Adam {
    fn default() -> Self {
        Adam {
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-7,
            amsgrad: false,
        }
    }
}

impl Rule for Adam {
    fn check(&self) -> Result<()> {
        check_rate("beta_1", self.beta_1)?;
        check_rate("beta_2", self.beta_2)?;
        check_positive("epsilon", self.epsilon)
    }
}

impl OptimizerFormula for Adam {
    const LARGE_RATE: Option<f64> = Some(0.03);
    const DECOUPLED: Option<&'static str> = Some("AdamW");

    fn slots(&self) -> &'static [&'static str] {
        if self.amsgrad {
            &["momentum", "velocity", "velocity_hat"]
        } else {
            &["momentum", "velocity"]
        }
    }

    fn coefficients(&self, clock: Clock<'_>) -> Coefficients {
        let beta_1 = clock.momentum.map_or(self.beta_1, f64::from);
        let t = clock.iteration + 1;
        let root = correction(self.beta_2, t).sqrt();
        [
            clock.learning_rate,
            clock.learning_rate * root / correction(beta_1, t),
            (1.0 - beta_1) as f32,
            (1.0 - self.beta_2) as f32,
            self.epsilon as f32,
            0.0,
        ]
    }

    fn at_rate(&self, c: &Coefficients, factor: f32) -> Coefficients {
        let [rate, size, ..] = *c;
        let mut c = *c;
        (c[0], c[1]) = (rate * factor, size * factor);
        c
    }

    #[inline(always)]
    fn step<L: Lane>(&self, c: &Coefficients, w: L, g: L, slots: &mut [L; SLOTS]) -> L {
        let m = (g - slots[0]).mul_add(L::splat(c[2]), slots[0]);
        let v = (g * g - slots[1]).mul_add(L::splat(c[3]), slots[1]);
        slots[0] = m;
        slots[1] = v;
        let mut scale = v;
        if self.amsgrad {
            scale = slots[2].max(v);
            slots[2] = scale;
        }
        w - m * L::splat(c[1]) / (scale.sqrt() + L::splat(c[4]))
    }
}

/// Adam with decoupled weight decay (Loshchilov & Hutter 2019): [`Adam`] whose
/// `weight_decay` is 0.004 by default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct AdamW {
    /// β₁, the decay of the mean gradient. Default 0.9.
    pub beta_1: f64,
    /// β₂, the decay of the mean squared gradient. Default 0.999.
    pub beta_2: f64,
    /// ε. Default 1e-7.
    pub epsilon: f64,
    /// True for AMSGrad, which keeps the largest v. Default no.
    pub amsgrad: bool,
}

arguments! { AdamW { beta_1: f64, beta_2: f64, epsilon: f64, amsgrad: bool } }

impl AdamW {
    #[inline(always)]
    fn adam(&self) -> Adam {
        let AdamW {
            beta_1,
            beta_2,
            epsilon,
            amsgrad,
        } = *self;
        Adam {
            beta_1,
            beta_2,
            epsilon,
            amsgrad,
        }
    }
}

impl Default for AdamW {
    fn default() -> Self {
        AdamW {
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-7,
            amsgrad: false,
        }
    }
}

impl Rule for AdamW {
    fn check(&self) -> Result<()> {
        self.adam().check()
    }
}

impl OptimizerFormula for AdamW {
    const WEIGHT_DECAY: Option<f64> = Some(0.004);
    const LARGE_RATE: Option<f64> = Some(0.03);
    const DECOUPLED: Option<&'static str> = Some("AdamW");

    fn slots(&self) -> &'static [&'static str] {
        self.adam().slots()
    }

    fn coefficients(&self, clock: Clock<'_>) -> Coefficients {
        self.adam().coefficients(clock)
    }

    fn at_rate(&self, c: &Coefficients, factor: f32) -> Coefficients {
        self.adam().at_rate(c, factor)
    }

    #[inline(always)]
    fn step<L: Lane>(&self, c: &Coefficients, w: L, g: L, slots: &mut [L; SLOTS]) -> L {
        self.adam().step(c, w, g, slots)
    }
}
