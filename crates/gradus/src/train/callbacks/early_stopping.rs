use super::{Callback, Direction, Training, improves, monitored};
use crate::error::Result;
use crate::train::history::Logs;
use serde::{Deserialize, Serialize};

/// Ends the training when a measurement has stopped improving.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EarlyStopping {
    /// What is watched. Default `val_loss`.
    pub monitor: String,
    /// The least change that counts as an improvement. Default 0.
    pub min_delta: f64,
    /// How many epochs without improvement end the training. Default 0.
    pub patience: usize,
    /// The direction that is better. Default as the metric says.
    pub mode: Direction,
    /// A value that must be improved on. Default none.
    pub baseline: Option<f64>,
    /// Whether the best epoch's weights are put back at the end. Default no.
    pub restore_best_weights: bool,
    /// Epochs before watching starts. Default 0.
    pub start_from_epoch: usize,
    #[serde(skip)]
    progress: EarlyStoppingProgress,
}

/// What has been seen so far: with it, a training that was cut off goes on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EarlyStoppingProgress {
    /// The best measurement.
    pub best: Option<f64>,
    /// The epoch that measured it.
    pub best_epoch: Option<usize>,
    /// The weights after it, if they are to be put back at the end.
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
    /// Watches that measurement.
    pub fn new(monitor: impl Into<String>) -> Self {
        EarlyStopping {
            monitor: monitor.into(),
            ..Self::default()
        }
    }

    /// Watches `val_loss` as a [`Recipe`](crate::model::Recipe) does that trains for `epochs`:
    /// the best of all epochs is put back at the end, and the training ends early only if the
    /// last two thirds of it have brought nothing better. More patience than usual, for with
    /// 1cycle the best epochs are mostly the last, when the rate falls.
    pub fn recipe(epochs: usize) -> Self {
        EarlyStopping {
            patience: (epochs * 2).div_ceil(3),
            restore_best_weights: true,
            ..Self::default()
        }
    }

    /// Sets how many epochs without improvement end the training.
    pub fn patience(mut self, epochs: usize) -> Self {
        self.patience = epochs;
        self
    }

    /// Sets the least change that counts.
    pub fn min_delta(mut self, delta: f64) -> Self {
        self.min_delta = delta;
        self
    }

    /// Puts the best epoch's weights back at the end, or not.
    pub fn restore_best_weights(mut self, restore: bool) -> Self {
        self.restore_best_weights = restore;
        self
    }

    /// What has been seen so far.
    pub fn progress(&self) -> &EarlyStoppingProgress {
        &self.progress
    }

    /// Goes on from what was seen before; to be called after `on_train_begin`,
    /// which forgets it.
    pub fn set_progress(&mut self, progress: EarlyStoppingProgress) {
        self.progress = progress;
    }
}

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
        if epoch < self.start_from_epoch {
            return Ok(());
        }
        let better = training.better(self.mode, &self.monitor)?;
        let delta = self.min_delta.abs();
        let progress = &mut self.progress;
        if self.restore_best_weights && progress.best_weights.is_none() {
            // A first epoch that is a NaN must not leave nothing to go back to.
            progress.best_weights = Some(training.weights());
            progress.best_epoch = Some(epoch);
        }
        progress.waited += 1;
        if improves(better, now, progress.best, delta) {
            progress.best = Some(now);
            progress.best_epoch = Some(epoch);
            if self.restore_best_weights {
                progress.best_weights = Some(training.weights());
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
            Some(weights) => training.set_weights(&weights),
            None => Ok(()),
        }
    }
}
