use super::{Formula, Progress, Setting};
use crate::base::registry::Rule;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// 1cycle (Smith 2018), as the book has it: the rate rises linearly from
/// `initial_rate` to `max_rate` over the first half, falls back over the second,
/// and in the last tenth drops linearly to `final_rate`; the momentum goes the
/// other way, from `momentum_high` to `momentum_low` and back, and stays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OneCycle {
    /// The highest rate.
    pub max_rate: f64,
    /// The first rate. Default `max_rate` / 10.
    #[serde(default)]
    pub initial_rate: Option<f64>,
    /// The last rate. Default `initial_rate` / 1000.
    #[serde(default)]
    pub final_rate: Option<f64>,
    /// The share of steps at the end in which the rate drops. Default 0.1.
    #[serde(default = "last_share")]
    pub final_share: f64,
    /// The highest momentum. Default 0.95.
    #[serde(default = "high")]
    pub momentum_high: f64,
    /// The lowest momentum. Default 0.85.
    #[serde(default = "low")]
    pub momentum_low: f64,
}

fn last_share() -> f64 {
    0.1
}

fn high() -> f64 {
    0.95
}

fn low() -> f64 {
    0.85
}

impl OneCycle {
    /// One cycle up to `max_rate`, everything else by default.
    pub fn new(max_rate: f64) -> Self {
        OneCycle {
            max_rate,
            initial_rate: None,
            final_rate: None,
            final_share: last_share(),
            momentum_high: high(),
            momentum_low: low(),
        }
    }
}

impl Rule for OneCycle {
    fn check(&self) -> Result<()> {
        if !(self.max_rate > 0.0 && self.max_rate.is_finite()) {
            return Err(Error::invalid(
                "max_rate",
                self.max_rate,
                "a number above 0",
            ));
        }
        for (key, value) in [
            ("momentum_high", self.momentum_high),
            ("momentum_low", self.momentum_low),
        ] {
            if !(0.0..1.0).contains(&value) {
                return Err(Error::invalid(key, value, "a number from 0 to below 1"));
            }
        }
        if !(0.0..1.0).contains(&self.final_share) {
            return Err(Error::invalid(
                "final_share",
                self.final_share,
                "a number from 0 to below 1",
            ));
        }
        Ok(())
    }
}

impl Formula for OneCycle {
    const KERAS: bool = false;

    fn at(&self, progress: Progress) -> Setting {
        let initial = self.initial_rate.unwrap_or(self.max_rate / 10.0);
        let last = self.final_rate.unwrap_or(initial / 1000.0);
        let total = progress.total.max(1) as f64;
        let cycle = (total * (1.0 - self.final_share)).max(1.0);
        let half = cycle / 2.0;
        let step = progress.step as f64;
        let between = |from: f64, to: f64, share: f64| from + (to - from) * share.clamp(0.0, 1.0);
        let (rate, momentum) = if step < half {
            let share = step / half;
            (
                between(initial, self.max_rate, share),
                between(self.momentum_high, self.momentum_low, share),
            )
        } else if step < cycle {
            let share = (step - half) / half;
            (
                between(self.max_rate, initial, share),
                between(self.momentum_low, self.momentum_high, share),
            )
        } else {
            let share = (step - cycle) / (total - cycle).max(1.0);
            (between(initial, last, share), self.momentum_high)
        };
        Setting {
            rate,
            momentum: Some(momentum),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_goes_up_down_and_far_down_and_the_momentum_the_other_way() {
        let cycle = OneCycle::new(0.05);
        let at = |step| {
            cycle.at(Progress {
                iteration: 0,
                step,
                total: 1000,
                per_epoch: 100,
            })
        };
        assert_eq!(at(0).rate, 0.005);
        assert_eq!(at(0).momentum, Some(0.95));
        assert!((at(450).rate - 0.05).abs() < 1e-12);
        assert!((at(450).momentum.unwrap() - 0.85).abs() < 1e-12);
        assert!((at(900).rate - 0.005).abs() < 1e-12);
        assert!(at(999).rate < 0.005 * 0.02);
        assert_eq!(at(999).momentum, Some(0.95));
    }
}
