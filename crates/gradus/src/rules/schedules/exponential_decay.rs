use super::{Progress, ScheduleFormula, StepParameters, check_above, check_rate};
use crate::base::registry::Rule;
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// rate = initial · decay_rate^(step / decay_steps); with `staircase` the exponent is truncated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ExponentialDecay {
    /// The rate of step 0.
    #[schemars(extend("examples" = [0.01]))]
    pub initial_learning_rate: f64,
    /// Steps in which the rate changes by the factor `decay_rate`.
    #[schemars(extend("examples" = [1000]))]
    pub decay_steps: f64,
    /// Factor of the rate per `decay_steps`.
    #[schemars(extend("examples" = [0.96]))]
    pub decay_rate: f64,
    /// True for a staircase, with a constant rate between decays. Default no.
    #[serde(default)]
    pub staircase: bool,
}

/// rate = initial / (1 + decay_rate · step / decay_steps); with `staircase` the fraction is
/// truncated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct InverseTimeDecay {
    /// The rate of step 0.
    #[schemars(extend("examples" = [0.01]))]
    pub initial_learning_rate: f64,
    /// Steps per increment of the denominator by `decay_rate`.
    #[schemars(extend("examples" = [1000]))]
    pub decay_steps: f64,
    /// Increment of the denominator per `decay_steps`.
    #[schemars(extend("examples" = [0.96]))]
    pub decay_rate: f64,
    /// True for a staircase, with a constant rate between decays. Default no.
    #[serde(default)]
    pub staircase: bool,
}

/// Power scheduling: rate = initial / (1 + step / decay_steps)^power. With power
/// 1 it is [`InverseTimeDecay`] with a decay rate of 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PowerScheduling {
    /// The rate of step 0.
    #[schemars(extend("examples" = [0.01]))]
    pub initial_learning_rate: f64,
    /// Steps after which the rate is initial / 2^power; after twice as many it is initial /
    /// 3^power, …
    #[schemars(extend("examples" = [1000]))]
    pub decay_steps: f64,
    /// The power. Default 1.
    #[serde(default = "one")]
    pub power: f64,
}

/// Exponential scheduling by epochs: rate = initial · decay_rate^(epoch / decay_epochs), the epoch
/// counted from 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ExponentialByEpoch {
    /// The rate of the first epoch.
    #[schemars(extend("examples" = [0.01]))]
    pub initial_learning_rate: f64,
    /// Epochs in which the rate changes by the factor `decay_rate`.
    #[schemars(extend("examples" = [10]))]
    pub decay_epochs: f64,
    /// Factor of the rate per `decay_epochs`. Default 0.1.
    #[serde(default = "tenth")]
    pub decay_rate: f64,
}

fn one() -> f64 {
    1.0
}

fn tenth() -> f64 {
    0.1
}

impl Rule for ExponentialDecay {
    fn check(&self) -> Result<()> {
        check_rate("initial_learning_rate", self.initial_learning_rate)?;
        check_above("decay_steps", self.decay_steps)?;
        check_rate("decay_rate", self.decay_rate)
    }
}

impl Rule for InverseTimeDecay {
    fn check(&self) -> Result<()> {
        check_rate("initial_learning_rate", self.initial_learning_rate)?;
        check_above("decay_steps", self.decay_steps)?;
        check_rate("decay_rate", self.decay_rate)
    }
}

impl Rule for PowerScheduling {
    fn check(&self) -> Result<()> {
        check_rate("initial_learning_rate", self.initial_learning_rate)?;
        check_above("decay_steps", self.decay_steps)?;
        check_rate("power", self.power)
    }
}

impl Rule for ExponentialByEpoch {
    fn check(&self) -> Result<()> {
        check_rate("initial_learning_rate", self.initial_learning_rate)?;
        check_above("decay_epochs", self.decay_epochs)?;
        check_rate("decay_rate", self.decay_rate)
    }
}

fn stairs(steps: f64, staircase: bool) -> f64 {
    if staircase { steps.floor() } else { steps }
}

impl ScheduleFormula for ExponentialDecay {
    fn at(&self, progress: Progress) -> StepParameters {
        let steps = progress.iteration as f64 / self.decay_steps;
        let exponent = stairs(steps, self.staircase);
        (self.initial_learning_rate * self.decay_rate.powf(exponent)).into()
    }
}

impl ScheduleFormula for InverseTimeDecay {
    fn at(&self, progress: Progress) -> StepParameters {
        let steps = progress.iteration as f64 / self.decay_steps;
        let steps = stairs(steps, self.staircase);
        (self.initial_learning_rate / (1.0 + self.decay_rate * steps)).into()
    }
}

impl ScheduleFormula for PowerScheduling {
    const KERAS: bool = false;

    fn at(&self, progress: Progress) -> StepParameters {
        let steps = progress.step as f64 / self.decay_steps;
        (self.initial_learning_rate / (1.0 + steps).powf(self.power)).into()
    }
}

impl ScheduleFormula for ExponentialByEpoch {
    const KERAS: bool = false;

    fn at(&self, progress: Progress) -> StepParameters {
        let epochs = progress.epoch() as f64 / self.decay_epochs;
        (self.initial_learning_rate * self.decay_rate.powf(epochs)).into()
    }
}
