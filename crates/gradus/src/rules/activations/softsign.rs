use super::ActivationFormula;
use crate::base::lane::Lane;
use crate::base::registry::Rule;

plain!(
    /// x / (1 + |x|): like the hyperbolic tangent, but slower to saturate
    /// (Glorot & Bengio 2010).
    Softsign
);

impl ActivationFormula for Softsign {
    #[inline(always)]
    fn value<L: Lane>(&self, x: L) -> L {
        x / (x.abs() + L::one())
    }

    /// 1 / (1 + |x|)² = (1 - |y|)².
    #[inline(always)]
    fn derivative<L: Lane>(&self, _x: L, y: L) -> L {
        let rest = L::one() - y.abs();
        rest * rest
    }
}
