//! The threshold below which predictions are rejected.

/// Rows that are accepted because their predicted class' probability reaches a threshold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rejection {
    /// Rows with a lower probability of their predicted class are rejected.
    pub threshold: f64,
    /// Number of accepted rows, and of those that were right.
    pub accepted: usize,
    /// See `accepted`.
    pub right: usize,
    /// Number of all rows.
    pub rows: usize,
    /// True if the accepted rows reach the wanted accuracy.
    pub reached: bool,
}

impl Rejection {
    /// The least threshold at which the accepted rows reach this accuracy; where none does, the
    /// least one with the highest accuracy. `None` without rows.
    ///
    /// It is chosen by these rows: on others the accuracy will be somewhat lower.
    pub fn of(predictions: &[(f64, bool)], accuracy: f64) -> Option<Self> {
        let mut sorted = predictions.to_vec();
        sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut right = 0;
        let (mut best, mut enough): (Option<Rejection>, Option<Rejection>) = (None, None);
        for (n, &(chance, is_right)) in sorted.iter().enumerate() {
            right += usize::from(is_right);
            let next = sorted.get(n + 1).map(|next| next.0);
            // Equal probabilities are accepted together.
            if next == Some(chance) {
                continue;
            }
            let found = Rejection {
                threshold: next.map_or(0.0, |next| between(next, chance)),
                accepted: n + 1,
                right,
                rows: sorted.len(),
                reached: right as f64 >= accuracy * (n + 1) as f64,
            };
            if found.reached {
                enough = Some(found);
            }
            if best.is_none_or(|best| found.accuracy() >= best.accuracy()) {
                best = Some(found);
            }
        }
        enough.or(best)
    }

    /// Share of the accepted rows that were right.
    pub fn accuracy(&self) -> f64 {
        self.right as f64 / self.accepted.max(1) as f64
    }

    /// Share of all rows that is accepted.
    pub fn share(&self) -> f64 {
        self.accepted as f64 / self.rows.max(1) as f64
    }
}

/// A number above `low` and at most `high`, with few digits.
fn between(low: f64, high: f64) -> f64 {
    let middle = low / 2.0 + high / 2.0;
    let mut rounded = (2..15).map(|digits| {
        let scale = 10_f64.powi(digits);
        (middle * scale).round() / scale
    });
    rounded.find(|&x| low < x && x <= high).unwrap_or(high)
}

/// Wilson's 95% interval of a share, of `right` among `rows`.
pub fn wilson(right: usize, rows: usize) -> (f64, f64) {
    const Z: f64 = 1.959_963_984_540_054;
    let n = rows.max(1) as f64;
    let share = right as f64 / n;
    let centre = share + Z * Z / (2.0 * n);
    let spread = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let of = |x: f64| (x / (1.0 + Z * Z / n)).clamp(0.0, 1.0);
    (of(centre - spread), of(centre + spread))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_threshold_with_enough_accuracy_is_chosen() {
        let rows = [0.99, 0.95, 0.9, 0.85, 0.8, 0.7].into_iter();
        let right = [true, true, false, true, true, false].into_iter();
        let rows: Vec<(f64, bool)> = rows.zip(right).collect();
        let found = Rejection::of(&rows, 0.8).unwrap();
        assert_eq!((found.accepted, found.right, found.reached), (5, 4, true));
        assert_eq!(found.threshold, 0.75);
        let all = Rejection::of(&rows, 0.5).unwrap();
        assert_eq!((all.threshold, all.accepted), (0.0, 6));
        let sure = Rejection::of(&rows, 1.0).unwrap();
        assert_eq!((sure.accepted, sure.reached), (2, true));
        let wrong: Vec<(f64, bool)> = rows.iter().map(|&(p, right)| (p, !right)).collect();
        let never = Rejection::of(&wrong, 0.9).unwrap();
        assert!(!never.reached);
        assert_eq!((never.accepted, never.right), (6, 2));
        // Equal probabilities are on one side.
        let equal = [(0.9, true), (0.9, false), (0.8, true)];
        assert_eq!(Rejection::of(&equal, 1.0).unwrap().accepted, 3);
        assert_eq!(Rejection::of(&[], 0.9), None);
        assert!((0.1 + 1e-12..=0.1 + 2e-12).contains(&between(0.1 + 1e-12, 0.1 + 2e-12)));
    }

    /// Expected: `proportion_confint(…, method="wilson")` of statsmodels.
    #[test]
    fn the_interval_is_wilsons() {
        let close = |found: (f64, f64), low: f64, high: f64| {
            assert!(
                (found.0 - low).abs() < 1e-6 && (found.1 - high).abs() < 1e-6,
                "{found:?}"
            );
        };
        close(wilson(8, 10), 0.490162, 0.943318);
        close(wilson(10, 10), 0.722467, 1.0);
        close(wilson(0, 10), 0.0, 0.277533);
    }
}
