use super::{Progress, ScheduleFormula, StepParameters, check_above, check_rate};
use crate::base::registry::Rule;
use crate::error::Result;
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// Cosine decay from the first rate to `alpha` times it (Loshchilov & Hutter 2017), after a linear
/// warm-up to `warmup_target` if there is one: rate = top ((1 - alpha) ½ (1 + cos(π step /
/// decay_steps)) + alpha).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CosineDecay {
    /// The rate of step 0.
    #[schemars(extend("examples" = [0.01]))]
    pub initial_learning_rate: f64,
    /// Steps of the decay, without those of the warm-up.
    #[schemars(extend("examples" = [1000]))]
    pub decay_steps: f64,
    /// Final rate, as a share of the highest. Default 0.
    #[serde(default)]
    pub alpha: f64,
    /// Rate at the end of the warm-up. Default none: no warm-up.
    #[serde(default)]
    #[schemars(extend("examples" = [0.1]))]
    pub warmup_target: Option<f64>,
    /// Steps of the warm-up. Default 0.
    #[serde(default)]
    pub warmup_steps: f64,
}

/// Repeated [`CosineDecay`] with restarts (SGDR, Loshchilov & Hutter 2017), each period `t_mul`
/// times as long and `m_mul` times as high as the previous one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CosineDecayRestarts {
    /// The rate of step 0.
    #[schemars(extend("examples" = [0.01]))]
    pub initial_learning_rate: f64,
    /// Steps of the first period.
    #[schemars(extend("examples" = [1000]))]
    pub first_decay_steps: f64,
    /// Ratio of each period's length to the previous one's, 1 or more. Default 2.
    #[serde(default = "two")]
    pub t_mul: f64,
    /// Ratio of each period's first rate to the previous one's. Default 1.
    #[serde(default = "one")]
    pub m_mul: f64,
    /// Final rate of a period, as a share of the first rate. Default 0.
    #[serde(default)]
    pub alpha: f64,
}

fn two() -> f64 {
    2.0
}

fn one() -> f64 {
    1.0
}

impl Rule for CosineDecay {
    fn check(&self) -> Result<()> {
        check_rate("initial_learning_rate", self.initial_learning_rate)?;
        check_above("decay_steps", self.decay_steps)?;
        check_rate("alpha", self.alpha)?;
        check_rate("warmup_target", self.warmup_target.unwrap_or(0.0))?;
        check_rate("warmup_steps", self.warmup_steps)
    }
}

impl Rule for CosineDecayRestarts {
    fn check(&self) -> Result<()> {
        check_rate("initial_learning_rate", self.initial_learning_rate)?;
        check_above("first_decay_steps", self.first_decay_steps)?;
        if !(self.t_mul >= 1.0 && self.t_mul.is_finite()) {
            let expected = "a number of 1 or more";
            return Err(crate::Error::invalid("t_mul", self.t_mul, expected));
        }
        check_rate("m_mul", self.m_mul)?;
        check_rate("alpha", self.alpha)
    }
}

/// From 1 to `alpha` as `share` goes from 0 to 1, times `height`.
fn fall(share: f64, height: f64, alpha: f64) -> f64 {
    (1.0 - alpha) * 0.5 * height * (1.0 + (PI * share).cos()) + alpha
}

impl ScheduleFormula for CosineDecay {
    fn at(&self, progress: Progress) -> StepParameters {
        let step = progress.iteration as f64;
        let (top, step) = match self.warmup_target {
            None => (self.initial_learning_rate, step),
            Some(target) if step < self.warmup_steps => {
                let share = step / self.warmup_steps;
                let first = self.initial_learning_rate;
                return (first + (target - first) * share).into();
            }
            Some(target) => (target, step - self.warmup_steps),
        };
        let share = step.min(self.decay_steps) / self.decay_steps;
        (top * fall(share, 1.0, self.alpha)).into()
    }
}

impl ScheduleFormula for CosineDecayRestarts {
    fn at(&self, progress: Progress) -> StepParameters {
        // In single precision, as in Keras: its rounding decides to which period the step of a
        // restart belongs.
        let done = progress.iteration as f32 / self.first_decay_steps as f32;
        let t_mul = self.t_mul as f32;
        let (number, share) = if t_mul == 1.0 {
            (done.floor(), done - done.floor())
        } else {
            let number = ((1.0 - done * (1.0 - t_mul)).ln() / t_mul.ln()).floor();
            let before = (1.0 - t_mul.powf(number)) / (1.0 - t_mul);
            (number, (done - before) / t_mul.powf(number))
        };
        let height = self.m_mul.powf(f64::from(number));
        let share = fall(f64::from(share), height, self.alpha);
        (self.initial_learning_rate * share).into()
    }
}
