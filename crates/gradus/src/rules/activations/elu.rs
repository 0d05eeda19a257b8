use super::{ActivationFormula, leaky_relu::check_positive};
use crate::base::lane::Lane;
use crate::base::math::exp_m1;
use crate::base::registry::Rule;
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// The exponential linear unit (Clevert et al. 2016): x above 0,
/// α (e^x - 1) below.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Elu {
    /// α, 0 or more: the limit for large negative inputs is -α. Default 1.
    pub alpha: f64,
}

impl Elu {
    pub(super) const DEFAULT: Self = Elu { alpha: 1.0 };
}

impl Default for Elu {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Rule for Elu {
    fn check(&self) -> Result<()> {
        check_positive("alpha", self.alpha)
    }
}

impl ActivationFormula for Elu {
    #[inline(always)]
    fn value<L: Lane>(&self, x: L) -> L {
        let below = exp_m1(x.min(L::zero())) * L::splat(self.alpha as f32);
        L::select(L::zero().lt(x), x, below)
    }

    /// α e^x = y + α below 0.
    #[inline(always)]
    fn derivative<L: Lane>(&self, _x: L, y: L) -> L {
        let below = y + L::splat(self.alpha as f32);
        L::select(L::zero().lt(y), L::one(), below)
    }
}
