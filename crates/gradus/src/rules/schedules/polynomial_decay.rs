use super::{Progress, ScheduleFormula, StepParameters, check_above, check_rate};
use crate::base::registry::Rule;
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// Polynomial decay from the first rate to the last: rate = (initial - end) (1 - step /
/// decay_steps)^power + end, and constant afterwards; with `cycle` `decay_steps` is instead
/// stretched to its next multiple.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PolynomialDecay {
    /// The rate of step 0.
    #[schemars(extend("examples" = [0.01]))]
    pub initial_learning_rate: f64,
    /// Steps to the last rate.
    #[schemars(extend("examples" = [1000]))]
    pub decay_steps: f64,
    /// The last rate. Default 0.0001.
    #[serde(default = "end")]
    pub end_learning_rate: f64,
    /// The power. Default 1.
    #[serde(default = "one")]
    pub power: f64,
    /// True to let the rate rise again after `decay_steps`. Default no.
    #[serde(default)]
    pub cycle: bool,
}

fn end() -> f64 {
    0.0001
}

fn one() -> f64 {
    1.0
}

impl Rule for PolynomialDecay {
    fn check(&self) -> Result<()> {
        check_rate("initial_learning_rate", self.initial_learning_rate)?;
        check_above("decay_steps", self.decay_steps)?;
        check_rate("end_learning_rate", self.end_learning_rate)?;
        check_rate("power", self.power)
    }
}

impl ScheduleFormula for PolynomialDecay {
    fn at(&self, progress: Progress) -> StepParameters {
        let step = progress.iteration as f64;
        let (step, steps) = if self.cycle {
            let times = (step / self.decay_steps).ceil().max(1.0);
            (step, self.decay_steps * times)
        } else {
            (step.min(self.decay_steps), self.decay_steps)
        };
        let share = (1.0 - step / steps).powf(self.power);
        let width = self.initial_learning_rate - self.end_learning_rate;
        (width * share + self.end_learning_rate).into()
    }
}
