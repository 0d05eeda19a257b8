//! Fake quantization: numbers rounded to those that an int8 product has, as floats, so that a network
//! learns with the error of rounding (Jacob et al., "Quantization and Training of Neural Networks for
//! Efficient Integer-Arithmetic-Only Inference", 2018).
//!
//! An input has 256 numbers with 0 among them, by a range that moves with the batches; weights have
//! 255 around 0, by the largest of each output channel at the time. ONNX files (QDQ) have the same.

use crate::base::lane::Lane;

/// The largest whole number of a weight, and the negative of the least.
pub(crate) const LARGEST: f32 = 127.0;

/// The share of a range that stays in a step, as in TF-MOT's `MovingAverageQuantizer`.
pub(crate) const MOMENTUM: f32 = 0.99;

/// A range that no batch has moved yet: the least number is above the largest.
pub(crate) const UNSET: [f32; 2] = [f32::INFINITY, f32::NEG_INFINITY];

/// Added to a number below 2²², it leaves no room for a fraction.
const ROUND: f32 = 12_582_912.0;

/// The numbers `scale · (q - zero)` for q from 0 to 255.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scale {
    pub scale: f32,
    pub zero: u8,
}

impl Scale {
    /// The scale of a range, which is made to contain 0.
    pub fn of(min: f32, max: f32) -> Self {
        let (min, max) = (f64::from(min.min(0.0)), f64::from(max.max(0.0)));
        let scale = ((max - min) / 255.0) as f32;
        if scale < f32::MIN_POSITIVE {
            return Scale {
                scale: 1.0,
                zero: 0,
            };
        }
        let zero = (-min / f64::from(scale)).round_ties_even();
        Scale {
            scale,
            zero: zero.clamp(0.0, 255.0) as u8,
        }
    }

    /// The scale of a learned range; none of one that no batch has moved.
    pub fn learned(range: &[f32]) -> Option<Self> {
        match *range {
            // Not of a NaN either, which would be hidden by the clamping above.
            [min, max] if min > max => None,
            [min, max] if min.is_nan() || max.is_nan() => Some(Scale {
                scale: f32::NAN,
                zero: 0,
            }),
            [min, max] => Some(Scale::of(min, max)),
            _ => None,
        }
    }

    /// The least and the largest of `q - zero`.
    pub fn whole(self) -> [f32; 2] {
        let zero = f32::from(self.zero);
        [-zero, 255.0 - zero]
    }
}

/// The scale of weights of which this is the largest absolute value.
#[inline(always)]
pub(crate) fn scale_of_weights<L: Lane>(largest: L) -> L {
    let scale = largest / L::splat(LARGEST);
    L::select(scale.lt(L::splat(f32::MIN_POSITIVE)), L::one(), scale)
}

/// Rounds the weights of a matrix of so many columns, each by the largest of its own.
pub(crate) fn round_weights(w: &[f32], columns: usize, y: &mut [f32]) {
    for c in 0..columns {
        let column = || w.iter().skip(c).step_by(columns);
        let largest = column().fold(0.0_f32, |most, w| w.abs().max(most));
        let scale = scale_of_weights(largest);
        for (y, &w) in y.iter_mut().skip(c).step_by(columns).zip(column()) {
            *y = rounded(w, scale, [-LARGEST, LARGEST]);
        }
    }
}

/// x rounded to a whole multiple of `scale`, half to even, within `least` and `most` such multiples. NaN
/// stays.
#[inline(always)]
pub(crate) fn rounded<L: Lane>(x: L, scale: L, [least, most]: [L; 2]) -> L {
    // The second operand is what comes of a NaN.
    let whole = most.min(least.max(x / scale));
    let round = L::splat(ROUND);
    ((whole + round) - round) * scale
}

/// The straight-through gradient: dy where x has its own whole multiple, within half of a step, else 0.
#[inline(always)]
pub(crate) fn passed<L: Lane>(x: L, dy: L, scale: L, [least, most]: [L; 2]) -> L {
    let (steps, half) = (x / scale, L::splat(0.5));
    let inside = L::select(steps.lt(least - half), L::zero(), dy);
    L::select((most + half).lt(steps), L::zero(), inside)
}

/// Moves a range to that of a batch, which is made to contain 0; the first batch sets it. `ends` has the
/// least number of each column, then the largest. A batch without rows changes nothing.
pub(crate) fn move_range(range: &mut [f32], ends: &[f32]) {
    let (least, largest) = ends.split_at(ends.len() / 2);
    let least = least.iter().copied().fold(f32::INFINITY, f32::min);
    let largest = largest.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if least > largest {
        return;
    }
    let is_unset = matches!(*range, [min, max] if min > max);
    for (end, now) in range.iter_mut().zip([least.min(0.0), largest.max(0.0)]) {
        *end = match is_unset {
            true => now,
            false => *end * MOMENTUM + now * (1.0 - MOMENTUM),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_exact_and_ends_are_kept() {
        for (min, max) in [
            (-1.0, 2.0),
            (0.3, 5.0),
            (-7.0, -0.1),
            (0.0, 1e-3),
            (-0.0, 0.0),
        ] {
            let of = Scale::of(min, max);
            let whole = of.whole();
            assert_eq!(rounded(0.0, of.scale, whole), 0.0);
            for x in [-9.0, -0.7, 0.01, 0.5, 1.9, 6.0_f32] {
                let y = rounded(x, of.scale, whole);
                let [low, high] = whole.map(|end| end * of.scale);
                let off = (y - x.clamp(low, high)).abs();
                assert!(off <= of.scale * 0.5001, "{x} is {y} of {min} to {max}");
            }
        }
        assert!(rounded(f32::NAN, 1.0, [0.0, 255.0]).is_nan());
        assert_eq!(rounded(2.5, 1.0, [0.0, 255.0]), 2.0);
    }

    #[test]
    fn the_first_batch_sets_the_range_and_others_move_it() {
        let mut range = UNSET;
        assert_eq!(Scale::learned(&range), None);
        move_range(&mut range, &UNSET);
        assert_eq!(range, UNSET);
        move_range(&mut range, &[2.0, 1.0, 3.0, 4.0]);
        assert_eq!(range, [0.0, 4.0]);
        move_range(&mut range, &[0.0, -1.0, 2.0, 1.5]);
        assert!((range[0] + 0.01).abs() < 1e-6 && (range[1] - 3.98).abs() < 1e-6);
    }
}
