//! Functions of real analysis over [`Lane`]: the same polynomial for one
//! number and for a register of them.

use super::lane::Lane;

/// e^x, within 2 ulp; results below 2^-125 become 0.
///
/// x = n ln 2 + r with |r| ≤ ln 2 / 2, and e^r from its Taylor series to r^7.
#[inline(always)]
pub(crate) fn exp<L: Lane>(x: L) -> L {
    const LOG2_E: f32 = std::f32::consts::LOG2_E;
    // ln 2 in two parts; the first has zeros at its end, so that n * LN2_HIGH is exact.
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    // Adding 1.5 * 2^23 rounds to a whole number and leaves it in the low bits.
    const ROUND: f32 = 12_582_912.0;
    const HIGHEST: f32 = 88.722_83;
    const LOWEST: f32 = -86.9;

    // With the operands this way round NaN passes through both.
    let clamped = L::splat(LOWEST).max(L::splat(HIGHEST).min(x));
    let shifted = clamped.mul_add(L::splat(LOG2_E), L::splat(ROUND));
    let n = shifted - L::splat(ROUND);
    let r = n.mul_add(L::splat(-LN2_HIGH), clamped);
    let r = n.mul_add(L::splat(-LN2_LOW), r);

    let mut p = L::splat(1.0 / 5040.0);
    for c in [
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ] {
        p = p.mul_add(r, L::splat(c));
    }
    // 2^(n-1), then doubled: 2^n itself may be out of range.
    let exponent = L::bits_add(L::bits_shl::<23>(shifted.to_bits()), L::bits(126 << 23));
    let y = (p + p) * L::from_bits(exponent);
    let y = L::select(x.lt(L::splat(LOWEST)), L::zero(), y);
    L::select(L::splat(HIGHEST).lt(x), L::splat(f32::INFINITY), y)
}

/// e^x - 1, accurate near 0 too: within 3 ulp.
#[inline(always)]
pub(crate) fn exp_m1<L: Lane>(x: L) -> L {
    // The series to x^8 where |x| < 0.35; beyond, nothing cancels that matters.
    let mut p = L::splat(1.0 / 40320.0);
    for c in [
        1.0 / 5040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
    ] {
        p = p.mul_add(x, L::splat(c));
    }
    let near = p.mul_add(x * x, x);
    let far = exp(x) - L::one();
    L::select(x.abs().lt(L::splat(0.35)), near, far)
}

/// 1 / (1 + e^-x).
#[inline(always)]
pub(crate) fn sigmoid<L: Lane>(x: L) -> L {
    L::one() / (L::one() + exp(-x))
}

/// The hyperbolic tangent, from (e^2|x| - 1) / (e^2|x| + 1).
#[inline(always)]
pub(crate) fn tanh<L: Lane>(x: L) -> L {
    // Beyond 9.1, tanh is 1 to float precision, and e^2x must not overflow.
    let a = L::splat(10.0).min(x.abs());
    let e = exp_m1(a + a);
    let t = e / (e + L::splat(2.0));
    L::select(x.lt(L::zero()), -t, t)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest distance, in units of the last place of the true value.
    fn worst_ulp(f: fn(f32) -> f32, truth: fn(f64) -> f64, from: f32, to: f32) -> f64 {
        let steps = 400_000;
        (0..=steps)
            .map(|i| from + (to - from) * (i as f32 / steps as f32))
            .map(|x| {
                let want = truth(f64::from(x));
                let ulp = f64::from(f32::EPSILON) * want.abs().max(f64::from(f32::MIN_POSITIVE));
                (f64::from(f(x)) - want).abs() / ulp
            })
            .fold(0.0, f64::max)
    }

    #[test]
    fn exp_is_within_two_ulp() {
        assert!(worst_ulp(exp, f64::exp, -86.8, 88.7) <= 2.0);
        assert_eq!(exp(-200.0_f32), 0.0);
        assert_eq!(exp(100.0_f32), f32::INFINITY);
        assert_eq!(exp(0.0_f32), 1.0);
        assert!(exp(f32::NAN).is_nan());
    }

    #[test]
    fn exp_m1_is_within_three_ulp() {
        assert!(worst_ulp(exp_m1, f64::exp_m1, -20.0, -1e-6) <= 3.0);
        assert!(worst_ulp(exp_m1, f64::exp_m1, 1e-6, 20.0) <= 3.0);
        assert_eq!(exp_m1(0.0_f32), 0.0);
    }

    #[test]
    fn sigmoid_and_tanh_are_within_four_ulp() {
        assert!(worst_ulp(sigmoid, |x| 1.0 / (1.0 + (-x).exp()), -80.0, 80.0) <= 4.0);
        assert!(worst_ulp(tanh, f64::tanh, 1e-6, 30.0) <= 4.0);
        assert!(worst_ulp(tanh, f64::tanh, -30.0, -1e-6) <= 4.0);
    }
}
