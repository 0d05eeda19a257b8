//! Counts of numbers in bins, and the ranges that are chosen by them.

/// Bins of a histogram of values: a quantile is exact to their width.
const FINE: usize = 1 << 15;

/// Bins of a histogram of magnitudes, as NVIDIA's calibrator has them.
const COARSE: usize = 2048;

/// Levels of the numbers of one sign: of uint8 all, of both signs half of them.
const LEVELS: [usize; 2] = [256, 128];

/// The least and the largest of some numbers. Both are 0 of none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Bounds {
    pub min: f32,
    pub max: f32,
}

impl Bounds {
    /// The bounds of the finite numbers; `None` if there is a NaN or infinity.
    pub fn of(values: &[f32]) -> Option<Self> {
        let mut bounds = Bounds {
            min: f32::INFINITY,
            max: f32::NEG_INFINITY,
        };
        for &x in values {
            if !x.is_finite() {
                return None;
            }
            bounds.min = bounds.min.min(x);
            bounds.max = bounds.max.max(x);
        }
        Some(match values.is_empty() {
            true => Bounds::default(),
            false => bounds,
        })
    }

    /// The bounds of both.
    pub fn and(self, other: Self) -> Self {
        Bounds {
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }
}

/// Counts of values in bins of one width.
#[derive(Clone, Debug)]
pub(super) struct Histogram {
    bounds: Bounds,
    from: f64,
    width: f64,
    /// True if magnitudes are counted.
    of_magnitudes: bool,
    counts: Vec<u64>,
}

impl Histogram {
    /// An empty histogram of values between these bounds.
    pub fn of_values(bounds: Bounds) -> Self {
        let (from, to) = (f64::from(bounds.min), f64::from(bounds.max));
        Histogram {
            bounds,
            from,
            width: (to - from) / FINE as f64,
            of_magnitudes: false,
            counts: vec![0; FINE],
        }
    }

    /// An empty histogram of the magnitudes of values between these bounds.
    pub fn of_magnitudes(bounds: Bounds) -> Self {
        let largest = bounds.max.abs().max(bounds.min.abs());
        Histogram {
            bounds,
            from: 0.0,
            width: f64::from(largest) / COARSE as f64,
            of_magnitudes: true,
            counts: vec![0; COARSE],
        }
    }

    /// Counts values, which lie between the bounds.
    pub fn add(&mut self, values: &[f32]) {
        let last = self.counts.len() - 1;
        for &x in values {
            let x = f64::from(if self.of_magnitudes { x.abs() } else { x });
            // Of one value only, the width is 0, and NaN becomes 0.
            let bin = ((x - self.from) / self.width) as usize;
            self.counts[bin.min(last)] += 1;
        }
    }

    /// The bounds of the middle `percentile` percent of the values.
    pub fn middle(&self, percentile: f64) -> Bounds {
        let beyond = (100.0 - percentile) / 200.0;
        Bounds {
            min: (self.quantile(beyond) as f32).max(self.bounds.min),
            max: (self.quantile(1.0 - beyond) as f32).min(self.bounds.max),
        }
    }

    /// The value below which this share lies, evenly spread within its bin.
    fn quantile(&self, share: f64) -> f64 {
        let total: u64 = self.counts.iter().sum();
        let wanted = share * total as f64;
        let mut below = 0.0;
        for (bin, &count) in self.counts.iter().enumerate() {
            let count = count as f64;
            if count > 0.0 && below + count >= wanted {
                let within = (wanted - below) / count;
                return self.from + self.width * (bin as f64 + within);
            }
            below += count;
        }
        f64::from(self.bounds.max)
    }

    /// The bounds, cut at the magnitude that loses the least information: the one with the smallest
    /// Kullback-Leibler divergence of the quantized magnitudes from the given ones (Migacz 2017,
    /// in the form of NVIDIA's `pytorch-quantization`). A histogram of magnitudes.
    pub fn least_divergence(&self) -> Bounds {
        let two_signs = self.bounds.min < 0.0 && self.bounds.max > 0.0;
        let levels = LEVELS[usize::from(two_signs)];
        let mut counts: Vec<f64> = self.counts.iter().map(|&count| count as f64).collect();
        // The many zeros, such as ReLU's, say nothing about a range: zero is exact in any.
        counts[0] = counts[1];
        let (mut best, mut least) = (counts.len(), f64::INFINITY);
        let mut beyond: f64 = counts[levels..].iter().sum();
        for end in levels..=counts.len() {
            let divergence = divergence(&counts[..end], beyond, levels);
            if divergence <= least {
                (best, least) = (end, divergence);
            }
            beyond -= counts.get(end).copied().unwrap_or(0.0);
        }
        let limit = (best as f64 * self.width) as f32;
        Bounds {
            min: self.bounds.min.max(-limit),
            max: self.bounds.max.min(limit),
        }
    }
}

/// The divergence of the counts in bins, those `beyond` added to the last one that is not empty,
/// from what is left of them when so many levels take the place of the bins. Empty bins stay so.
fn divergence(counts: &[f64], beyond: f64, levels: usize) -> f64 {
    let bins = counts.len();
    let Some(last) = counts.iter().rposition(|&count| count > 0.0) else {
        return f64::INFINITY;
    };
    let inside: f64 = counts.iter().sum();
    let mut divergence = 0.0;
    for level in 0..levels {
        let range = (level * bins).div_ceil(levels)..((level + 1) * bins).div_ceil(levels);
        let of_level = &counts[range.clone()];
        let used = of_level.iter().filter(|&&count| count > 0.0).count();
        let each = of_level.iter().sum::<f64>() / used.max(1) as f64 / inside;
        for (bin, &count) in range.zip(of_level).filter(|(_, count)| **count > 0.0) {
            let cut_off = if bin == last { beyond } else { 0.0 };
            let given = (count + cut_off) / (inside + beyond);
            divergence += given * (given / each).ln();
        }
    }
    divergence
}
