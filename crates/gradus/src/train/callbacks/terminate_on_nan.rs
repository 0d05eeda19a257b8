use super::{Callback, Progress, Training};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// Ends the training as soon as the loss is no number, or infinite.
///
/// The epoch is ended, validated and noted, as in Keras. The model keeps its last finite
/// state, unless [`Fit::on_nan`](crate::train::Fit::on_nan) says to go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TerminateOnNaN {
    /// Whether `fit` returns an error instead, at once. Default no.
    pub raise_error: bool,
}

impl TerminateOnNaN {
    /// Ends the training in order.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes `fit` return an error instead, or not.
    pub fn raise_error(mut self, raise: bool) -> Self {
        self.raise_error = raise;
        self
    }
}

impl Callback for TerminateOnNaN {
    fn on_train_batch_end(
        &mut self,
        progress: &Progress<'_>,
        training: &mut Training<'_>,
    ) -> Result<()> {
        let loss = progress.loss();
        if loss.is_finite() {
            return Ok(());
        }
        if self.raise_error {
            let (epoch, step) = (progress.epoch, progress.batch);
            return Err(Error::BlowUp {
                epoch,
                step,
                problem: format!(
                    "batch {step} of epoch {epoch}: the loss is {loss}; a lower learning rate or \
                     clipping may hold it"
                ),
            });
        }
        training.stop();
        Ok(())
    }
}
