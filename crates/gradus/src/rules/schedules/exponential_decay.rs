use super::{Formula, Progress, Setting};
use crate::base::registry::Rule;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// rate = initial · decay_rate^(step / decay_steps); with `staircase` the
/// exponent is a whole number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExponentialDecay {
    /// The rate of step 0.
    pub initial_learning_rate: f64,
    /// How many steps it takes to change by `decay_rate`.
    pub decay_steps: f64,
    /// What the rate is multiplied by every `decay_steps`.
    pub decay_rate: f64,
    /// Whether the rate falls in stairs. Default no.
    #[serde(default)]
    pub staircase: bool,
}

impl Rule for ExponentialDecay {
    fn check(&self) -> Result<()> {
        if self.decay_steps > 0.0 {
            Ok(())
        } else {
            Err(Error::invalid(
                "decay_steps",
                self.decay_steps,
                "a number above 0",
            ))
        }
    }
}

impl Formula for ExponentialDecay {
    fn at(&self, progress: Progress) -> Setting {
        let mut exponent = progress.iteration as f64 / self.decay_steps;
        if self.staircase {
            exponent = exponent.floor();
        }
        (self.initial_learning_rate * self.decay_rate.powf(exponent)).into()
    }
}
