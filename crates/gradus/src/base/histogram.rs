//! Histograms over bins whose width grows with the values, so that one form serves for weights near 1
//! and gradients of 1e-12.

/// The number of values in each of some bins.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    /// The bins that hold values, from the lowest on: lower edge, upper edge, number of values. The bin
    /// of zeros has both edges 0.
    pub bins: Vec<(f64, f64, u64)>,
    /// The number of values that are NaN or infinite, and in no bin.
    pub not_finite: u64,
}

/// Powers of two that bins reach from, and to: smaller values count as 0, larger ones as the largest.
const POWERS: (i32, i32) = (-64, 64);

/// Bins of each power of two.
const PARTS: usize = 4;

/// Bins of one sign.
const SIDE: usize = (POWERS.1 - POWERS.0) as usize * PARTS;

/// The number of bins: those of negative numbers, of zeros, of positive numbers, and of values that
/// are NaN or infinite.
pub(crate) const BINS: usize = 2 * SIDE + 2;

/// The bin of a value.
#[inline(always)]
pub(crate) fn bin(x: f32) -> usize {
    let bits = x.to_bits() & 0x7fff_ffff;
    // The exponent, and the first two bits of the fraction.
    let size = (bits >> 21) as i32 - (127 + POWERS.0) * PARTS as i32;
    match (bits >= f32::INFINITY.to_bits(), size < 0, x > 0.0) {
        (true, ..) => 2 * SIDE + 1,
        (_, true, _) => SIDE,
        (_, _, true) => SIDE + 1 + (size as usize).min(SIDE - 1),
        (_, _, false) => SIDE - 1 - (size as usize).min(SIDE - 1),
    }
}

impl Histogram {
    /// The histogram of the number of values in each [`bin`].
    pub(crate) fn of_counts(counts: &[u64]) -> Self {
        let edge = |bin: usize| {
            let power = f64::from(POWERS.0 + (bin / PARTS) as i32);
            power.exp2() * (1.0 + (bin % PARTS) as f64 / PARTS as f64)
        };
        let finite = counts.iter().take(2 * SIDE + 1).enumerate();
        let bins = finite.filter(|(_, count)| **count > 0);
        let bins = bins.map(|(place, &count)| match place.cmp(&SIDE) {
            std::cmp::Ordering::Less => {
                let bin = SIDE - 1 - place;
                (-edge(bin + 1), -edge(bin), count)
            }
            std::cmp::Ordering::Equal => (0.0, 0.0, count),
            std::cmp::Ordering::Greater => {
                let bin = place - SIDE - 1;
                (edge(bin), edge(bin + 1), count)
            }
        });
        Histogram {
            bins: bins.collect(),
            not_finite: counts.last().copied().unwrap_or(0),
        }
    }

    /// The histogram of these values.
    pub fn of(values: impl IntoIterator<Item = f32>) -> Self {
        let mut counts = vec![0; BINS];
        for x in values {
            counts[bin(x)] += 1;
        }
        Self::of_counts(&counts)
    }

    /// The number of finite values.
    pub fn count(&self) -> u64 {
        self.bins.iter().map(|(.., count)| count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_is_in_its_bin() {
        let values = [
            1.0,
            1.24,
            -0.3,
            0.0,
            -0.0,
            1e-30,
            3e38,
            f32::NAN,
            f32::INFINITY,
            6.5e-12,
        ];
        let histogram = Histogram::of(values);
        let zeros = (0.0, 0.0, 3);
        assert_eq!(histogram.not_finite, 2);
        assert_eq!(histogram.count(), 8);
        assert!(histogram.bins.contains(&zeros), "{histogram:?}");
        assert!(histogram.bins.contains(&(1.0, 1.25, 2)), "{histogram:?}");
        assert_eq!(histogram.bins[0], (-0.3125, -0.25, 1));
        let last = histogram.bins.last().unwrap();
        assert_eq!((last.1, last.2), (64f64.exp2(), 1));
        let small = histogram.bins[2];
        assert!(small.0 <= 6.5e-12 && 6.5e-12 < small.1, "{histogram:?}");
        for pair in histogram.bins.windows(2) {
            assert!(pair[0].1 <= pair[1].0, "{histogram:?}");
        }
    }
}
