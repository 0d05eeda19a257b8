//! Predictions that are kept if the most uncertain ones are rejected.

/// The rows that are kept when a share is rejected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kept {
    /// The share of all rows that is rejected.
    pub rejected: f64,
    /// The mean of the kept rows' values.
    pub mean: f64,
}

/// The mean value of the rows that are kept when the most uncertain 0%, 5%, …, 95% are rejected.
/// Empty without rows, or if an uncertainty is NaN.
pub fn accepted(uncertainty: &[f64], values: &[f64]) -> Vec<Kept> {
    let mut order: Vec<usize> = (0..uncertainty.len().min(values.len())).collect();
    if uncertainty.iter().any(|x| x.is_nan()) {
        return Vec::new();
    }
    order.sort_by(|&a, &b| uncertainty[a].total_cmp(&uncertainty[b]));
    let mut kept = Vec::new();
    for percent in (0..100).step_by(5) {
        let rows = order.len() - order.len() * percent / 100;
        let sum: f64 = order[..rows].iter().map(|&row| values[row]).sum();
        if rows > 0 {
            kept.push(Kept {
                rejected: percent as f64 / 100.0,
                mean: sum / rows as f64,
            });
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_uncertain_rows_go_first() {
        let uncertainty: Vec<f64> = (0..20).map(f64::from).collect();
        let right: Vec<f64> = (0..20).map(|row| f64::from(u8::from(row < 10))).collect();
        let kept = accepted(&uncertainty, &right);
        assert_eq!(kept.len(), 20);
        assert_eq!((kept[0].rejected, kept[0].mean), (0.0, 0.5));
        assert_eq!((kept[5].rejected, kept[5].mean), (0.25, 10.0 / 15.0));
        assert_eq!(kept[10].mean, 1.0);
        assert!(accepted(&[], &[]).is_empty());
        assert!(accepted(&[f64::NAN], &[1.0]).is_empty());
    }
}
