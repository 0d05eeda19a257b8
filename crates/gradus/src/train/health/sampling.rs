//! The steps at which health is sampled.

/// A sample at every so many steps, more of them at the beginning, where most goes wrong, and fewer in a
/// long training, so that their number stays bounded.
#[derive(Clone, Copy, Debug)]
pub(in crate::train) struct Sampling {
    every: u64,
    /// Samples after which the distance between them doubles for the first time.
    most: u64,
}

impl Sampling {
    /// The default number of steps from one sample to the next: observation then takes about half a
    /// percent of the time (bench/RESULTS.md).
    pub const EVERY: usize = 100;

    /// Values of all layers that are kept before the distance doubles.
    const LAYERS: usize = 50_000;

    /// Samples of so many layers at every so many steps; `None` for 0 steps.
    pub fn new(every: usize, layers: usize) -> Option<Self> {
        let most = (Self::LAYERS / layers.max(1)).clamp(50, 500) as u64;
        let every = every as u64;
        (every > 0).then_some(Sampling { every, most })
    }

    /// True if a step, counted from 0, is sampled.
    pub fn takes(self, step: u64) -> bool {
        match step < self.every {
            true => step == 0 || step.is_power_of_two(),
            false => step.is_multiple_of(self.distance(step)),
        }
    }

    /// True if none before it, from `first` on, is sampled.
    pub fn is_first(self, first: u64, step: u64) -> bool {
        !(first..step).any(|earlier| self.takes(earlier))
    }

    /// The distance of samples at that step.
    fn distance(self, step: u64) -> u64 {
        let full = self.every.saturating_mul(self.most);
        let doublings = match step / full {
            0 => 0,
            times => times.ilog2() + 1,
        };
        self.every
            .saturating_mul(1_u64.checked_shl(doublings).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_dense_at_first_and_bounded_in_the_end() {
        let sampling = Sampling::new(100, 5).unwrap();
        let taken = |steps: u64| (0..steps).filter(|&step| sampling.takes(step));
        let first: Vec<u64> = taken(401).collect();
        assert_eq!(first, [0, 1, 2, 4, 8, 16, 32, 64, 100, 200, 300, 400]);
        assert_eq!(taken(50_000).count(), 8 + 499);
        assert_eq!(taken(100_000).count(), 8 + 499 + 250);
        assert!(taken(10_000_000).count() < 3000);
        let (many, none) = (Sampling::new(100, 100_000).unwrap(), Sampling::new(0, 5));
        assert!((0..50_000).filter(|&step| many.takes(step)).count() < 200);
        assert!(none.is_none());
        assert!(sampling.is_first(101, 200) && !sampling.is_first(100, 200));
    }
}
