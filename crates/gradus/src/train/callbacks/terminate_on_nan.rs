use super::{Callback, Progress};

/// Ends the training as soon as the loss is no number, or infinite.
///
/// The epoch is ended, validated and noted, as in Keras.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TerminateOnNaN;

impl TerminateOnNaN {
    /// The callback; it has no arguments.
    pub fn new() -> Self {
        TerminateOnNaN
    }
}

impl Callback for TerminateOnNaN {
    fn on_train_batch_end(&mut self, progress: &Progress<'_>) {
        if !progress.loss().is_finite() {
            progress.stop();
        }
    }
}
