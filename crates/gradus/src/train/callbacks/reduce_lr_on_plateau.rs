use super::{Callback, Direction, Training, improves, monitored};
use crate::error::Result;
use crate::train::history::Logs;
use serde::{Deserialize, Serialize};

/// Performance scheduling: lowers the learning rate when a measurement has
/// stopped improving.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReduceLROnPlateau {
    /// What is watched. Default `val_loss`.
    pub monitor: String,
    /// What the rate is multiplied by. Default 0.1.
    pub factor: f64,
    /// Epochs without improvement before that. Default 10.
    pub patience: usize,
    /// The direction that is better. Default as the metric says.
    pub mode: Direction,
    /// The least change that counts as an improvement. Default 0.0001.
    pub min_delta: f64,
    /// Epochs to wait after a reduction before watching again. Default 0.
    pub cooldown: usize,
    /// The lowest rate. Default 0.
    pub min_lr: f64,
    #[serde(skip)]
    progress: ReduceLROnPlateauProgress,
}

/// What has been seen so far: with it, a training that was cut off goes on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReduceLROnPlateauProgress {
    /// The best measurement.
    pub best: Option<f64>,
    /// Epochs without improvement.
    pub waited: usize,
    /// Epochs to wait before watching again.
    pub cooling: usize,
}

impl Default for ReduceLROnPlateau {
    fn default() -> Self {
        ReduceLROnPlateau {
            monitor: "val_loss".into(),
            factor: 0.1,
            patience: 10,
            mode: Direction::Auto,
            min_delta: 1e-4,
            cooldown: 0,
            min_lr: 0.0,
            progress: ReduceLROnPlateauProgress::default(),
        }
    }
}

impl ReduceLROnPlateau {
    /// Watches that measurement.
    pub fn new(monitor: impl Into<String>) -> Self {
        ReduceLROnPlateau {
            monitor: monitor.into(),
            ..Self::default()
        }
    }

    /// Sets what the rate is multiplied by.
    pub fn factor(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }

    /// Sets the epochs without improvement before a reduction.
    pub fn patience(mut self, epochs: usize) -> Self {
        self.patience = epochs;
        self
    }

    /// What has been seen so far.
    pub fn progress(&self) -> &ReduceLROnPlateauProgress {
        &self.progress
    }

    /// Goes on from what was seen before; to be called after `on_train_begin`,
    /// which forgets it.
    pub fn set_progress(&mut self, progress: ReduceLROnPlateauProgress) {
        self.progress = progress;
    }
}

impl Callback for ReduceLROnPlateau {
    fn on_train_begin(&mut self, training: &mut Training<'_>) -> Result<()> {
        self.progress = ReduceLROnPlateauProgress::default();
        training.better(self.mode, &self.monitor).map(drop)
    }

    fn on_epoch_end(
        &mut self,
        _epoch: usize,
        logs: &Logs,
        training: &mut Training<'_>,
    ) -> Result<()> {
        let now = monitored(logs, &self.monitor)?;
        let better = training.better(self.mode, &self.monitor)?;
        let progress = &mut self.progress;
        if progress.cooling > 0 {
            progress.cooling -= 1;
            progress.waited = 0;
        }
        if improves(better, now, progress.best, self.min_delta) {
            progress.best = Some(now);
            progress.waited = 0;
        } else if progress.cooling == 0 {
            progress.waited += 1;
            if progress.waited >= self.patience {
                let rate = training.learning_rate();
                if rate > self.min_lr {
                    training.set_learning_rate((rate * self.factor).max(self.min_lr));
                    progress.cooling = self.cooldown;
                    progress.waited = 0;
                }
            }
        }
        Ok(())
    }
}
