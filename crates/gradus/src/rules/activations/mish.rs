use super::ActivationFormula;
use crate::base::lane::Lane;
use crate::base::math::exp;
use crate::base::registry::Rule;

plain!(
    /// x · tanh(ln(1 + e^x)) (Misra 2019).
    Mish
);

/// With e = e^x and n = e (e + 2): tanh(ln(1 + e)) = n / (n + 2), and its
/// derivative 4 e (1 + e) / (n + 2)².
#[inline(always)]
fn factor<L: Lane>(x: L) -> (L, L) {
    // Beyond 20 the factor is 1 to float precision, and nothing must overflow.
    let e = exp(L::splat(20.0).min(x));
    let n = e * (e + L::splat(2.0));
    let below = L::one() / (n + L::splat(2.0));
    let slope = L::splat(4.0) * e * (e + L::one()) * below * below;
    (n * below, slope)
}

impl ActivationFormula for Mish {
    const DERIVATIVE_USES_INPUT: bool = true;

    #[inline(always)]
    fn value<L: Lane>(&self, x: L) -> L {
        x * factor(x).0
    }

    #[inline(always)]
    fn derivative<L: Lane>(&self, x: L, _y: L) -> L {
        let (value, slope) = factor(x);
        L::splat(20.0).min(x).mul_add(slope, value)
    }
}
