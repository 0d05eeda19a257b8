use super::ActivationFormula;
use crate::base::lane::Lane;
use crate::base::math::{normal, sigmoid};
use crate::base::registry::Rule;
use serde::{Deserialize, Serialize};

/// The Gaussian error linear unit (Hendrycks & Gimpel 2016): x Φ(x), Φ the
/// standard normal distribution.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Gelu {
    /// True for the approximation of Φ(x) by ½ (1 + tanh(√(2/π) (x + 0.044715 x³))). Default no, as
    /// Keras' string `"gelu"`.
    pub approximate: bool,
}

impl Gelu {
    pub(super) const DEFAULT: Self = Gelu { approximate: false };
}

impl Rule for Gelu {}

/// √(2/π), doubled: ½ (1 + tanh u) is the sigmoid of 2 u.
const TWICE: f32 = 1.595_769;
const CUBE: f32 = 0.044_715;

impl ActivationFormula for Gelu {
    const DERIVATIVE_USES_INPUT: bool = true;

    #[inline(always)]
    fn value<L: Lane>(&self, x: L) -> L {
        if self.approximate {
            let u = x * (x * x).mul_add(L::splat(CUBE), L::one()) * L::splat(TWICE);
            x * sigmoid(u)
        } else {
            x * normal(x).0
        }
    }

    /// Φ(x) + x φ(x), or with s the sigmoid of u: s + x s (1 - s) u'.
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: L, _y: L) -> L {
        // Beyond 14 the derivative is 0, or 1, to float precision.
        let x = L::splat(-14.0).max(L::splat(14.0).min(x));
        if self.approximate {
            let square = x * x;
            let u = x * square.mul_add(L::splat(CUBE), L::one()) * L::splat(TWICE);
            let by_x = square.mul_add(L::splat(3.0 * CUBE), L::one()) * L::splat(TWICE);
            let s = sigmoid(u);
            // s (1 - s) from both sides, so that nothing cancels.
            (x * by_x * (s * sigmoid(-u))) + s
        } else {
            let (below, density) = normal(x);
            x.mul_add(density, below)
        }
    }
}
