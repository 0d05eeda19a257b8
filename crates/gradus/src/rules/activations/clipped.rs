use super::ActivationFormula;
use crate::base::lane::Lane;
use crate::base::registry::Rule;

plain!(
    /// ReLU with an upper limit of 6 (Krizhevsky 2010): x clipped to 0 … 6.
    Relu6
);
plain!(
    /// A piecewise linear hyperbolic tangent: x clipped to -1 … 1.
    HardTanh
);
plain!(
    /// A piecewise linear sigmoid: (x + 3) / 6 clipped to 0 … 1.
    HardSigmoid
);
plain!(
    /// The derivative of [`SparsePlus`](super::SparsePlus): (x + 1) / 2 clipped to 0 … 1.
    SparseSigmoid
);

/// 1 where y is inside the bounds, 0 on them.
#[inline(always)]
fn inside<L: Lane>(y: L, low: f32, high: f32, slope: f32) -> L {
    let below_high = L::select(y.lt(L::splat(high)), L::splat(slope), L::zero());
    L::select(L::splat(low).lt(y), below_high, L::zero())
}

#[inline(always)]
fn cut<L: Lane>(x: L, low: f32, high: f32) -> L {
    L::splat(low).max(L::splat(high).min(x))
}

impl ActivationFormula for Relu6 {
    #[inline(always)]
    fn value<L: Lane>(&self, x: L) -> L {
        cut(x, 0.0, 6.0)
    }

    #[inline(always)]
    fn derivative<L: Lane>(&self, _x: L, y: L) -> L {
        inside(y, 0.0, 6.0, 1.0)
    }
}

impl ActivationFormula for HardTanh {
    #[inline(always)]
    fn value<L: Lane>(&self, x: L) -> L {
        cut(x, -1.0, 1.0)
    }

    #[inline(always)]
    fn derivative<L: Lane>(&self, _x: L, y: L) -> L {
        inside(y, -1.0, 1.0, 1.0)
    }
}

impl ActivationFormula for HardSigmoid {
    #[inline(always)]
    fn value<L: Lane>(&self, x: L) -> L {
        cut(x + L::splat(3.0), 0.0, 6.0) / L::splat(6.0)
    }

    #[inline(always)]
    fn derivative<L: Lane>(&self, _x: L, y: L) -> L {
        inside(y, 0.0, 1.0, 1.0 / 6.0)
    }
}

impl ActivationFormula for SparseSigmoid {
    #[inline(always)]
    fn value<L: Lane>(&self, x: L) -> L {
        cut((x + L::one()) * L::splat(0.5), 0.0, 1.0)
    }

    #[inline(always)]
    fn derivative<L: Lane>(&self, _x: L, y: L) -> L {
        inside(y, 0.0, 1.0, 0.5)
    }
}
