use super::ActivationFormula;
use crate::base::lane::Lane;
use crate::base::math;
use crate::base::registry::Rule;
use serde::{Deserialize, Serialize};

/// The hyperbolic tangent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Tanh {}

impl Tanh {
    pub(super) const DEFAULT: Self = Tanh {};
}

impl Rule for Tanh {}

impl ActivationFormula for Tanh {
    #[inline(always)]
    fn value<L: Lane>(&self, x: L) -> L {
        math::tanh(x)
    }

    #[inline(always)]
    fn derivative<L: Lane>(&self, _x: L, y: L) -> L {
        L::one() - y * y
    }
}
