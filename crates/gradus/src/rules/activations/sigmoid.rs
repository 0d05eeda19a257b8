use super::ActivationFormula;
use crate::base::lane::Lane;
use crate::base::math;
use crate::base::registry::Rule;
use serde::{Deserialize, Serialize};

/// The logistic function: 1 / (1 + e^-x).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Sigmoid {}

impl Sigmoid {
    pub(super) const DEFAULT: Self = Sigmoid {};
}

impl Rule for Sigmoid {}

impl ActivationFormula for Sigmoid {
    #[inline(always)]
    fn value<L: Lane>(&self, x: L) -> L {
        math::sigmoid(x)
    }

    #[inline(always)]
    fn derivative<L: Lane>(&self, _x: L, y: L) -> L {
        y * (L::one() - y)
    }
}
