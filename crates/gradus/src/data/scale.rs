//! `Scale`: the arithmetic on each number on its way into a batch.

use crate::error::{Error, Result};

/// The arithmetic on each number of a row when it is gathered into a batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Scale {
    /// None: values stay as they are.
    #[default]
    None,
    /// `x / divisor`, rounded once, as `x / 255.0` is in NumPy.
    Divide(f32),
    /// `(x - mean) * inverse_deviation`, one of each for every element of a row.
    Standardize {
        /// The mean of each column; rounded to 32 bits for a column whose values all are.
        mean: Vec<f64>,
        /// One over the standard deviation of each column; 0 for a constant one.
        inverse_deviation: Vec<f32>,
    },
}

impl Scale {
    /// Refuses a scale that does not fit rows of `size` elements.
    pub(super) fn check(&self, size: usize) -> Result<()> {
        match self {
            Scale::None => Ok(()),
            Scale::Divide(divisor) if divisor.is_normal() => Ok(()),
            Scale::Divide(divisor) => Err(Error::invalid(
                "scale",
                format!("a divisor of {divisor}"),
                "a finite number other than 0",
            )),
            Scale::Standardize {
                mean,
                inverse_deviation,
            } => {
                if mean.len() == size && inverse_deviation.len() == size {
                    return Ok(());
                }
                Err(Error::invalid(
                    "scale",
                    format!(
                        "{} means and {} deviations",
                        mean.len(),
                        inverse_deviation.len()
                    ),
                    format!("{size} of each, one for every number of a row"),
                ))
            }
        }
    }

    /// Scales whole rows of bytes into `to`, of the same length.
    #[inline]
    pub(super) fn apply_u8(&self, from: &[u8], to: &mut [f32]) {
        match self {
            Scale::None => each(from, to, f32::from),
            Scale::Divide(divisor) => {
                if *divisor == 255.0 {
                    each(from, to, by_255);
                } else {
                    each(from, to, |x| f32::from(x) / divisor);
                }
            }
            Scale::Standardize {
                mean,
                inverse_deviation,
            } => standardize(from, to, mean, inverse_deviation, f64::from),
        }
    }

    /// Scales whole rows of `f32` into `to`, of the same length.
    #[inline]
    pub(super) fn apply_f32(&self, from: &[f32], to: &mut [f32]) {
        match self {
            Scale::None => to.copy_from_slice(from),
            Scale::Divide(divisor) => each(from, to, |x| x / divisor),
            Scale::Standardize {
                mean,
                inverse_deviation,
            } => standardize(from, to, mean, inverse_deviation, f64::from),
        }
    }

    /// Scales whole rows of `f64` into `to`, of the same length. Values that `f32` holds exactly
    /// give the same bits as [`Scale::apply_f32`]: a quotient or difference rounded twice, to 64
    /// and 32 bits, equals the one rounded once.
    #[inline]
    pub(super) fn apply_f64(&self, from: &[f64], to: &mut [f32]) {
        match self {
            Scale::None => each(from, to, |x| x as f32),
            Scale::Divide(divisor) => each(from, to, |x| (x / f64::from(*divisor)) as f32),
            Scale::Standardize {
                mean,
                inverse_deviation,
            } => standardize(from, to, mean, inverse_deviation, |x| x),
        }
    }
}

/// `x / 255.0`, to the same bit for every byte, a third faster: the high part of 1/255 has few
/// enough digits that its product with a byte is exact.
#[inline(always)]
fn by_255(x: u8) -> f32 {
    const HIGH: f32 = f32::from_bits((1.0_f32 / 255.0).to_bits() & 0xffff_0000);
    const LOW: f32 = (1.0 / 255.0 - HIGH as f64) as f32;
    let x = f32::from(x);
    x * HIGH + x * LOW
}

#[inline(always)]
fn each<T: Copy>(from: &[T], to: &mut [f32], scaled: impl Fn(T) -> f32) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to = scaled(from);
    }
}

#[inline(always)]
fn standardize<T: Copy>(
    from: &[T],
    to: &mut [f32],
    mean: &[f64],
    inverse_deviation: &[f32],
    number: impl Fn(T) -> f64,
) {
    let rows = from
        .chunks_exact(mean.len())
        .zip(to.chunks_exact_mut(mean.len()));
    for (from, to) in rows {
        let columns = mean.iter().zip(inverse_deviation);
        for ((to, &from), (mean, inverse)) in to.iter_mut().zip(from).zip(columns) {
            *to = (number(from) - mean) as f32 * inverse;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_by_255_is_the_quotient_to_the_bit() {
        for x in 0..=255_u8 {
            assert_eq!(by_255(x).to_bits(), (f32::from(x) / 255.0).to_bits());
        }
    }
}
