use super::ActivationFormula;
use crate::base::lane::Lane;
use crate::base::math::sigmoid;
use crate::base::registry::Rule;

plain!(
    /// x · sigmoid(x), also called swish (Hendrycks & Gimpel 2016; Ramachandran et al. 2017).
    Silu
);
plain!(
    /// A piecewise quadratic SiLU: x · (x + 3) / 6, the factor clipped to 0 … 1 (Howard et al.
    /// 2019).
    HardSilu
);

impl ActivationFormula for Silu {
    const DERIVATIVE_USES_INPUT: bool = true;

    #[inline(always)]
    fn value<L: Lane>(&self, x: L) -> L {
        x * sigmoid(x)
    }

    /// s (1 + x (1 - s)), s the sigmoid.
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: L, _y: L) -> L {
        let s = sigmoid(x);
        s * x.mul_add(L::one() - s, L::one())
    }
}

impl ActivationFormula for HardSilu {
    const DERIVATIVE_USES_INPUT: bool = true;

    #[inline(always)]
    fn value<L: Lane>(&self, x: L) -> L {
        let cut = (x + L::splat(3.0)).max(L::zero()).min(L::splat(6.0));
        x * (cut / L::splat(6.0))
    }

    /// (2 x + 3) / 6 from -3 to 3.
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: L, _y: L) -> L {
        let three = L::splat(3.0);
        let between = (x + x + three) / L::splat(6.0);
        let above = L::select(x.lt(three), between, L::one());
        L::select((-three).lt(x), above, L::zero())
    }
}
