use super::ActivationFormula;
use crate::base::lane::Lane;
use crate::base::math::exp_m1;
use crate::base::registry::Rule;
use serde::{Deserialize, Serialize};

/// The scaled exponential linear unit (Klambauer et al. 2017): with LeCun normal
/// weights and standardized inputs, every layer's outputs keep mean 0 and
/// deviation 1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Selu {}

impl Selu {
    pub(super) const DEFAULT: Self = Selu {};
}

const SCALE: f32 = 1.050_701;
const SCALE_ALPHA: f32 = 1.758_099_3;

impl Rule for Selu {}

impl ActivationFormula for Selu {
    #[inline(always)]
    fn value<L: Lane>(&self, x: L) -> L {
        let below = exp_m1(x.min(L::zero())) * L::splat(SCALE_ALPHA);
        L::select(L::zero().lt(x), x * L::splat(SCALE), below)
    }

    #[inline(always)]
    fn derivative<L: Lane>(&self, _x: L, y: L) -> L {
        L::select(L::zero().lt(y), L::splat(SCALE), y + L::splat(SCALE_ALPHA))
    }
}
