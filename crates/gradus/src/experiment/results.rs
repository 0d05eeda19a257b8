//! The results of a training: the epoch that was kept, and measurements of its model.

use super::resolve::Run;
use super::run_folder::{HISTORY, MODEL};
use crate::data::Data;
use crate::error::{Error, Result};
use crate::train::callbacks::Direction;
use crate::train::{EarlyStopping, Epoch, History, Logs, Pruning};
use std::path::Path;

/// The results of a training.
#[derive(Clone, Debug)]
pub struct Results {
    /// The epoch, from 0, whose weights early stopping took back, if it did.
    pub restored: Option<usize>,
    /// The epoch, from 0, that the model is of.
    pub kept: Option<usize>,
    /// A better epoch than the one that was kept, if there was one.
    pub better: Option<BetterEpoch>,
    /// The share of zeros among the weights of a training that prunes.
    pub pruned: Option<f64>,
    /// Loss and metrics of the rows that were trained on: by the model as it is kept if
    /// they are in memory, else as that epoch measured them while it trained.
    pub training: Option<Logs>,
    /// True if `training` is by the model as it is kept.
    pub training_evaluated: bool,
    /// Loss and metrics of the validation, without `val_`.
    pub validation: Option<Logs>,
    /// Loss and metrics of the test, and its number of rows.
    pub test: Option<(Logs, usize)>,
    /// The seconds that all epochs took.
    pub seconds: f64,
}

/// A better epoch than the one that was kept.
#[derive(Clone, Debug)]
pub struct BetterEpoch {
    /// The epoch, from 0.
    pub epoch: usize,
    /// The measurement by which it is better.
    pub monitor: String,
    /// That of this epoch.
    pub value: f64,
    /// That of the epoch that was kept.
    pub kept: f64,
    /// The setting by which it was not kept.
    pub reason: String,
}

/// The measurements of a training, and the callback that chooses among its epochs.
pub struct Record {
    pub history: History,
    pub early_stopping: Option<EarlyStopping>,
    pub pruning: Option<Pruning>,
    /// The epoch that the training was resumed in, from 0, and the steps of it that were done; 0
    /// steps at its beginning.
    pub resumed: (usize, usize),
}

impl Record {
    /// The seconds that all epochs took.
    pub fn seconds(&self) -> f64 {
        self.history.epochs.iter().map(|epoch| epoch.seconds).sum()
    }

    /// The epoch whose weights were restored, if early stopping did so.
    fn restored(&self) -> Option<usize> {
        let early_stopping = self.early_stopping.as_ref();
        let restores = early_stopping.filter(|e| e.restore_best_weights);
        restores.and_then(|e| e.progress().best_epoch)
    }

    /// The epoch of the final weights.
    pub fn kept(&self) -> Option<&Epoch> {
        let epochs = &self.history.epochs;
        match self.restored() {
            Some(best) => epochs.iter().find(|epoch| epoch.epoch == best),
            None => epochs.last(),
        }
    }

    /// The results of the run that it records.
    pub fn results(&self, run: &Run) -> Result<Results> {
        let (restored, kept) = (self.restored(), self.kept());
        let mut results = Results {
            restored,
            kept: kept.map(|epoch| epoch.epoch),
            better: self.better_epoch(run),
            pruned: self.pruned(run)?,
            training: None,
            training_evaluated: false,
            validation: None,
            test: None,
            seconds: self.seconds(),
        };
        if let Some(kept) = kept {
            let of = |validation: bool| {
                let logs = kept.logs.iter();
                let logs = logs.filter(|(name, _)| *name != "learning_rate");
                let logs = logs.filter(|(name, _)| name.starts_with("val_") == validation);
                logs.map(|(name, value)| (name.trim_start_matches("val_"), value))
                    .collect::<Logs>()
            };
            results.training = Some(match &run.data.train {
                // As for the validation: with dropout off, by the weights that are kept.
                Data::Memory(rows) => {
                    results.training_evaluated = true;
                    run.model.evaluate(rows)?
                }
                // Another pass over the file may take long.
                _ => of(false),
            });
            if let Some(validation) = &run.data.validation {
                // The epoch was evaluated before the weights became their averages.
                let compiled = run.model.compiled.as_ref();
                let averaged = compiled
                    .is_some_and(|c| c.optimizer().is_ok_and(|optimizer| optimizer.use_ema));
                results.validation = Some(match averaged && restored.is_none() {
                    true => run.model.evaluate(validation)?,
                    false => of(true),
                });
            }
        }
        if let Some(test) = &run.data.test {
            let logs = run.model.evaluate(test)?;
            results.test = Some((logs, test.rows().unwrap_or_default()));
        }
        Ok(results)
    }

    /// The share of zeros in the variables that were pruned.
    fn pruned(&self, run: &Run) -> Result<Option<f64>> {
        let share = |pruning: &Pruning| pruning.sparsity_of(&run.model);
        self.pruning.as_ref().map(share).transpose()
    }

    /// Another epoch than the one that is kept, if it was the best.
    fn better_epoch(&self, run: &Run) -> Option<BetterEpoch> {
        let early_stopping = self.early_stopping.as_ref();
        let watched = early_stopping.map(|e| (e.monitor.as_str(), e.mode));
        let (monitor, mode) = watched.unwrap_or(("val_loss", Direction::Auto));
        let better = mode.of(monitor, &run.model).ok()?;
        let kept = self.kept()?;
        let now = kept.logs.get(monitor)?;
        let (best, value) = self.history.best(monitor, better)?;
        if best == kept.epoch || value == now {
            return None;
        }
        let reached = self.pruning.as_ref().and_then(Pruning::reached_in);
        let reason = match early_stopping {
            _ if reached.is_some_and(|reached| best < reached) => {
                "it is before callbacks.pruning has come to its last share".into()
            }
            Some(e) if e.restore_best_weights && best < e.start_from_epoch => {
                let from = e.start_from_epoch;
                format!("it is before early_stopping.start_from_epoch = {from}")
            }
            Some(e) if e.restore_best_weights => {
                format!(
                    "the difference is below early_stopping.min_delta = {}",
                    e.min_delta
                )
            }
            _ => "callbacks.early_stopping with restore_best_weights = true keeps the best".into(),
        };
        Some(BetterEpoch {
            epoch: best,
            monitor: monitor.to_owned(),
            value,
            kept: now,
            reason,
        })
    }

    /// The error of a training that broke, with the contents of the run folder.
    pub fn blow_up(&self, error: Error, folder: &Path, not_written: &[String]) -> Error {
        let Error::BlowUp {
            epoch,
            step,
            problem,
        } = error
        else {
            return error;
        };
        let finite = |e: &&Epoch| e.logs.get("loss").is_some_and(f64::is_finite);
        let before = self.history.epochs.iter().rev().find(finite);
        let (inside, steps) = self.resumed;
        let state = match (self.restored(), before) {
            (Some(best), Some(_)) => format!("with the best weights, of epoch {}", best + 1),
            (_, last) if steps > 0 && last.is_none_or(|last| last.epoch < inside) => {
                format!("as it was after step {steps} of epoch {}", inside + 1)
            }
            (_, Some(last)) => format!("as it was after epoch {}", last.epoch + 1),
            (_, None) => "as it was before the first epoch".to_owned(),
        };
        let model = folder.join(MODEL);
        Error::BlowUp {
            epoch,
            step,
            problem: format!(
                "{problem}\nkept: {}, {state}; {}{}",
                model.display(),
                folder.join(HISTORY).display(),
                not_written
                    .iter()
                    .map(|failure| format!("\n{failure}"))
                    .collect::<String>()
            ),
        }
    }
}
