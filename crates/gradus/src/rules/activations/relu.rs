use super::ActivationFormula;
use crate::base::lane::Lane;
use crate::base::registry::Rule;
use serde::{Deserialize, Serialize};

/// The rectified linear unit: max(x, 0).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Relu {}

impl Relu {
    pub(super) const DEFAULT: Self = Relu {};
}

impl Rule for Relu {}

impl ActivationFormula for Relu {
    #[inline(always)]
    fn value<L: Lane>(&self, x: L) -> L {
        x.max(L::zero())
    }

    /// 0 at 0, as in Keras.
    #[inline(always)]
    fn derivative<L: Lane>(&self, _x: L, y: L) -> L {
        L::select(L::zero().lt(y), L::one(), L::zero())
    }
}
