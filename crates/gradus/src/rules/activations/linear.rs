use super::ActivationFormula;
use crate::base::lane::Lane;
use crate::base::registry::Rule;
use serde::{Deserialize, Serialize};

/// y = x.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Linear {}

impl Linear {
    pub(super) const DEFAULT: Self = Linear {};
}

impl Rule for Linear {}

impl ActivationFormula for Linear {
    #[inline(always)]
    fn value<L: Lane>(&self, x: L) -> L {
        x
    }

    #[inline(always)]
    fn derivative<L: Lane>(&self, _x: L, _y: L) -> L {
        L::one()
    }
}
