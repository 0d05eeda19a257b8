use super::{Callback, Direction, Training, improves, monitored};
use crate::base::setters::setters;
use crate::error::Result;
use crate::train::history::Logs;
use serde::{Deserialize, Serialize};

/// Performance scheduling: lowers the learning rate when a monitored value stops improving.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct ReduceLROnPlateau {
    /// Monitored value. Default `val_loss`.
    #[schemars(extend("examples" = ["val_accuracy"]))]
    pub monitor: String,
    /// Factor of the rate. Default 0.1.
    #[schemars(extend("examples" = [0.5]))]
    pub factor: f64,
    /// Epochs without improvement before a reduction. Default 10.
    #[schemars(extend("examples" = [5]))]
    pub patience: usize,
    /// Better direction. Default the metric's own.
    pub mode: Direction,
    /// The least change that counts as an improvement. Default 0.0001.
    #[schemars(extend("examples" = [0.001]))]
    pub min_delta: f64,
    /// Cooldown: epochs after a reduction before monitoring resumes. Default 0.
    #[schemars(extend("examples" = [2]))]
    pub cooldown: usize,
    /// The lowest rate. Default 0.
    #[schemars(extend("examples" = [1e-5]))]
    pub min_lr: f64,
    #[serde(skip)]
    progress: ReduceLROnPlateauProgress,
}

/// The progress so far, from which an interrupted training resumes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReduceLROnPlateauProgress {
    /// The best value.
    pub best: Option<f64>,
    /// Epochs without improvement.
    pub waited: usize,
    /// Epochs left before monitoring resumes.
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
    /// Monitors `val_loss`, everything else by default.
    pub fn new() -> Self {
        Self::default()
    }

    /// The progress so far.
    pub fn progress(&self) -> &ReduceLROnPlateauProgress {
        &self.progress
    }

    /// Restores earlier progress; call it after `on_train_begin`, which resets it.
    pub fn set_progress(&mut self, progress: ReduceLROnPlateauProgress) {
        self.progress = progress;
    }
}

setters!(ReduceLROnPlateau {
    /// Sets the monitored value: `loss`, `val_accuracy`, any column of the history.
    monitor(into String);
    /// Sets the factor of the rate.
    factor(f64);
    /// Sets the epochs without improvement before a reduction.
    patience(usize);
    /// Sets the better direction.
    mode(Direction);
    /// Sets the least change that counts.
    min_delta(f64);
    /// Sets the epochs after a reduction before monitoring resumes.
    cooldown(usize);
    /// Sets the lowest rate.
    min_lr(f64);
});

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
