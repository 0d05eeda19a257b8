//! Element-wise mappings without weights, most without a derivative.

use super::places::{Buckets, Places};
use std::sync::Arc;

/// An element-wise mapping.
#[derive(Clone, Debug, PartialEq)]
pub enum Mapping {
    /// x, with replacements for values that are not finite.
    Finite {
        /// Replacement of NaN.
        nan: f32,
        /// Replacement of infinity.
        posinf: f32,
        /// Replacement of minus infinity.
        neginf: f32,
    },
    /// 1 for NaN, else 0.
    IsNan,
    /// x truncated.
    Truncate,
    /// 0 for 0, else 1.
    IsNotZero,
    /// The number of these ascending bounds that are at most x; all for NaN.
    Bins(Arc<[f32]>),
    /// The index of x in a vocabulary.
    Place(Arc<Places>),
    /// The bucket of x's digits.
    Bucket(Buckets),
}

impl Mapping {
    /// Maps each of x to y, of the same length.
    pub fn apply(&self, x: &[f32], y: &mut [f32]) {
        fn each(x: &[f32], y: &mut [f32], f: impl Fn(f32) -> f32) {
            for (y, x) in y.iter_mut().zip(x) {
                *y = f(*x);
            }
        }
        let one_if = |is: bool| if is { 1.0 } else { 0.0 };
        match self {
            Mapping::Finite {
                nan,
                posinf,
                neginf,
            } => each(x, y, |x| match x {
                x if x.is_nan() => *nan,
                f32::INFINITY => *posinf,
                f32::NEG_INFINITY => *neginf,
                x => x,
            }),
            Mapping::IsNan => each(x, y, |x| one_if(x.is_nan())),
            Mapping::Truncate => each(x, y, f32::trunc),
            Mapping::IsNotZero => each(x, y, |x| one_if(x != 0.0)),
            Mapping::Bins(bounds) => each(x, y, |x| {
                bounds.partition_point(|&bound| bound <= x || x.is_nan()) as f32
            }),
            Mapping::Place(places) => each(x, y, |x| places.of(x)),
            Mapping::Bucket(buckets) => each(x, y, |x| buckets.of(x)),
        }
    }

    /// True if it has a derivative: 1 where x is finite, else 0. Without one, no gradient passes.
    pub fn has_derivative(&self) -> bool {
        matches!(self, Mapping::Finite { .. })
    }
}

/// The index that a value stands for, if it is below `places`.
pub(crate) fn named(x: f32, places: usize) -> Option<usize> {
    (x >= 0.0 && (x as usize) < places).then_some(x as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_becomes_what_the_rule_says() {
        let x = [f32::NEG_INFINITY, -1.5, 0.0, 1.0, f32::INFINITY, f32::NAN];
        let of = |rule: Mapping| {
            let mut y = [9.0; 6];
            rule.apply(&x, &mut y);
            y
        };
        let finite = Mapping::Finite {
            nan: 7.0,
            posinf: 8.0,
            neginf: -8.0,
        };
        assert_eq!(of(finite), [-8.0, -1.5, 0.0, 1.0, 8.0, 7.0]);
        assert_eq!(of(Mapping::IsNan), [0.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
        assert_eq!(of(Mapping::Truncate)[1], -1.0);
        assert_eq!(of(Mapping::IsNotZero), [1.0, 1.0, 0.0, 1.0, 1.0, 1.0]);
        // Values from Keras.
        let bins = Mapping::Bins([0.0, 1.0].into());
        assert_eq!(of(bins), [0.0, 0.0, 1.0, 2.0, 2.0, 2.0]);
    }
}
