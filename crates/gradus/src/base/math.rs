//! Functions of real analysis over [`Lane`]: the same polynomial for one value and for a register
//! of them. Bounds are in units of the last place of the true value;
//! `engine/cpu/kernels/accuracy.rs` holds every function to its bound on every lane.

use super::lane::Lane;

/// The nearest bfloat16, ties to even; infinities and NaN are unchanged.
#[inline(always)]
pub(crate) fn bfloat16<L: Lane>(x: L) -> L {
    let bits = x.to_bits();
    let odd = L::bits_shr::<31>(L::bits_shl::<15>(bits));
    let half = L::bits_add(odd, L::bits(0x7fff));
    let kept = L::bits_shr::<16>(L::bits_add(bits, half));
    let rounded = L::from_bits(L::bits_shl::<16>(kept));
    L::select(x.abs().lt(L::splat(f32::INFINITY)), rounded, x)
}

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

/// e^x - 1, accurate near 0 too: within 3 ulp, 4 where products are not fused.
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

/// 1 / (1 + e^-x), within 3 ulp.
#[inline(always)]
pub(crate) fn sigmoid<L: Lane>(x: L) -> L {
    L::one() / (L::one() + exp(-x))
}

/// The hyperbolic tangent, within 3 ulp, from (e^2|x| - 1) / (e^2|x| + 1).
#[inline(always)]
pub(crate) fn tanh<L: Lane>(x: L) -> L {
    // Beyond 9.1, tanh is 1 to float precision, and e^2x must not overflow.
    let a = L::splat(10.0).min(x.abs());
    let e = exp_m1(a + a);
    let t = e / (e + L::splat(2.0));
    L::select(x.lt(L::zero()), -t, t)
}

/// ln x, within 2 ulp; -∞ at 0, NaN below.
///
/// x = 2^k m with m from √½ to √2, and ln m = 2 artanh(s), s = (m - 1)/(m + 1),
/// from its series to s^9.
#[inline(always)]
pub(crate) fn ln<L: Lane>(x: L) -> L {
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    // The bits of √½; subtracting them makes the exponent's carry happen there.
    const ROOT_HALF: u32 = 0x3f35_04f3;

    // Subnormal values are scaled into the normal range first.
    let subnormal = x.lt(L::splat(f32::MIN_POSITIVE));
    let lifted = L::select(subnormal, x * L::splat(33_554_432.0), x);
    let shifted = L::bits_add(lifted.to_bits(), L::bits(0x3f80_0000 - ROOT_HALF));
    // 2^23 + (k + 127), as a float whose low bits are the number.
    let k = L::from_bits(L::bits_xor(
        L::bits_shr::<23>(shifted),
        L::bits(0x4b00_0000),
    ));
    let k = k - L::select(subnormal, L::splat(8_388_760.0), L::splat(8_388_735.0));
    let mantissa = L::bits_shr::<9>(L::bits_shl::<9>(shifted));
    let f = L::from_bits(L::bits_add(mantissa, L::bits(ROOT_HALF))) - L::one();

    let s = f / (f + L::splat(2.0));
    let z = s * s;
    let mut p = L::splat(2.0 / 9.0);
    for c in [2.0 / 7.0, 2.0 / 5.0, 2.0 / 3.0] {
        p = p.mul_add(z, L::splat(c));
    }
    // ln m = f - f²/2 + s (f²/2 + z p), the largest term last.
    let half = f * f * L::splat(0.5);
    let low = s.mul_add(z.mul_add(p, half), k * L::splat(LN2_LOW)) - half;
    let y = k.mul_add(L::splat(LN2_HIGH), low + f);

    let y = L::select(L::splat(f32::MAX).lt(x), x, y);
    let negative = L::select(x.lt(L::zero()), L::splat(f32::NAN), y);
    // Neither above nor below 0: 0 itself, or NaN.
    let positive = L::select(L::zero().lt(x), y, L::splat(f32::NEG_INFINITY) + x);
    L::select(x.lt(L::zero()), negative, positive)
}

/// cos 2πu for u in [0, 1): error below 2e-7.
///
/// It is sin 2π(|u - ½| - ¼), whose angle is at most a quarter turn, from the
/// sine's series to x^13.
#[inline(always)]
pub(crate) fn cos_of_turns<L: Lane>(u: L) -> L {
    let t = (u - L::splat(0.5)).abs() - L::splat(0.25);
    let x = t * L::splat(std::f32::consts::TAU);
    let z = x * x;
    let mut p = L::splat(1.0 / 6_227_020_800.0);
    for c in [
        -1.0 / 39_916_800.0,
        1.0 / 362_880.0,
        -1.0 / 5040.0,
        1.0 / 120.0,
        -1.0 / 6.0,
    ] {
        p = p.mul_add(z, L::splat(c));
    }
    (p * z).mul_add(x, x)
}

