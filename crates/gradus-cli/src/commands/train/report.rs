//! What `gradus train` prints at the end.

use super::Trained;
use crate::output::{measurements, number, quoted};
use crate::run_folder::{CONFIG, HISTORY, MODEL};
use crate::watch::Watch;
use gradus::data::Data;
use gradus::rules::metrics::Better;
use gradus::train::Epoch;
use gradus::train::callbacks::Direction;
use gradus::{Error, Result};
use std::path::Path;

impl Trained {
    /// What came out.
    pub fn report(&self) -> Result<String> {
        let (run, watch) = (&self.run, self.watch.0.borrow());
        let mut text = String::new();
        text += &format!(
            "trained     {} epochs in {:.1} s",
            watch.history.epochs.len(),
            seconds(&watch)
        );
        if let Some(best) = restored(&watch) {
            text += &format!(", kept the weights of epoch {}", best + 1);
        }
        text.push('\n');
        text += &self.better_epoch().unwrap_or_default();
        if let Some(kept) = kept(&watch) {
            let of = |validation: bool| {
                let logs = kept
                    .logs
                    .iter()
                    .filter(|(name, _)| *name != "learning_rate");
                let logs = logs.filter(|(name, _)| name.starts_with("val_") == validation);
                measurements(logs.map(|(name, value)| (name.trim_start_matches("val_"), value)))
            };
            text += &match &run.data.train {
                // As the validation is: with dropout off, by the weights that are kept.
                Data::Memory(rows) => {
                    let logs = run.model.evaluate(rows)?;
                    format!("training    {}\n", measurements(logs.iter()))
                }
                // Another pass through the file may take long.
                _ => format!(
                    "training    {}  (as epoch {} went, dropout on)\n",
                    of(false),
                    kept.epoch + 1
                ),
            };
            if let Some(validation) = &run.data.validation {
                // The epoch was measured before the weights became their averages.
                let averaged = run
                    .model
                    .compiled
                    .as_ref()
                    .is_some_and(|c| c.optimizer().is_ok_and(|optimizer| optimizer.use_ema));
                text += &match averaged && restored(&watch).is_none() {
                    true => {
                        let logs = run.model.evaluate(validation)?;
                        format!("validation  {}\n", measurements(logs.iter()))
                    }
                    false => format!("validation  {}\n", of(true)),
                };
            }
        }
        if let Some(test) = &run.data.test {
            let logs = run.model.evaluate(test)?;
            let rows = test.rows().unwrap_or_default();
            text += &format!("test        {}  ({rows} rows)\n", measurements(logs.iter()));
        }
        Ok(text + &format!("run folder  {}\n", self.folder.display()))
    }

    /// A line that says so, if another epoch than the one that is kept was the best.
    fn better_epoch(&self) -> Option<String> {
        let (run, watch) = (&self.run, self.watch.0.borrow());
        let early_stopping = watch.callbacks.early_stopping.as_ref();
        let watched = early_stopping.map(|e| (e.monitor.as_str(), e.mode));
        let (monitor, mode) = watched.unwrap_or(("val_loss", Direction::Auto));
        let better = mode.of(monitor, &run.model).ok()?;
        let measured = |epoch: &Epoch| {
            let value = epoch.logs.get(monitor).filter(|value| !value.is_nan());
            value.map(|value| (epoch.epoch, value))
        };
        let kept = kept(&watch)?;
        let now = kept.logs.get(monitor)?;
        let all = watch.history.epochs.iter().filter_map(measured);
        let (best, value) = all.reduce(|a, b| {
            let improves = match better {
                Better::Larger => b.1 > a.1,
                Better::Smaller => b.1 < a.1,
            };
            if improves { b } else { a }
        })?;
        if best == kept.epoch || value == now {
            return None;
        }
        let why = match early_stopping {
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
        let (best, kept) = (best + 1, kept.epoch + 1);
        let (value, now) = (number(value), number(now));
        Some(format!(
            "not kept    epoch {best} was better than epoch {kept}: {monitor} {value} against \
             {now}; {why}\n"
        ))
    }

    /// What to type next.
    pub fn next(&self) -> String {
        let gradus = std::env::args().next().unwrap_or("gradus".into());
        let (gradus, model) = (
            quoted(&gradus),
            quoted(&self.folder.join(MODEL).to_string_lossy()),
        );
        let config = self.folder.join(CONFIG).to_string_lossy().into_owned();
        let data = quoted(self.run.test_spec.as_ref().unwrap_or(&config));
        format!(
            "\nnext\n  {gradus} evaluate {model} --data {data}\n  \
             {gradus} predict {model} --data {data} --out predictions.csv\n  \
             {gradus} summary {model}\n"
        )
    }
}

/// How long all epochs took.
pub fn seconds(watch: &Watch) -> f64 {
    watch.history.epochs.iter().map(|epoch| epoch.seconds).sum()
}

/// The epoch whose weights were taken back, if early stopping did that.
fn restored(watch: &Watch) -> Option<usize> {
    let early_stopping = watch.callbacks.early_stopping.as_ref();
    let restores = early_stopping.filter(|e| e.restore_best_weights);
    restores.and_then(|e| e.progress().best_epoch)
}

/// The epoch that the model is of.
pub fn kept(watch: &Watch) -> Option<&Epoch> {
    let epochs = &watch.history.epochs;
    match restored(watch) {
        Some(best) => epochs.iter().find(|epoch| epoch.epoch == best),
        None => epochs.last(),
    }
}

/// The error of a training that broke, with what the run folder keeps of it.
pub fn with_what_is_kept(error: Error, watch: &Watch, folder: &Path) -> Error {
    let Error::BlowUp {
        epoch,
        step,
        problem,
    } = error
    else {
        return error;
    };
    let finite = |e: &&Epoch| e.logs.get("loss").is_some_and(f64::is_finite);
    let before = watch.history.epochs.iter().rev().find(finite);
    let state = match (restored(watch), before) {
        (Some(best), Some(_)) => format!("with the best weights, of epoch {}", best + 1),
        (_, Some(last)) => format!("as it was after epoch {}", last.epoch + 1),
        (_, None) => "as it was before the first epoch".to_owned(),
    };
    let model = folder.join(MODEL);
    Error::BlowUp {
        epoch,
        step,
        problem: format!(
            "{problem}\nkept: {}, {state}; {}",
            model.display(),
            folder.join(HISTORY).display()
        ),
    }
}
