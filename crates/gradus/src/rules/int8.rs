//! int8 numbers as Keras' `abs_max_quantize` makes them: a number is the whole number `x · scale`,
//! rounded half to even, with the scale that takes the largest of its group to 127.

/// The largest whole number, and the negative of the smallest.
pub(crate) const LARGEST: f32 = 127.0;
/// Keras' epsilon, which keeps the scale of zeros finite.
pub(crate) const EPSILON: f32 = 1e-7;
/// Added to a number below 2²², it leaves no room for a fraction.
const ROUND: f32 = 12_582_912.0;

/// Limit of the products in a sum: of so many, each at most 127 · 128, none exceeds an int32.
pub(crate) const MOST_PRODUCTS: usize = i32::MAX as usize / (127 * 128);

/// The largest absolute value, NaN if there is a NaN; 0 of nothing.
#[inline(always)]
pub(crate) fn largest(values: &[f32]) -> f32 {
    // The bits of absolute values are in the order of the values, NaN above infinity.
    let bits = values.iter().map(|x| x.to_bits() & 0x7fff_ffff);
    f32::from_bits(bits.fold(0, u32::max))
}

/// The scale of numbers of which this is the largest absolute value.
#[inline(always)]
pub(crate) fn scale(largest: f32) -> f32 {
    LARGEST / (largest + EPSILON)
}

/// The whole number for x; between -127 and 127, for x is not above the largest. NaN where the
/// scale is NaN.
#[inline(always)]
pub(crate) fn whole(x: f32, scale: f32) -> f32 {
    (x * scale + ROUND) - ROUND
}

/// Bits of which the lower 16 are those of the whole number for x, or anything where that is NaN.
#[inline(always)]
pub(crate) fn whole_bits(x: f32, scale: f32) -> u32 {
    (x * scale + ROUND).to_bits()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_stay_within_127() {
        let mut worst = 0.0_f32;
        for n in 1..200_000_u32 {
            let x = f32::from_bits(0x0080_0000 + n * 10_661);
            worst = worst.max(whole(x, scale(x)));
        }
        assert_eq!(worst, 127.0);
        assert_eq!(whole(f32::MAX, scale(f32::MAX)), 127.0);
        assert_eq!(whole(0.0, scale(0.0)), 0.0);
        assert_eq!(whole(2.5, 1.0), 2.0);
        assert_eq!(whole(-3.5, 1.0), -4.0);
        for n in -127..=127_i16 {
            assert_eq!(whole_bits(f32::from(n) / 8.0, 8.0) as i16, n);
        }
    }

    #[test]
    fn what_is_not_finite_is_the_largest() {
        assert_eq!(largest(&[1.0, -3.0, 2.0]), 3.0);
        assert_eq!(largest(&[]), 0.0);
        assert_eq!(largest(&[f32::NEG_INFINITY, 1.0]), f32::INFINITY);
        assert!(largest(&[f32::INFINITY, f32::NAN, 1.0]).is_nan());
    }

    #[test]
    fn the_longest_sum_fits() {
        let sum = |n: usize| n as i64 * 127 * 128;
        assert!(sum(MOST_PRODUCTS) <= i64::from(i32::MAX));
        assert!(sum(MOST_PRODUCTS + 1) > i64::from(i32::MAX));
    }
}
