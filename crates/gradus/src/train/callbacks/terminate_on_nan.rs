use super::{Callback, Progress, Training};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// Ends the training as soon as the loss is NaN or infinite.
///
/// The epoch is completed with validation and history, as in Keras. The model keeps its last finite
/// state, unless [`Fit::on_nan`](crate::train::Fit::on_nan) is set to continue.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(default)]
pub struct TerminateOnNaN {
    /// True for an immediate error of `fit` instead. Default no.
    pub raise_error: bool,
}

impl TerminateOnNaN {
    /// Ends the training without an error.
    pub fn new() -> Self {
        Self::default()
    }

    /// Enables or disables the error of `fit`.
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
