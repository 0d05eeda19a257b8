//! The newest checkpoint that is whole.

use super::entry::{Entry, state_name, state_number};
use super::state::State;
use crate::artifacts::keras::from_reader;
use crate::base::files;
use crate::error::{Error, Result};
use crate::experiment::event::{Event, Progress};
use crate::experiment::run_folder::CHECKPOINT;
use crate::model::Model;
use crate::train::History;
use std::fs;
use std::io::{Cursor, ErrorKind};
use std::path::{Path, PathBuf};

/// A checkpoint as read.
#[derive(Debug)]
pub struct Checkpoint {
    /// The number of its state.
    pub number: u64,
    /// The progress of the training.
    pub state: State,
    /// The model as it was.
    pub model: Model,
    /// The measurements up to it.
    pub history: History,
    /// The pretrained model, if it is not as it was before the pretraining.
    pub pretrained: Option<Model>,
}

/// Size limit of a state: that of two million epochs.
const MAX_STATE: u64 = 256 << 20;

/// The state of the versions before states had digests.
const OLD_STATE: &str = "state.toml";

/// The newest whole checkpoint of a run; `None` if the run ended before its first. Damaged ones
/// after it are told.
pub fn read(run: &Path, progress: &Progress<'_>) -> Result<Option<Checkpoint>> {
    let folder = run.join(CHECKPOINT);
    let numbers = numbers(&folder)?;
    let mut damaged: Vec<(PathBuf, Error)> = Vec::new();
    for &number in numbers.iter().rev() {
        match read_one(&folder, number) {
            Ok(checkpoint) => {
                for (path, problem) in &damaged {
                    progress.tell(&Event::CheckpointDamaged { path, problem })?;
                }
                return Ok(Some(checkpoint));
            }
            Err(error) => damaged.push((folder.join(state_name(number)), error)),
        }
    }
    let problem = match &damaged[..] {
        [] if folder.join(OLD_STATE).exists() => {
            "is of an older gradus, which wrote no digests: resume with that one, or".to_owned()
        }
        [] => return Ok(None),
        damaged => {
            let each = damaged.iter().map(|(path, problem)| {
                let name = path.file_name().unwrap_or_default();
                format!("{}: {problem}", name.display())
            });
            let each: Vec<String> = each.collect();
            format!("holds no whole checkpoint: {};", each.join("; "))
        }
    };
    let problem = format!(
        "{problem} start anew: with another --out, or with --resume after removing this folder"
    );
    Err(Error::file(folder, problem))
}

/// The numbers of the states in a folder, ascending; none if there is no folder.
pub fn numbers(folder: &Path) -> Result<Vec<u64>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(Error::io("read", folder, cause)),
    };
    let names = entries.flatten().map(|entry| entry.file_name());
    let mut numbers: Vec<u64> = names
        .filter_map(|name| state_number(name.to_str()?))
        .collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// The state of that number and its history, if its text is whole.
pub fn read_state(folder: &Path, number: u64) -> Result<(State, History)> {
    let path = folder.join(state_name(number));
    State::from_text(&files::read_text(&path, "a checkpoint's state", MAX_STATE)?)
}

fn read_one(folder: &Path, number: u64) -> Result<Checkpoint> {
    let (mut state, history) = read_state(folder, number)?;
    let model = load(folder, &state.model, "model")?;
    if model.state.iteration != state.iteration {
        let (found, expected) = (model.state.iteration, state.iteration);
        return Err(Error::invalid("iteration", found, expected));
    }
    if let (Some(early_stopping), Some(best)) = (&mut state.early_stopping, &state.best) {
        let best = load(folder, best, "best")?;
        early_stopping.best_weights = Some(best.values());
    }
    let pretrained = state.pretraining.as_ref().and_then(|p| p.model.as_ref());
    let pretrained = pretrained.map(|entry| load(folder, entry, "pretrained"));
    Ok(Checkpoint {
        number,
        pretrained: pretrained.transpose()?,
        state,
        model,
        history,
    })
}

/// The model of a file, which must be complete.
fn load(folder: &Path, entry: &Entry, kind: &str) -> Result<Model> {
    let bytes = entry.read(folder, kind)?;
    let path = folder.join(&entry.name);
    let (model, notes) = from_reader(Cursor::new(bytes), &path)?;
    match notes.first() {
        None => Ok(model),
        Some(note) => Err(Error::file(path, note)),
    }
}
