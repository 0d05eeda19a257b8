use super::ActivationFormula;
use crate::base::lane::Lane;
use crate::base::math::exp;
use crate::base::registry::Rule;

plain!(
    /// e^x.
    Exponential
);

impl ActivationFormula for Exponential {
    #[inline(always)]
    fn value<L: Lane>(&self, x: L) -> L {
        exp(x)
    }

    #[inline(always)]
    fn derivative<L: Lane>(&self, _x: L, y: L) -> L {
        y
    }
}
