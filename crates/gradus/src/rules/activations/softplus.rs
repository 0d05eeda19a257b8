use super::ActivationFormula;
use crate::base::lane::Lane;
use crate::base::math::{exp_m1, softplus};
use crate::base::registry::Rule;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

plain!(
    /// ln(1 + e^x): ReLU with a round corner (Dugas et al. 2001).
    Softplus
);
plain!(
    /// ln of the sigmoid: -ln(1 + e^-x).
    LogSigmoid
);
plain!(
    /// A piecewise quadratic softplus: 0 up to -1, (x + 1)² / 4 up to 1, x beyond.
    SparsePlus
);

/// Softplus without e^x: (x + √(x² + b)) / 2 (Barron 2021).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Squareplus {
    /// Width of the bend at 0, above 0. Default 4.
    pub b: f64,
}

impl Squareplus {
    pub(super) const DEFAULT: Self = Squareplus { b: 4.0 };
}

impl Default for Squareplus {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Rule for Squareplus {
    fn check(&self) -> Result<()> {
        if self.b > 0.0 && self.b <= 1e6 {
            Ok(())
        } else {
            Err(Error::invalid("b", self.b, "a number above 0, 1e6 at most"))
        }
    }
}

impl ActivationFormula for Softplus {
    #[inline(always)]
    fn value<L: Lane>(&self, x: L) -> L {
        softplus(x)
    }

    /// The sigmoid of x = 1 - e^-y.
    #[inline(always)]
    fn derivative<L: Lane>(&self, _x: L, y: L) -> L {
        -exp_m1(-y)
    }
}

impl ActivationFormula for LogSigmoid {
    #[inline(always)]
    fn value<L: Lane>(&self, x: L) -> L {
        -softplus(-x)
    }

    /// The sigmoid of -x = 1 - e^y.
    #[inline(always)]
    fn derivative<L: Lane>(&self, _x: L, y: L) -> L {
        -exp_m1(y)
    }
}

impl ActivationFormula for SparsePlus {
    #[inline(always)]
    fn value<L: Lane>(&self, x: L) -> L {
        let root = (x + L::one()).max(L::zero()) * L::splat(0.5);
        L::select(x.lt(L::one()), root * root, x)
    }

    /// (x + 1) / 2 = √y from -1 to 1.
    #[inline(always)]
    fn derivative<L: Lane>(&self, _x: L, y: L) -> L {
        y.sqrt().min(L::one())
    }
}

impl Squareplus {
    /// √(x² + b); where x² would overflow, b is negligible.
    #[inline(always)]
    fn root<L: Lane>(&self, x: L) -> L {
        let root = x.mul_add(x, L::splat(self.b as f32)).sqrt();
        L::select(x.abs().lt(L::splat(1e12)), root, x.abs())
    }
}

impl ActivationFormula for Squareplus {
    const DERIVATIVE_USES_INPUT: bool = true;

    /// Below 0 as b / 2 / (√(x² + b) - x), which avoids cancellation.
    #[inline(always)]
    fn value<L: Lane>(&self, x: L) -> L {
        let half = L::splat(0.5);
        let sum = self.root(x) * half + x.abs() * half;
        let below = L::splat(self.b as f32 / 4.0) / sum;
        L::select(x.lt(L::zero()), below, sum)
    }

    /// (1 + x / √(x² + b)) / 2 = y / √(x² + b).
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: L, y: L) -> L {
        y / self.root(x)
    }
}
