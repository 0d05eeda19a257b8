//! The state of a training, as a checkpoint has it.

use super::entry::Entry;
use crate::artifacts::callbacks::ModelCheckpointProgress;
use crate::base::digest::Digest;
use crate::error::{Error, Result};
use crate::train::callbacks::{EarlyStoppingProgress, ReduceLROnPlateauProgress};
use crate::train::{History, Position};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The progress of a training.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// The number of the epoch to go on with.
    pub epoch: usize,
    /// The steps of it that are done.
    pub step: usize,
    /// The sums of its loss and metrics so far; empty at its beginning.
    pub meters: Vec<f64>,
    /// The seconds that it has taken so far.
    pub seconds: f64,
    /// The steps that the optimizer has taken.
    pub iteration: u64,
    /// The place in the pretraining, if that has not ended: the numbers above and the model are
    /// those of its auxiliary model.
    pub pretraining: Option<Pretraining>,
    /// True once early stopping has ended the training.
    pub stopped: bool,
    /// The learning rate of the next step, unless a schedule sets it.
    pub learning_rate: f64,
    /// The run's resolved configuration.
    pub config: String,
    /// The digests of the run's data, by the names of its parts.
    pub data: BTreeMap<String, String>,
    /// The size of the log of the epochs up to it, if one is appended to.
    pub csv_logger: Option<u64>,
    /// The measurements, as `history.csv` has them.
    pub history: String,
    /// The samples of the layers' health so far, which are in `health.csv`.
    #[serde(default)]
    pub samples: usize,
    /// File of the current model.
    pub model: Entry,
    /// The file of the model with the best weights so far.
    pub best: Option<Entry>,
    /// The progress of early stopping.
    pub early_stopping: Option<EarlyStoppingProgress>,
    /// The progress of the plateau watcher.
    pub reduce_lr_on_plateau: Option<ReduceLROnPlateauProgress>,
    /// The best measurement of the saved models.
    pub model_checkpoint: Option<ModelCheckpointProgress>,
}

/// The place in a pretraining, apart from the auxiliary model's.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pretraining {
    /// The number of the auxiliary model, from 0.
    pub part: usize,
    /// The measurements of each auxiliary model so far.
    pub histories: Vec<String>,
    /// The file of the pretrained model, if auxiliary models before have changed it.
    pub model: Option<Entry>,
}

impl State {
    /// The state as text: its digest in the first line, then TOML.
    pub fn to_text(&self) -> Result<String> {
        let text = toml::to_string(self).map_err(|error| Error::Internal(error.to_string()))?;
        Ok(first_line(&text) + &text)
    }

    /// Reads the text, whose digest has to be right, and its history.
    pub fn from_text(text: &str) -> Result<(Self, History)> {
        let (_, rest) = text.split_once('\n').unwrap_or_default();
        if !text.starts_with(&first_line(rest)) {
            let problem = "its text is not the one that was written";
            return Err(inconsistent(problem.to_owned()));
        }
        let state: State = toml::from_str(rest).map_err(|e| inconsistent(e.to_string()))?;
        let history = History::from_csv(&state.history)?;
        state.check(&history)?;
        Ok((state, history))
    }

    /// The part of the epoch that is done.
    pub fn position(&self) -> Position {
        Position {
            step: self.step,
            meters: self.meters.clone(),
            seconds: self.seconds,
        }
    }

    /// Refuses facts that contradict each other, or that no training comes to.
    fn check(&self, history: &History) -> Result<()> {
        let numbers = history.epochs.iter().map(|epoch| epoch.epoch + 1);
        let last = numbers.clone().next_back();
        if !numbers
            .clone()
            .zip(numbers.skip(1))
            .all(|(a, b)| a + 1 == b)
        {
            return Err(inconsistent("epochs are missing in its history".to_owned()));
        }
        if last.is_some_and(|last| last != self.epoch) {
            let epoch = self.epoch;
            let problem = format!("is of epoch {epoch}, its history ends before another one");
            return Err(inconsistent(problem));
        }
        let rate = self.learning_rate;
        // NaN is the rate of an optimizer whose schedule sets it.
        if rate < 0.0 || rate.is_infinite() {
            let expected = "a finite number of 0 or more";
            return Err(Error::invalid("learning_rate", rate, expected));
        }
        if !(self.seconds >= 0.0 && self.seconds.is_finite()) {
            let expected = "a finite number of 0 or more";
            return Err(Error::invalid("seconds", self.seconds, expected));
        }
        Ok(())
    }
}

fn inconsistent(problem: String) -> Error {
    Error::Config {
        at: String::new(),
        problem,
    }
}

/// The line before the TOML, with its digest.
fn first_line(text: &str) -> String {
    format!("digest = \"{}\"\n", Digest::of(text.as_bytes()))
}
