//! Long curves with fewer points that look the same.

/// The points of a curve that are drawn.
pub const POINTS: usize = 1000;

/// The places to keep of a curve: all of a short one; of a long one the first, the last, and in
/// each of some equal parts the lowest and the highest, and one that is not finite, if there is
/// one. So no peak and no gap is lost.
pub fn thin(y: &[f64]) -> Vec<usize> {
    thin_to(y, POINTS)
}

fn thin_to(y: &[f64], most: usize) -> Vec<usize> {
    if y.len() <= most {
        return (0..y.len()).collect();
    }
    let parts = (most / 2).max(1);
    let mut kept = vec![0, y.len() - 1];
    for part in 0..parts {
        let range = part * y.len() / parts..(part + 1) * y.len() / parts;
        let finite = || range.clone().filter(|&i| y[i].is_finite());
        kept.extend(finite().min_by(|&a, &b| y[a].total_cmp(&y[b])));
        kept.extend(finite().max_by(|&a, &b| y[a].total_cmp(&y[b])));
        kept.extend(range.clone().find(|&i| !y[i].is_finite()));
    }
    kept.sort_unstable();
    kept.dedup();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_and_gaps_stay() {
        let mut y: Vec<f64> = (0..10_000).map(|i| f64::from(i % 7)).collect();
        (y[1234], y[5678], y[8000]) = (100.0, -100.0, f64::NAN);
        let kept = thin_to(&y, 200);
        assert!(kept.len() <= 202, "{}", kept.len());
        for place in [0, 1234, 5678, 8000, 9999] {
            assert!(kept.contains(&place), "{place}");
        }
        assert!(kept.is_sorted());
        assert_eq!(thin_to(&y[..50], 200), (0..50).collect::<Vec<_>>());
    }
}
