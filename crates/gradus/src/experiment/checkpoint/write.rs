//! The folder of a run's checkpoints, and the way a checkpoint gets there.

use super::entry::{Entry, state_name, state_number};
use super::read::{numbers, read_state};
use super::state::State;
use crate::artifacts::keras::to_bytes;
use crate::base::atomic_file::write_atomic;
use crate::error::Result;
use crate::experiment::run_folder::{
    CHECKPOINT, CONFIG, HEALTH, HISTORY, create, tidy, write_text,
};
use crate::model::Model;
use crate::train::health::Health;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Everything that a checkpoint is written from.
#[derive(Debug)]
pub struct Snapshot {
    /// The progress of the training; its files are named by the writer.
    pub state: State,
    /// The model.
    pub model: Model,
    /// The pretrained model, if a pretraining has changed it.
    pub pretrained: Option<Model>,
    /// The health of the layers so far.
    pub health: Health,
}

/// The folder of a run's checkpoints.
#[derive(Debug)]
pub struct Folder {
    run: PathBuf,
    path: PathBuf,
    /// The run's resolved configuration, in case its file is removed.
    config: String,
    /// The number of checkpoints that are kept.
    keep: usize,
    /// The number of samples in `health.csv`, as far as this process has written it.
    samples: usize,
    /// The number of the next checkpoint.
    next: u64,
    /// The whole checkpoints, oldest first: their numbers and the names of their models.
    kept: Vec<(u64, Vec<String>)>,
    /// The epoch of the best weights that are in a file, and the file.
    best: Option<(Option<usize>, Entry)>,
}

impl Folder {
    /// The folder in that run folder, after the checkpoint that was resumed from.
    pub fn open(
        run: &Path,
        config: &str,
        keep: usize,
        resumed: Option<&(u64, State)>,
    ) -> Result<Self> {
        let path = run.join(CHECKPOINT);
        create(&path)?;
        tidy(&path);
        let numbers = numbers(&path)?;
        let whole = |number: &u64| resumed.is_some_and(|(last, _)| number <= last);
        let kept = numbers.iter().copied().filter(whole).filter_map(|number| {
            let (state, _) = read_state(&path, number).ok()?;
            Some((number, models(&state)))
        });
        let best = resumed.and_then(|(_, state)| {
            let early_stopping = state.early_stopping.as_ref()?;
            Some((early_stopping.best_epoch, state.best.clone()?))
        });
        Ok(Folder {
            run: run.to_owned(),
            config: config.to_owned(),
            keep,
            samples: 0,
            kept: kept.collect(),
            best,
            next: numbers.last().map_or(1, |last| last + 1),
            path,
        })
    }

    /// The folder's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a checkpoint and `history.csv`, and then removes checkpoints that are not kept.
    pub fn write(&mut self, snapshot: Snapshot) -> Result<()> {
        let Snapshot {
            mut state,
            model,
            pretrained,
            health,
        } = snapshot;
        // Whoever removed them does not end the training.
        create(&self.path)?;
        let config = self.run.join(CONFIG);
        if !config.exists() {
            write_text(&config, &self.config)?;
        }
        // Before the state, which counts the samples.
        if !health.samples.is_empty() && self.samples != health.samples.len() {
            write_text(&self.run.join(HEALTH), &health.to_csv()?)?;
            self.samples = health.samples.len();
        }
        let number = self.next;
        // A failed one leaves files of this number.
        self.next += 1;
        state.iteration = model.state.iteration;
        state.model = self.save(format!("model-{number:06}.keras"), &model)?;
        if let (Some(place), Some(pretrained)) = (&mut state.pretraining, &pretrained) {
            place.model = Some(self.save(format!("pretrained-{number:06}.keras"), pretrained)?);
        }
        if let Some(early_stopping) = &state.early_stopping
            && let Some(weights) = &early_stopping.best_weights
        {
            let epoch = early_stopping.best_epoch;
            let best = match self.best.take() {
                Some((of, entry)) if of == epoch && entry.is_there(&self.path) => entry,
                _ => {
                    let mut best = model;
                    best.set_values(weights)?;
                    self.save(format!("best-{number:06}.keras"), &best)?
                }
            };
            state.best = Some(best.clone());
            self.best = Some((epoch, best));
        }
        write_text(&self.path.join(state_name(number)), &state.to_text()?)?;
        self.kept.push((number, models(&state)));
        self.clear();
        write_text(&self.run.join(HISTORY), &state.history)
    }

    fn save(&self, name: String, model: &Model) -> Result<Entry> {
        let bytes = to_bytes(model)?;
        write_atomic(&self.path.join(&name), |file| file.write_all(&bytes))?;
        Ok(Entry::of(name, &bytes))
    }

    /// Removes the files of earlier checkpoints.
    fn clear(&mut self) {
        let path = &self.path;
        self.kept
            .retain(|(number, _)| path.join(state_name(*number)).exists());
        let surplus = self.kept.len().saturating_sub(self.keep);
        self.kept.drain(..surplus);
        for entry in fs::read_dir(&self.path).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let leftover = match state_number(&name) {
                Some(number) => self.kept.iter().all(|(kept, _)| *kept != number),
                None => {
                    let mut models = self.kept.iter().flat_map(|(_, models)| models);
                    name.ends_with(".keras") && models.all(|model| **model != *name)
                }
            };
            if leftover {
                // A leftover file does no harm.
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// The names of the models of a checkpoint.
fn models(state: &State) -> Vec<String> {
    let pretrained = state.pretraining.iter().flat_map(|place| &place.model);
    let all = std::iter::once(&state.model)
        .chain(&state.best)
        .chain(pretrained);
    all.map(|entry| entry.name.clone()).collect()
}
