//! The checkpoint that a resumed training continues from.
//!
//! `state.toml` names the other files of the checkpoint and is written last, so
//! that whoever is killed on the way leaves the checkpoint before it.

use super::model_file::load_whole;
use super::run_folder::{CHECKPOINT, tidy, write_text};
use crate::artifacts::callbacks::ModelCheckpointProgress;
use crate::artifacts::keras::save_keras;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::train::History;
use crate::train::callbacks::{EarlyStoppingProgress, ReduceLROnPlateauProgress};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

const STATE: &str = "state.toml";

/// The progress of a training.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// The number of the next epoch.
    pub epoch: usize,
    /// True once early stopping has ended the training.
    pub stopped: bool,
    /// The learning rate of the next step, unless a schedule sets it.
    pub learning_rate: f64,
    /// File of the current model.
    pub model: String,
    /// The file of the model with the best weights so far.
    pub best: Option<String>,
    /// The measurements, as `history.csv` has them.
    pub history: String,
    /// The progress of early stopping.
    pub early_stopping: Option<EarlyStoppingProgress>,
    /// The progress of the plateau watcher.
    pub reduce_lr_on_plateau: Option<ReduceLROnPlateauProgress>,
    /// The best measurement of the saved models.
    pub model_checkpoint: Option<ModelCheckpointProgress>,
}

/// A checkpoint as read.
#[derive(Debug)]
pub struct Checkpoint {
    /// The progress of the training.
    pub state: State,
    /// The model as it was.
    pub model: Model,
    /// The measurements up to it.
    pub history: History,
}

/// Writes the checkpoints of a run.
#[derive(Debug)]
pub struct Writer {
    folder: PathBuf,
    best_epoch: Option<usize>,
    /// Next epoch of the last checkpoint.
    pub written: Option<usize>,
}

impl Writer {
    /// A writer of checkpoints in that run folder.
    pub fn new(run: &Path) -> Result<Self> {
        let folder = run.join(CHECKPOINT);
        fs::create_dir_all(&folder).map_err(|cause| Error::io("create", &folder, cause))?;
        tidy(&folder);
        Ok(Writer {
            folder,
            best_epoch: None,
            written: None,
        })
    }

    /// Writes a checkpoint, and removes the previous one.
    pub fn write(&mut self, mut state: State, model: &Model, history: &History) -> Result<()> {
        state.model = format!("model-{}.keras", state.epoch);
        state.history = history.to_csv();
        save_keras(model, self.folder.join(&state.model))?;
        if let Some(early_stopping) = &state.early_stopping
            && let Some(weights) = &early_stopping.best_weights
        {
            let epoch = early_stopping.best_epoch;
            let name = format!("best-{}.keras", epoch.unwrap_or_default());
            if self.best_epoch != epoch {
                let mut best = model.clone();
                let own = best.layers.iter_mut().flat_map(|l| &mut l.weights);
                for (weight, values) in own.zip(weights) {
                    weight.set(values)?;
                }
                save_keras(&best, self.folder.join(&name))?;
                self.best_epoch = epoch;
            }
            state.best = Some(name);
        }
        let text = toml::to_string(&state).map_err(|error| Error::Internal(error.to_string()))?;
        write_text(&self.folder.join(STATE), &text)?;
        self.keep(&state);
        self.written = Some(state.epoch);
        Ok(())
    }

    /// Removes the files of earlier checkpoints.
    fn keep(&self, state: &State) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let kept =
                name == STATE || name == *state.model || Some(&*name) == state.best.as_deref();
            if !kept && name.ends_with(".keras") {
                // A leftover file does no harm.
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// The checkpoint of a run; `None` if the run ended before its first.
pub fn read(run: &Path) -> Result<Option<Checkpoint>> {
    let folder = run.join(CHECKPOINT);
    let path = folder.join(STATE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(Error::io("read", path, cause)),
    };
    let damaged = |problem: String| Error::file(&path, problem);
    let mut state: State = toml::from_str(&text).map_err(|error| damaged(error.to_string()))?;
    let history = History::from_csv(&state.history).map_err(|error| damaged(error.to_string()))?;
    let model = load_whole(&folder.join(&state.model))?;
    if let (Some(early_stopping), Some(best)) = (&mut state.early_stopping, &state.best) {
        let best = load_whole(&folder.join(best))?;
        early_stopping.best_weights = Some(best.weights().map(|w| w.values.clone()).collect());
    }
    Ok(Some(Checkpoint {
        state,
        model,
        history,
    }))
}
