use super::{Progress, ScheduleFormula, StepParameters, check_above};
use crate::base::registry::Rule;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// 1cycle (Smith 2018), as in the book: the rate rises linearly from `initial_rate` to `max_rate`
/// over the first half, falls back over the second, and in the last tenth drops linearly to
/// `final_rate`; the momentum goes the other way, from `momentum_high` to `momentum_low` and back,
/// and stays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct OneCycle {
    /// The highest rate. Default none: it is required, unless `learning_rate = "auto"` finds it.
    #[schemars(with = "Option<f64>", extend("examples" = [0.05]))]
    pub max_rate: f64,
    /// The first rate. Default `max_rate` / 10.
    #[serde(default)]
    #[schemars(extend("examples" = [0.005]))]
    pub initial_rate: Option<f64>,
    /// The last rate. Default `initial_rate` / 1000.
    #[serde(default)]
    #[schemars(extend("examples" = [5e-6]))]
    pub final_rate: Option<f64>,
    /// Share of the steps at the end in which the rate drops. Default 0.1.
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
    /// One cycle up to `max_rate`, with the defaults.
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

impl ScheduleFormula for OneCycle {
    const KERAS: bool = false;

    fn at(&self, progress: Progress) -> StepParameters {
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
        StepParameters {
            rate,
            momentum: Some(momentum),
        }
    }
}

/// PyTorch's 1cycle: from `max_lr` / `div_factor` up to `max_lr` over the first `pct_start` of the
/// steps and down to the first rate / `final_div_factor`; with `three_phase` it first returns to
/// the first rate as fast as it rose.
///
/// Its arguments and values are those of `torch.optim.lr_scheduler.OneCycleLR`; the steps are those
/// of the whole training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct OneCycleLR {
    /// The highest rate. Default none: it is required, unless `learning_rate = "auto"` finds it.
    #[schemars(with = "Option<f64>", extend("examples" = [0.05]))]
    pub max_lr: f64,
    /// Share of the steps in which the rate rises. Default 0.3.
    #[serde(default = "rise")]
    pub pct_start: f64,
    /// Form of the ramps. Default half a cosine.
    #[serde(default)]
    pub anneal_strategy: Anneal,
    /// True to change the momentum too, inversely. Default yes.
    #[serde(default = "yes")]
    pub cycle_momentum: bool,
    /// The lowest momentum. Default 0.85.
    #[serde(default = "low")]
    pub base_momentum: f64,
    /// The highest momentum. Default 0.95.
    #[serde(default = "high")]
    pub max_momentum: f64,
    /// Ratio of `max_lr` to the first rate. Default 25.
    #[serde(default = "div")]
    pub div_factor: f64,
    /// Ratio of the first rate to the last. Default 10000.
    #[serde(default = "final_div")]
    pub final_div_factor: f64,
    /// True to let the rate fall in two phases. Default no.
    #[serde(default)]
    pub three_phase: bool,
}

/// The interpolation between two rates.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Anneal {
    /// Half a cosine.
    #[default]
    Cos,
    /// Linear.
    Linear,
}

impl Anneal {
    fn between(self, from: f64, to: f64, share: f64) -> f64 {
        match self {
            Anneal::Cos => to + (from - to) / 2.0 * ((std::f64::consts::PI * share).cos() + 1.0),
            Anneal::Linear => (to - from) * share + from,
        }
    }
}

fn rise() -> f64 {
    0.3
}

fn yes() -> bool {
    true
}

fn div() -> f64 {
    25.0
}

fn final_div() -> f64 {
    1e4
}

impl OneCycleLR {
    /// One cycle up to `max_lr`, with the defaults.
    pub fn new(max_lr: f64) -> Self {
        OneCycleLR {
            max_lr,
            pct_start: rise(),
            anneal_strategy: Anneal::Cos,
            cycle_momentum: true,
            base_momentum: low(),
            max_momentum: high(),
            div_factor: div(),
            final_div_factor: final_div(),
            three_phase: false,
        }
    }
}

impl Rule for OneCycleLR {
    fn check(&self) -> Result<()> {
        check_above("max_lr", self.max_lr)?;
        check_above("div_factor", self.div_factor)?;
        check_above("final_div_factor", self.final_div_factor)?;
        if !(0.0..=1.0).contains(&self.pct_start) {
            let expected = "a number from 0 to 1";
            return Err(Error::invalid("pct_start", self.pct_start, expected));
        }
        for (key, value) in [
            ("base_momentum", self.base_momentum),
            ("max_momentum", self.max_momentum),
        ] {
            if !(0.0..1.0).contains(&value) {
                return Err(Error::invalid(key, value, "a number from 0 to below 1"));
            }
        }
        Ok(())
    }
}

impl ScheduleFormula for OneCycleLR {
    const KERAS: bool = false;

    fn at(&self, progress: Progress) -> StepParameters {
        let total = progress.total.max(1) as f64;
        let step = (progress.step as f64).min(total - 1.0);
        let first = self.max_lr / self.div_factor;
        let last = first / self.final_div_factor;
        let (low, high) = (self.base_momentum, self.max_momentum);
        let peak = self.pct_start * total - 1.0;
        // Each phase's last step, and the ends of its rate and momentum.
        let up = (peak, (first, self.max_lr), (high, low));
        let phases = if self.three_phase {
            let down = 2.0 * self.pct_start * total - 2.0;
            vec![
                up,
                (down, (self.max_lr, first), (low, high)),
                (total - 1.0, (first, last), (high, high)),
            ]
        } else {
            vec![up, (total - 1.0, (self.max_lr, last), (low, high))]
        };
        let mut start = 0.0;
        let mut parameters = StepParameters {
            rate: last,
            momentum: None,
        };
        for (i, &(end, rate, momentum)) in phases.iter().enumerate() {
            if step <= end || i == phases.len() - 1 {
                let length: f64 = end - start;
                let share = if length == 0.0 {
                    1.0
                } else {
                    (step - start) / length
                };
                let anneal = self.anneal_strategy;
                parameters = StepParameters {
                    rate: anneal.between(rate.0, rate.1, share),
                    momentum: self
                        .cycle_momentum
                        .then(|| anneal.between(momentum.0, momentum.1, share)),
                };
                break;
            }
            start = end;
        }
        parameters
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
