use super::filepath::{Number, fill};
use crate::base::atomic_file::{create_parent, tidy_beside};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::train::callbacks::{Direction, Progress, improves, monitored};
use crate::train::{Callback, Logs, Training};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// Saves the model during training: after each epoch, or only the best.
///
/// Each file is a complete `.keras` file, with the optimizer's state, or with `save_weights_only` a
/// `.weights.h5` file.
///
/// ```no_run
/// use gradus::artifacts::callbacks::ModelCheckpoint;
/// use gradus::prelude::*;
///
/// // The best so far, in one file:
/// let best = ModelCheckpoint::new("best.keras").monitor("val_loss").save_best_only(true);
/// // Every epoch, in files of their own:
/// let each = ModelCheckpoint::new("checkpoints/{epoch:02d}-{val_loss:.4f}.keras");
/// let options = Fit::new().epochs(20).validation_split(0.1).callback(best).callback(each);
/// # let _ = options;
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ModelCheckpoint {
    /// The file, which must end in `.keras`, or in `.weights.h5` if only weights are saved.
    /// Python's placeholders in it are filled: `{epoch}` from 1, `{batch}`, and results, as in
    /// `{epoch:02d}-{val_loss:.4f}.keras`. Folders are created.
    #[schemars(extend("examples" = ["best.keras"]))]
    pub filepath: String,
    /// Monitored value if only the best is saved. Default `val_loss`.
    #[serde(default = "val_loss")]
    pub monitor: String,
    /// True to save only a model that is better than all before. Default no.
    #[serde(default)]
    pub save_best_only: bool,
    /// Better direction. Default the metric's own.
    #[serde(default)]
    pub mode: Direction,
    /// Frequency. Default after each epoch.
    #[serde(default)]
    pub save_freq: SaveFreq,
    /// Baseline for the first model. Default none.
    #[serde(default)]
    #[schemars(extend("examples" = [0.5]))]
    pub initial_value_threshold: Option<f64>,
    /// True to save only weights (and the optimizer's state), in a `.weights.h5` file. Default no.
    #[serde(default)]
    pub save_weights_only: bool,
    #[serde(skip)]
    progress: ModelCheckpointProgress,
    #[serde(skip)]
    refused: Option<Refused>,
}

/// A model that the system refused to write, which is tried again.
#[derive(Clone, Debug)]
struct Refused {
    path: PathBuf,
    model: Model,
    /// The best value, once it is written.
    best: Option<f64>,
}

impl PartialEq for Refused {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path && self.best == other.best
    }
}

/// The frequency of checkpoints: `"epoch"`, or a number of batches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "serde_json::Value", into = "serde_json::Value")]
pub enum SaveFreq {
    /// After each epoch.
    #[default]
    Epoch,
    /// After each this many steps, across epochs.
    Batches(u64),
}

impl TryFrom<serde_json::Value> for SaveFreq {
    type Error = String;

    fn try_from(value: serde_json::Value) -> Result<Self, String> {
        match (value.as_str(), value.as_u64()) {
            (Some("epoch"), _) => Ok(SaveFreq::Epoch),
            (_, Some(batches)) if batches > 0 => Ok(SaveFreq::Batches(batches)),
            _ => Err(format!(
                "found {value}, expected \"epoch\" or a number of batches"
            )),
        }
    }
}

impl JsonSchema for SaveFreq {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "SaveFreq".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "const": "epoch" }, { "type": "integer", "minimum": 1 }] })
    }
}

impl From<SaveFreq> for serde_json::Value {
    fn from(freq: SaveFreq) -> Self {
        match freq {
            SaveFreq::Epoch => "epoch".into(),
            SaveFreq::Batches(batches) => batches.into(),
        }
    }
}

/// The progress so far, from which an interrupted training resumes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelCheckpointProgress {
    /// The best value.
    pub best: Option<f64>,
    /// Steps since the last checkpoint.
    pub batches: u64,
}

fn val_loss() -> String {
    "val_loss".into()
}

impl ModelCheckpoint {
    /// Saves under that name after each epoch.
    pub fn new(filepath: impl Into<String>) -> Self {
        ModelCheckpoint {
            filepath: filepath.into(),
            monitor: val_loss(),
            save_best_only: false,
            mode: Direction::Auto,
            save_freq: SaveFreq::Epoch,
            initial_value_threshold: None,
            save_weights_only: false,
            progress: ModelCheckpointProgress::default(),
            refused: None,
        }
    }

    /// Sets the monitored value.
    pub fn monitor(mut self, monitor: impl Into<String>) -> Self {
        self.monitor = monitor.into();
        self
    }

    /// Enables or disables saving only the best.
    pub fn save_best_only(mut self, best: bool) -> Self {
        self.save_best_only = best;
        self
    }

    /// Sets the better direction.
    pub fn mode(mut self, mode: Direction) -> Self {
        self.mode = mode;
        self
    }

    /// Sets the frequency.
    pub fn save_freq(mut self, freq: SaveFreq) -> Self {
        self.save_freq = freq;
        self
    }

