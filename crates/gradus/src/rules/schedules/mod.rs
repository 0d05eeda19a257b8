//! Learning-rate schedules: the rate, and sometimes the momentum, of each step.

use crate::base::registry::{Rule, forward, registry};
use crate::error::{Error, Result};

pub use one_cycle::Anneal;

/// Where in the training a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Steps that the optimizer has taken before this one, ever: what Keras'
    /// schedules count.
    pub iteration: u64,
    /// Steps before this one in the planned training.
    pub step: u64,
    /// Steps of the whole planned training.
    pub total: u64,
    /// Steps in an epoch.
    pub per_epoch: u64,
}

impl Progress {
    /// The epoch that the step is in, from 0.
    pub fn epoch(&self) -> u64 {
        self.step / self.per_epoch.max(1)
    }
}

/// What a schedule asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// The learning rate.
    pub rate: f64,
    /// The momentum (or β₁), if the schedule moves it.
    pub momentum: Option<f64>,
}

impl From<f64> for Setting {
    fn from(rate: f64) -> Self {
        Setting {
            rate,
            momentum: None,
        }
    }
}

/// A schedule's formula.
pub trait Formula: Rule {
    /// Whether Keras has a schedule object of this name, that an optimizer's
    /// `learning_rate` can be.
    const KERAS: bool = true;

    /// The setting of one step.
    fn at(&self, progress: Progress) -> Setting;
}

/// Refuses a number below 0, and what is no number.
fn check_rate(name: &str, rate: f64) -> Result<()> {
    if rate >= 0.0 && rate.is_finite() {
        Ok(())
    } else {
        Err(Error::invalid(name, rate, "a number of 0 or more"))
    }
}

/// Refuses a number that is not above 0.
fn check_above(name: &str, number: f64) -> Result<()> {
    if number > 0.0 && number.is_finite() {
        Ok(())
    } else {
        Err(Error::invalid(name, number, "a number above 0"))
    }
}

registry! {
    /// The learning rate as a function of the step.
    Schedule("schedule") {
        cosine_decay: CosineDecay[], CosineDecayRestarts[];
        exponential_decay: ExponentialDecay[], InverseTimeDecay[], PowerScheduling["power"],
            ExponentialByEpoch[];
        one_cycle: OneCycle["1cycle", "one_cycle"], OneCycleLR[];
        piecewise: PiecewiseConstantDecay[], PiecewiseByEpoch[];
        polynomial_decay: PolynomialDecay[];
    }
}

forward!(Schedule {
    /// The setting of one step.
    pub fn at(&self, progress: Progress) -> Setting;
    /// Whether an optimizer's `learning_rate` can be this schedule, as in Keras.
    pub fn is_keras(&self) -> bool = KERAS;
});

impl Schedule {
    /// True if it sets the momentum, too.
    pub fn moves_momentum(&self) -> bool {
        let first = Progress {
            iteration: 0,
            step: 0,
            total: 1,
            per_epoch: 1,
        };
        self.at(first).momentum.is_some()
    }
}

#[cfg(test)]
mod tests;
