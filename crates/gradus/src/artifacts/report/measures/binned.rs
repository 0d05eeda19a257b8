//! Counts of values in bins of one width.

/// The lowest and the highest of the finite values, if there is one.
pub fn finite_range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let finite = values.filter(|x| x.is_finite());
    finite.fold(None, |range, x| {
        let (low, high) = range.unwrap_or((x, x));
        Some((f64::min(low, x), f64::max(high, x)))
    })
}

/// The number of values in each of `bins` bins of one width between the two ends, of which the last
/// has its upper end, too. Values outside and those that are not finite are not counted.
pub fn binned(values: impl Iterator<Item = f64>, (low, high): (f64, f64), bins: usize) -> Vec<u64> {
    let mut counts = vec![0; bins];
    let width = (high - low) / bins as f64;
    for x in values.filter(|x| (low..=high).contains(x)) {
        let bin = if width > 0.0 {
            ((x - low) / width) as usize
        } else {
            0
        };
        if let Some(count) = counts.get_mut(bin.min(bins.saturating_sub(1))) {
            *count += 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected: `numpy.histogram`.
    #[test]
    fn values_are_counted_as_numpy_does() {
        let values = [0.0, 0.1, 0.25, 0.5, 0.75, 1.0, f64::NAN, f64::INFINITY];
        assert_eq!(finite_range(values.into_iter()), Some((0.0, 1.0)));
        assert_eq!(binned(values.into_iter(), (0.0, 1.0), 4), [2, 1, 1, 2]);
        assert_eq!(binned([3.0; 5].into_iter(), (3.0, 3.0), 2), [5, 0]);
        assert_eq!(finite_range([f64::NAN].into_iter()), None);
    }
}
