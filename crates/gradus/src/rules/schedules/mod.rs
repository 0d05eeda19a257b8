//! Learning-rate schedules: the rate, and sometimes the momentum, of each step.

use crate::base::registry::{Rule, forward, registry};
use crate::error::{Error, Result};

pub use one_cycle::Anneal;

/// The position of a step in the training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Steps taken by the optimizer before this one, in all trainings: Keras' count for schedules.
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

/// The step parameters of a schedule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepParameters {
    /// The learning rate.
    pub rate: f64,
    /// The momentum (or β₁), if the schedule changes it.
    pub momentum: Option<f64>,
}

impl From<f64> for StepParameters {
    fn from(rate: f64) -> Self {
        StepParameters {
            rate,
            momentum: None,
        }
    }
}

/// A schedule's formula.
pub(crate) trait ScheduleFormula: Rule {
    /// True if Keras has a schedule object of this name, as an optimizer's `learning_rate`.
    const KERAS: bool = true;

    /// The step parameters of one step.
    fn at(&self, progress: Progress) -> StepParameters;
}

/// Refuses NaN and numbers below 0.
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
    /// The step parameters of one step.
    pub fn at(&self, progress: Progress) -> StepParameters;
    /// True if it can be an optimizer's `learning_rate`, as in Keras.
    pub fn is_keras(&self) -> bool = KERAS;
});

impl Schedule {
    /// True if it sets the momentum, too, to something else than 0.
    pub fn moves_momentum(&self) -> bool {
        let at = |step| Progress {
            iteration: step,
            step,
            total: 3,
            per_epoch: 3,
        };
        (0..3).any(|step| {
            self.at(at(step))
                .momentum
                .is_some_and(|momentum| momentum != 0.0)
        })
    }
}

#[cfg(test)]
mod tests;
