use super::{Callback, Direction, Training, improves, monitored};
use crate::base::setters::setters;
use crate::error::Result;
use crate::train::history::Logs;
use serde::{Deserialize, Serialize};

/// Ends the training when a monitored value stops improving. Epochs before a
/// [`Pruning`](super::Pruning) has come to its last share of zeros do not count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct EarlyStopping {
    /// Monitored value. Default `val_loss`.
    #[schemars(extend("examples" = ["val_accuracy"]))]
    pub monitor: String,
    /// The least change that counts as an improvement. Default 0.
    #[schemars(extend("examples" = [0.001]))]
    pub min_delta: f64,
    /// Epochs without improvement that end the training. Default 0.
    #[schemars(extend("examples" = [10]))]
    pub patience: usize,
    /// Better direction. Default the metric's own.
    pub mode: Direction,
    /// Baseline to improve on. Default none.
    #[schemars(extend("examples" = [0.5]))]
    pub baseline: Option<f64>,
    /// True to restore the best epoch's weights at the end. Default no.
    pub restore_best_weights: bool,
    /// Epochs before monitoring starts. Default 0.
    #[schemars(extend("examples" = [5]))]
    pub start_from_epoch: usize,
    #[serde(skip)]
    progress: EarlyStoppingProgress,
}

/// The progress so far, from which an interrupted training resumes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EarlyStoppingProgress {
    /// The best value.
    pub best: Option<f64>,
    /// Its epoch.
    pub best_epoch: Option<usize>,
    /// The weights after it, if they are to be restored; behind them the ranges that quantization-aware
    /// training has learned.
    #[serde(skip)]
    pub best_weights: Option<Vec<Vec<f32>>>,
    /// Epochs without improvement.
    pub waited: usize,
}

impl Default for EarlyStopping {
    fn default() -> Self {
        EarlyStopping {
            monitor: "val_loss".into(),
            min_delta: 0.0,
            patience: 0,
            mode: Direction::Auto,
            baseline: None,
            restore_best_weights: false,
            start_from_epoch: 0,
            progress: EarlyStoppingProgress::default(),
        }
    }
}

impl EarlyStopping {
    /// Monitors `val_loss`, everything else by default.
    pub fn new() -> Self {
        Self::default()
    }

    /// Monitors `val_loss` for a [`Recipe`](crate::model::Recipe) of `epochs` epochs: the best
    /// epoch is restored at the end, and training ends early only after two thirds of the epochs
    /// without improvement. More patience than usual, because with 1cycle the best epochs are
    /// mostly the last, when the rate falls.
    pub fn recipe(epochs: usize) -> Self {
        EarlyStopping {
            // With one more it could never act.
            patience: (epochs - epochs / 3).min(epochs.saturating_sub(1)),
            restore_best_weights: true,
            ..Self::default()
        }
    }

    /// The progress so far.
    pub fn progress(&self) -> &EarlyStoppingProgress {
        &self.progress
    }

    /// Restores earlier progress; call it after `on_train_begin`, which resets it.
    pub fn set_progress(&mut self, progress: EarlyStoppingProgress) {
        self.progress = progress;
    }
}

setters!(EarlyStopping {
    /// Sets the monitored value: `loss`, `val_accuracy`, any column of the history.
    monitor(into String);
    /// Sets the least change that counts.
    min_delta(f64);
    /// Sets the epochs without improvement that end the training.
    patience(usize);
    /// Sets the better direction.
    mode(Direction);
    /// Sets the baseline to improve on.
    baseline(some f64);
    /// Enables or disables restoring the best epoch's weights at the end.
    restore_best_weights(bool);
    /// Sets the epochs before monitoring starts.
    start_from_epoch(usize);
});

impl Callback for EarlyStopping {
    fn on_train_begin(&mut self, training: &mut Training<'_>) -> Result<()> {
        self.progress = EarlyStoppingProgress::default();
        training.better(self.mode, &self.monitor).map(drop)
    }

    fn on_epoch_end(
        &mut self,
        epoch: usize,
        logs: &Logs,
        training: &mut Training<'_>,
    ) -> Result<()> {
        let now = monitored(logs, &self.monitor)?;
        if epoch < self.start_from_epoch || training.is_unfinished() {
            return Ok(());
        }
        let better = training.better(self.mode, &self.monitor)?;
        let delta = self.min_delta.abs();
        let progress = &mut self.progress;
        if self.restore_best_weights && progress.best_weights.is_none() {
            // A NaN in the first epoch must still leave weights to restore.
            progress.best_weights = Some(training.values());
            progress.best_epoch = Some(epoch);
        }
        progress.waited += 1;
        if improves(better, now, progress.best, delta) {
            progress.best = Some(now);
            progress.best_epoch = Some(epoch);
            if self.restore_best_weights {
                progress.best_weights = Some(training.values());
            }
            let beaten = self.baseline;
            if beaten.is_none_or(|b| improves(better, now, Some(b), delta)) {
                progress.waited = 0;
            }
            return Ok(());
        }
        if progress.waited >= self.patience && epoch > 0 {
            training.stop();
        }
        Ok(())
    }

    fn on_train_end(&mut self, training: &mut Training<'_>) -> Result<()> {
        match self.progress.best_weights.take() {
            Some(weights) => training.set_values(&weights),
            None => Ok(()),
        }
    }
}
