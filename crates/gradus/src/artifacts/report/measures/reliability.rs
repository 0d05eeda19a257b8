//! Reliability: a probability of 70% should come true in 70% of the cases.

/// The reliability of probabilities, in bins of one width.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reliability {
    /// The bins that have rows, from the lowest probability on.
    pub bins: Vec<Bin>,
    /// Expected calibration error: the mean distance of the bins' two values, weighted by rows.
    pub error: f64,
}

/// The rows whose probability is in one bin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bin {
    /// Their mean probability.
    pub predicted: f64,
    /// The share of them in which it came true.
    pub observed: f64,
    /// Their number.
    pub rows: u64,
}

impl Reliability {
    /// That of probabilities, and what came true, in this many bins. `None` without rows, or if one
    /// is no probability.
    pub fn of(probabilities: &[f64], came_true: &[bool], bins: usize) -> Option<Self> {
        let mut sums = vec![(0.0, 0_u64, 0_u64); bins];
        for (&p, &came) in probabilities.iter().zip(came_true) {
            // Sums of 32-bit numbers may be a little above 1.
            if !(-1e-5..=1.0 + 1e-5).contains(&p) {
                return None;
            }
            // An edge belongs to the bin below, as in scikit-learn.
            let bin = ((p * bins as f64).ceil() as usize).clamp(1, bins.max(1)) - 1;
            let bin = &mut sums[bin];
            *bin = (bin.0 + p, bin.1 + u64::from(came), bin.2 + 1);
        }
        let bins = sums.iter().filter(|(.., rows)| *rows > 0);
        let bins = bins.map(|&(sum, came, rows)| Bin {
            predicted: sum / rows as f64,
            observed: came as f64 / rows as f64,
            rows,
        });
        let bins: Vec<Bin> = bins.collect();
        let rows: u64 = bins.iter().map(|bin| bin.rows).sum();
        let distance = |bin: &Bin| (bin.predicted - bin.observed).abs() * bin.rows as f64;
        (rows > 0).then(|| Reliability {
            error: bins.iter().map(distance).sum::<f64>() / rows as f64,
            bins,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden;
    use super::*;

    /// Expected: `calibration_curve` of scikit-learn.
    #[test]
    fn the_curve_is_that_of_scikit_learn() {
        let golden = golden::read();
        let of = |name: &str| golden::numbers(&golden["two_classes"][name]);
        let positive: Vec<bool> = of("positive").iter().map(|&y| y == 1.0).collect();
        let found = Reliability::of(&of("scores"), &positive, 10).unwrap();
        let observed: Vec<f64> = found.bins.iter().map(|bin| bin.observed).collect();
        let predicted: Vec<f64> = found.bins.iter().map(|bin| bin.predicted).collect();
        golden::assert_close(&observed, &of("observed"));
        golden::assert_close(&predicted, &of("predicted"));
    }

    #[test]
    fn the_error_is_the_mean_distance() {
        let found = Reliability::of(&[0.25, 0.25, 0.95, 1.0], &[true, false, true, true], 10);
        let found = found.unwrap();
        assert!((found.error - (0.25 * 2.0 + 0.025 * 2.0) / 4.0).abs() < 1e-12);
        assert_eq!(found.bins.len(), 2);
        assert_eq!(Reliability::of(&[1.5], &[true], 10), None);
        assert_eq!(Reliability::of(&[f64::NAN], &[true], 10), None);
        assert_eq!(Reliability::of(&[], &[], 10), None);
    }
}
