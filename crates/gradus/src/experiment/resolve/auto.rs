//! `learning_rate = "auto"`: the learning-rate finder before the training.

use super::Run;
use crate::error::{Error, Result};
use crate::experiment::config::highest_rate::{maximum, no_maximum};
use crate::rules::optimizers::LearningRate;
use crate::rules::schedules::Schedule;
use crate::train::{LearningRateCurve, LearningRateFinder};

/// What the finder has set.
#[derive(Debug)]
pub struct Found {
    /// The key that stands for it.
    pub key: String,
    /// Its value.
    pub rate: f64,
    /// Where the loss starts to climb.
    pub turning_point: f64,
}

/// What a curve suggests.
#[derive(Clone, Copy, Debug)]
pub struct Suggestion {
    /// Where the loss starts to climb.
    pub turning_point: f64,
    /// A rate to train at.
    pub rate: f64,
    /// The highest rate of a 1cycle schedule.
    pub max_rate: f64,
}

impl Suggestion {
    /// Of a curve; none if its loss never fell. Two digits are more than the
    /// method knows.
    pub fn of(curve: &LearningRateCurve) -> Option<Self> {
        let short = |rate: f64| format!("{rate:.1e}").parse().unwrap_or(rate);
        Some(Suggestion {
            turning_point: short(curve.turning_point()?),
            rate: short(curve.suggested_rate()?),
            max_rate: short(curve.suggested_max_rate()?),
        })
    }
}

impl Run {
    /// Looks for a learning rate, from the model as it is.
    pub fn find_rate(&self) -> Result<LearningRateCurve> {
        let finder = LearningRateFinder::new()
            .batch_size(self.batch_size)
            .shuffle(self.shuffle)
            .class_weight(&self.class_weight);
        self.model.find_learning_rate(self.data.train(), finder)
    }

    /// Puts what the finder suggests in its place: the highest rate of a 1cycle
    /// schedule if there is one, else the optimizer's learning rate.
    pub(super) fn set_found_rate(&mut self) -> Result<Found> {
        let Some(found) = Suggestion::of(&self.find_rate()?) else {
            let expected = "a number: the loss never fell while the finder raised the rate";
            return Err(Error::invalid("train.learning_rate", "\"auto\"", expected));
        };
        let (key, rate) = if let Some(schedule) = &mut self.schedule {
            let Some(key) = maximum(schedule) else {
                return Err(no_maximum(schedule));
            };
            let mut config = schedule.to_config();
            config[key] = found.max_rate.into();
            *schedule = Schedule::from_config("train.schedule", &config)?;
            (format!("train.schedule.{key}"), found.max_rate)
        } else {
            let compiled = self.model.compiled.as_mut();
            if let Some(optimizer) = compiled.and_then(|c| c.optimizer.as_mut()) {
                optimizer.learning_rate = LearningRate::Constant(found.rate);
            }
            ("train.learning_rate".to_owned(), found.rate)
        };
        Ok(Found {
            key,
            rate,
            turning_point: found.turning_point,
        })
    }
}
