use super::ActivationFormula;
use crate::base::lane::Lane;
use crate::base::math::exp_m1;
use crate::base::registry::Rule;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// ELU with a continuous derivative (Barron 2017): x above 0, α (e^(x/α) - 1) below.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Celu {
    /// α, above 0: large negative inputs approach -α. Default 1.
    pub alpha: f64,
}

impl Celu {
    pub(super) const DEFAULT: Self = Celu { alpha: 1.0 };
}

impl Default for Celu {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Rule for Celu {
    fn check(&self) -> Result<()> {
        if self.alpha > 0.0 && self.alpha.is_finite() {
            Ok(())
        } else {
            Err(Error::invalid("alpha", self.alpha, "a number above 0"))
        }
    }
}

impl ActivationFormula for Celu {
    #[inline(always)]
    fn value<L: Lane>(&self, x: L) -> L {
        let alpha = L::splat(self.alpha as f32);
        let below = exp_m1(x.min(L::zero()) / alpha) * alpha;
        L::select(L::zero().lt(x), x, below)
    }

    /// e^(x/α) = y/α + 1 below 0.
    #[inline(always)]
    fn derivative<L: Lane>(&self, _x: L, y: L) -> L {
        let below = y / L::splat(self.alpha as f32) + L::one();
        L::select(L::zero().lt(y), L::one(), below)
    }
}
