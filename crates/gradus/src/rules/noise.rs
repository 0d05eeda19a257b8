//! Noise: a random layer's effect on one value, and its derivative.

use crate::base::lane::Lane;
use crate::base::random::Key;

/// SELU's limit for large negative inputs, -λα.
const LOWEST: f64 = -1.050_700_987_355_480_5 * 1.673_263_242_354_377_2;

/// A random change of each value by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Noise {
    /// AlphaDropout (Klambauer et al. 2017): a share `rate` of the values becomes SELU's lower
    /// limit; then all are scaled and shifted so that mean 0 and variance 1 are preserved.
    Alpha {
        /// Share of dropped values, below 1.
        rate: f32,
        /// Factor after the dropout.
        scale: f32,
        /// Summand after that.
        shift: f32,
    },
    /// x times a normal number of mean 1 and this deviation.
    Factor {
        /// The deviation.
        deviation: f32,
    },
    /// x plus a normal number of mean 0 and this deviation.
    Shift {
        /// The deviation.
        deviation: f32,
    },
    /// x above 0; below, x times a uniform number (Xu et al. 2015).
    Slope {
        /// Smallest factor, 0 or more.
        lower: f32,
        /// Largest factor.
        upper: f32,
    },
}

impl Noise {
    /// [`Noise::Alpha`] with this rate.
    pub fn alpha(rate: f64) -> Self {
        let scale = ((1.0 - rate) * (1.0 + rate * LOWEST * LOWEST)).powf(-0.5);
        Noise::Alpha {
            rate: rate as f32,
            scale: scale as f32,
            shift: (-scale * LOWEST * rate) as f32,
        }
    }

    /// True if dx = dy.
    pub fn keeps_gradient(self) -> bool {
        matches!(self, Noise::Shift { .. })
    }

    /// The noisy x, for the element `at` and those after it.
    #[inline(always)]
    pub fn value<L: Lane>(self, key: Key, at: u32, x: L) -> L {
        match self {
            Noise::Alpha { rate, scale, shift } => {
                let dropped = key.uniform::<L>(at).lt(L::splat(rate));
                let x = L::select(dropped, L::splat(LOWEST as f32), x);
                x.mul_add(L::splat(scale), L::splat(shift))
            }
            Noise::Factor { deviation } => {
                let normal = key.normal::<L>(at);
                x * normal.mul_add(L::splat(deviation), L::one())
            }
            Noise::Shift { deviation } => key.normal::<L>(at).mul_add(L::splat(deviation), x),
            Noise::Slope { .. } => x * self.derivative(key, at, x),
        }
    }

    /// The derivative by x, from y.
    #[inline(always)]
    pub fn derivative<L: Lane>(self, key: Key, at: u32, y: L) -> L {
        match self {
            Noise::Alpha { rate, scale, .. } => {
                let dropped = key.uniform::<L>(at).lt(L::splat(rate));
                L::select(dropped, L::zero(), L::splat(scale))
            }
            Noise::Factor { deviation } => {
                let normal = key.normal::<L>(at);
                normal.mul_add(L::splat(deviation), L::one())
            }
            Noise::Shift { .. } => L::one(),
            Noise::Slope { lower, upper } => {
                let random = key.uniform::<L>(at);
                let slope = random.mul_add(L::splat(upper - lower), L::splat(lower));
                L::select(L::zero().lt(y), L::one(), slope)
            }
        }
    }
}