    /// Sets the baseline for the first model.
    pub fn initial_value_threshold(mut self, value: f64) -> Self {
        self.initial_value_threshold = Some(value);
        self
    }

    /// Chooses between weights only and whole models.
    pub fn save_weights_only(mut self, only: bool) -> Self {
        self.save_weights_only = only;
        self
    }

    /// Checks that the file's name can be filled, given the values `known` of an epoch.
    pub fn check<'a>(&self, known: impl Iterator<Item = &'a str> + Clone) -> Result<()> {
        let name = self.fill(|name| {
            let all = ["epoch", "batch"].into_iter().chain(known.clone());
            match (name, self.save_freq) {
                ("epoch", _) | ("batch", SaveFreq::Batches(_)) => Ok(Number::Whole(1)),
                _ if known.clone().any(|n| n == name) => Ok(Number::Real(1.0)),
                _ => Err(Error::unknown("filepath", "placeholder", name, all)),
            }
        })?;
        let ending = match self.save_weights_only {
            true => ".weights.h5",
            false => ".keras",
        };
        match name.ends_with(ending) {
            true => Ok(()),
            false => {
                let expected = format!("a name that ends in {ending}");
                Err(Error::invalid("filepath", name, expected))
            }
        }
    }

    fn fill(&self, value: impl Fn(&str) -> Result<Number>) -> Result<String> {
        fill(&self.filepath, value)
    }

    /// The progress so far.
    pub fn progress(&self) -> &ModelCheckpointProgress {
        &self.progress
    }

    /// Restores earlier progress; call it after `on_train_begin`, which resets it.
    pub fn set_progress(&mut self, progress: ModelCheckpointProgress) {
        self.progress = progress;
    }

    /// Saves, if a checkpoint is due.
    fn save(
        &mut self,
        epoch: usize,
        batch: Option<usize>,
        logs: &Logs,
        training: &mut Training<'_>,
    ) -> Result<()> {
        let refused = self.refused.as_ref();
        let mut best = refused.map_or(self.progress.best, |refused| refused.best);
        if self.save_best_only {
            let now = monitored(logs, &self.monitor)?;
            let better = training.better(self.mode, &self.monitor)?;
            if training.is_unfinished() || !improves(better, now, best, 0.0) {
                return self.save_refused();
            }
            best = Some(now);
        }
        let path = self.fill(|name| match (name, batch) {
            ("epoch", _) => Ok(Number::Whole(epoch + 1)),
            ("batch", Some(batch)) => Ok(Number::Whole(batch + 1)),
            _ => logs
                .get(name)
                .map(Number::Real)
                .ok_or_else(|| Error::unknown("filepath", "placeholder", name, logs.names())),
        })?;
        let path = PathBuf::from(path);
        if self.refused.as_ref().is_some_and(|r| r.path != path) {
            // If it is refused again, this model takes its place.
            let _ = self.save_refused();
        }
        let written = self.write(&path, training.model());
        if let Err(Error::Io { .. }) = written {
            let model = training.model().clone();
            self.refused = Some(Refused { path, model, best });
        } else if written.is_ok() {
            self.refused = None;
            self.progress.best = best;
        }
        written
    }

    fn write(&self, path: &Path, model: &Model) -> Result<()> {
        create_parent(path)?;
        tidy_beside(path);
        match self.save_weights_only {
            true => model.save_weights(path),
            false => model.save(path),
        }
    }

    /// Saves the model that the system refused to write before, if there is one.
    fn save_refused(&mut self) -> Result<()> {
        if let Some(refused) = &self.refused {
            self.write(&refused.path, &refused.model)?;
            self.progress.best = refused.best;
            self.refused = None;
        }
        Ok(())
    }
}

impl Callback for ModelCheckpoint {
    fn on_train_begin(&mut self, training: &mut Training<'_>) -> Result<()> {
        self.refused = None;
        self.progress = ModelCheckpointProgress {
            best: self.initial_value_threshold,
            batches: 0,
        };
        if self.save_best_only {
            training.better(self.mode, &self.monitor)?;
        }
        Ok(())
    }

    fn on_train_batch_end(
        &mut self,
        progress: &Progress<'_>,
        training: &mut Training<'_>,
    ) -> Result<()> {
        let SaveFreq::Batches(batches) = self.save_freq else {
            return Ok(());
        };
        self.progress.batches += 1;
        if self.progress.batches < batches {
            return Ok(());
        }
        self.progress.batches = 0;
        let (epoch, batch) = (progress.epoch, Some(progress.batch));
        self.save(epoch, batch, &progress.logs(), training)
    }

    fn on_epoch_end(
        &mut self,
        epoch: usize,
        logs: &Logs,
        training: &mut Training<'_>,
    ) -> Result<()> {
        match self.save_freq {
            SaveFreq::Epoch => self.save(epoch, None, logs, training),
            SaveFreq::Batches(_) => self.save_refused(),
        }
    }

    fn on_train_end(&mut self, _: &mut Training<'_>) -> Result<()> {
        self.save_refused()
    }
}
