use super::{ActivationFormula, leaky_relu::check_positive};
use crate::base::lane::Lane;
use crate::base::math::tanh;
use crate::base::registry::Rule;
use crate::error::Result;
use serde::{Deserialize, Serialize};

plain!(
    /// x - tanh x.
    TanhShrink
);

/// x moved towards 0 by a threshold, and 0 within it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct SoftShrink {
    /// The threshold, 0 or more. Default 0.5.
    pub threshold: f64,
}

/// x, but 0 within a threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct HardShrink {
    /// The threshold, 0 or more. Default 0.5.
    pub threshold: f64,
}

impl SoftShrink {
    pub(super) const DEFAULT: Self = SoftShrink { threshold: 0.5 };
}

impl HardShrink {
    pub(super) const DEFAULT: Self = HardShrink { threshold: 0.5 };
}

impl Default for SoftShrink {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Default for HardShrink {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Rule for SoftShrink {
    fn check(&self) -> Result<()> {
        check_positive("threshold", self.threshold)
    }
}

impl Rule for HardShrink {
    fn check(&self) -> Result<()> {
        check_positive("threshold", self.threshold)
    }
}

/// 1 where y is not 0.
#[inline(always)]
fn outside<L: Lane>(y: L) -> L {
    L::select(L::zero().lt(y.abs()), L::one(), L::zero())
}

impl ActivationFormula for SoftShrink {
    #[inline(always)]
    fn value<L: Lane>(&self, x: L) -> L {
        let threshold = L::splat(self.threshold as f32);
        let above = (x - threshold).max(L::zero());
        let below = (x + threshold).min(L::zero());
        above + below
    }

    #[inline(always)]
    fn derivative<L: Lane>(&self, _x: L, y: L) -> L {
        outside(y)
    }
}

impl ActivationFormula for HardShrink {
    #[inline(always)]
    fn value<L: Lane>(&self, x: L) -> L {
        let threshold = L::splat(self.threshold as f32);
        L::select(threshold.lt(x.abs()), x, L::zero())
    }

    #[inline(always)]
    fn derivative<L: Lane>(&self, _x: L, y: L) -> L {
        outside(y)
    }
}

impl ActivationFormula for TanhShrink {
    const DERIVATIVE_USES_INPUT: bool = true;

    #[inline(always)]
    fn value<L: Lane>(&self, x: L) -> L {
        x - tanh(x)
    }

    /// tanh² x.
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: L, _y: L) -> L {
        let t = tanh(x);
        t * t
    }
}
