//! Thinning: a long training writes each of its first samples, then ever fewer of them.

/// Which of many samples are written: all of the first `full`, every second of as many more, every
/// fourth of the next `2 * full`, and so on.
#[derive(Clone, Copy, Debug)]
pub struct Thinning {
    full: usize,
}

impl Thinning {
    /// For samples that so many values are written of: `budget` bounds the values of the first ones.
    pub fn new(budget: usize, values: usize, (least, most): (usize, usize)) -> Self {
        Thinning {
            full: (budget / values.max(1)).clamp(least, most),
        }
    }

    /// True if the n-th sample, from 0, is written.
    pub fn keeps(self, n: usize) -> bool {
        let interval = match (n / self.full).checked_ilog2() {
            None => 1,
            Some(doublings) => 2 << doublings,
        };
        n.is_multiple_of(interval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_doubles() {
        let thinning = Thinning::new(100, 25, (2, 16));
        let kept: Vec<usize> = (0..40).filter(|&n| thinning.keeps(n)).collect();
        assert_eq!(kept, [0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32]);
        let thinning = Thinning::new(1000, 8, (2, 16));
        let kept = (0..10_000).filter(|&n| thinning.keeps(n)).count();
        assert!(kept < 100, "{kept}");
    }
}
