//! `learning_rate = "auto"`: the learning-rate finder before the training.

use super::Run;
use crate::error::{Error, Result};
use crate::experiment::config::highest_rate::{maximum, no_maximum};
use crate::experiment::event::FoundRate;
use crate::rules::optimizers::LearningRate;
use crate::rules::schedules::Schedule;
use crate::train::{LearningRateCurve, LearningRateFinder};

/// The rates that a learning-rate finder's curve suggests.
#[derive(Clone, Copy, Debug)]
pub struct SuggestedRates {
    /// The rate from which the loss climbs.
    pub turning_point: f64,
    /// Rate for training.
    pub rate: f64,
    /// Peak rate of a 1cycle schedule.
    pub max_rate: f64,
}

impl SuggestedRates {
    /// Reads a curve; `None` if its loss never fell. Two digits are more than the method
    /// knows.
    pub fn of(curve: &LearningRateCurve) -> Option<Self> {
        let short = |rate: f64| format!("{rate:.1e}").parse().unwrap_or(rate);
        Some(SuggestedRates {
            turning_point: short(curve.turning_point()?),
            rate: short(curve.suggested_rate()?),
            max_rate: short(curve.suggested_max_rate()?),
        })
    }
}

impl Run {
    /// Searches a learning rate, without changing the model.
    pub fn find_rate(&self) -> Result<LearningRateCurve> {
        let finder = LearningRateFinder::new()
            .batch_size(self.batch_size)
            .shuffle(self.shuffle)
            .class_weight(&self.class_weight);
        self.model.find_learning_rate(&self.data.train, finder)
    }

    /// Sets the suggested rate: the highest one of a 1cycle schedule if there is one, else
    /// the optimizer's learning rate.
    pub(super) fn set_found_rate(&mut self) -> Result<FoundRate> {
        let Some(found) = SuggestedRates::of(&self.find_rate()?) else {
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
        Ok(FoundRate {
            key,
            rate,
            turning_point: found.turning_point,
        })
    }
}