/// ln(1 + x) for x above -1, accurate near 0 too: within 3 ulp.
#[inline(always)]
pub(crate) fn ln_1p<L: Lane>(x: L) -> L {
    // First-order correction for the rounding error of 1 + x.
    let one_more = x + L::one();
    let lost = x - (one_more - L::one());
    let y = ln(one_more) + lost / one_more;
    L::select(L::splat(f32::MAX).lt(x), x, y)
}

/// ln(1 + e^x), within 3 ulp.
#[inline(always)]
pub(crate) fn softplus<L: Lane>(x: L) -> L {
    x.max(L::zero()) + ln_1p(exp(-x.abs()))
}

/// x to the power p, for x of 0 or more: relative error up to
/// (2 + |p ln x|) · 2^-23.
#[inline(always)]
pub(crate) fn pow<L: Lane>(x: L, p: f32) -> L {
    exp(ln(x) * L::splat(p))
}

/// The standard normal distribution's Φ(x), within 3 ulp for x > -1 and 6 below, and
/// its density φ(x), within 4 ulp, where they are not subnormal; where products are not
/// fused, x²/2 more.
///
/// With a = |x|: Φ(-a) = e^(-a²/2) t P(t), t = 1/(1 + 0.24 a). P was fitted to the least relative
/// error (3e-9) on 0 ≤ a ≤ 14. Where a < 1, the rounding error of P would show: there it is ½ + x
/// Q(x²), Q the series of the density's integral.
#[inline(always)]
pub(crate) fn normal<L: Lane>(x: L) -> (L, L) {
    const ROOT_TAU: f32 = 2.506_628_3;
    // Beyond 14 both are 0, or 1, to float precision.
    let a = L::splat(14.0).min(x.abs());
    let square = a * a;
    // Rounding error of the square, which e^x would amplify.
    let lost = a.mul_add(a, -square);
    let bell = exp(square * L::splat(-0.5)) * lost.mul_add(L::splat(-0.5), L::one());
    let t = L::one() / a.mul_add(L::splat(0.24), L::one());
    let mut p = L::splat(2.547_459_7e-2);
    for c in [
        -1.243_409_96e-1,
        2.047_378_9e-1,
        -1.432_107_5e-1,
        1.405_012e-1,
        2.870_784_1e-2,
        8.755_372e-2,
        8.898_327e-2,
        9.585_081e-2,
        9.574_243_4e-2,
    ] {
        p = p.mul_add(t, L::splat(c));
    }
    let tail = bell * t * p;
    let far = L::select(x.lt(L::zero()), tail, L::one() - tail);
    let mut q = L::splat(-4.122_667_4e-8);
    for c in [
        6.659_693_5e-7,
        -9.444_656e-6,
        1.154_346_9e-4,
        -1.187_328_2e-3,
        9.973_557e-3,
        -6.649_038e-2,
        3.989_423e-1,
    ] {
        q = q.mul_add(square, L::splat(c));
    }
    let near = q.mul_add(x, L::splat(0.5));
    let below = L::select(a.lt(L::one()), near, far);
    (below, bell * L::splat(1.0 / ROOT_TAU))
}

/// Reference functions in double precision, for tests.
#[cfg(test)]
pub(crate) mod truth {
    /// φ.
    pub(crate) fn density(x: f64) -> f64 {
        (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt()
    }

    /// Φ from a series: Φ(x) = ½ + φ(x) (x + x³/3 + x⁵/15 + …), all terms of one sign; and
    /// in the far tail from the continued fraction.
    pub(crate) fn distribution(x: f64) -> f64 {
        let a = x.abs();
        let below = if a < 5.0 {
            let (mut term, mut sum, mut n) = (a, a, 1.0);
            while term > 1e-18 * sum {
                n += 2.0;
                term *= a * a / n;
                sum += term;
            }
            0.5 - density(a) * sum
        } else {
            let fraction = (1..200).rev().fold(a, |f, k| a + f64::from(k) / f);
            density(a) / fraction
        };
        if x < 0.0 { below } else { 1.0 - below }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bfloat16_is_the_nearest_and_of_two_the_even_one() {
        let of = |bits: u32| bfloat16(f32::from_bits(bits)).to_bits();
        assert_eq!(of(0x3f80_0000), 0x3f80_0000);
        assert_eq!(of(0x3f80_7fff), 0x3f80_0000);
        assert_eq!(of(0x3f80_8000), 0x3f80_0000, "half way: the even one");
        assert_eq!(of(0x3f81_8000), 0x3f82_0000, "half way: the even one");
        assert_eq!(of(0xbf80_8001), 0xbf81_0000);
        assert_eq!(of(0x0000_8001), 0x0001_0000, "below the normal range too");
        assert_eq!(bfloat16(-0.0_f32).to_bits(), (-0.0_f32).to_bits());
        assert_eq!(bfloat16(f32::MAX), f32::INFINITY);
        assert_eq!(bfloat16(f32::NEG_INFINITY), f32::NEG_INFINITY);
        assert!(bfloat16(f32::from_bits(0x7fff_ffff)).is_nan());
    }
}
