use super::{Callback, Progress, Training};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// Ends the training as soon as the loss is no number, or infinite.
///
/// The epoch is ended, validated and noted, as in Keras.
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
            let (epoch, batch) = (progress.epoch, progress.batch);
            let at = format!("batch {batch} of epoch {epoch}");
            let expected = "a finite one: a lower learning rate or clipping may help";
            return Err(Error::invalid(&at, format!("a loss of {loss}"), expected));
        }
        training.stop();
        Ok(())
    }
}
