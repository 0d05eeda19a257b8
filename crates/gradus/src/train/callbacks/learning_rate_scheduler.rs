use super::{Callback, Training};
use crate::error::{Error, Result};

/// Sets the learning rate of each epoch by a function of the epoch (from 0) and the previous rate.
///
/// ```
/// use gradus::train::callbacks::LearningRateScheduler;
///
/// // Ten epochs at the first rate, then a tenth less in each.
/// let callback = LearningRateScheduler::new(|epoch, rate| match epoch {
///     0..10 => rate,
///     _ => rate * 0.9,
/// });
/// # let _ = callback;
/// ```
pub struct LearningRateScheduler {
    schedule: Box<dyn FnMut(usize, f64) -> f64>,
}

impl LearningRateScheduler {
    /// By this function of the epoch and the rate.
    pub fn new(schedule: impl FnMut(usize, f64) -> f64 + 'static) -> Self {
        LearningRateScheduler {
            schedule: Box::new(schedule),
        }
    }
}

impl Callback for LearningRateScheduler {
    fn on_epoch_begin(&mut self, epoch: usize, training: &mut Training<'_>) -> Result<()> {
        let now = training.learning_rate();
        if now.is_nan() {
            return Err(Error::invalid(
                "LearningRateScheduler",
                "a schedule in the optimizer's learning_rate",
                "only one of the two",
            ));
        }
        let rate = (self.schedule)(epoch, now);
        if !(rate >= 0.0 && rate.is_finite()) {
            return Err(Error::invalid(
                "LearningRateScheduler",
                rate,
                "a rate of 0 or more",
            ));
        }
        training.set_learning_rate(rate);
        Ok(())
    }
}
