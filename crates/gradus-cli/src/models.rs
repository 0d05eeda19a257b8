//! A model that a command was given, and what its file could not give.

use crate::output;
use crate::run_folder::model_path;
use gradus::artifacts::keras::{NotRead, Note, load_keras_with_notes};
use gradus::{Error, Model, Result};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// A model, and where it comes from.
pub struct Opened {
    pub model: Model,
    /// The file.
    pub path: PathBuf,
    /// The compile settings that were not read.
    pub notes: Vec<Note>,
}

/// Loads a model file, or the model in a run folder. What it was compiled with and gradus
/// does not know is told in a line, and keeps nobody from using its layers.
pub fn open(given: &Path) -> Result<Opened> {
    let path = model_path(given)?;
    let (model, notes) = load_keras_with_notes(&path)?;
    tell(&path, &notes);
    Ok(Opened { model, path, notes })
}

/// As [`open`], the model alone.
pub fn load(given: &Path) -> Result<Model> {
    open(given).map(|opened| opened.model)
}

/// Loads a model of gradus' own, in which everything has to be.
pub fn load_whole(path: &Path) -> Result<Model> {
    let (model, notes) = load_keras_with_notes(path)?;
    match notes.first() {
        None => Ok(model),
        Some(note) => Err(Error::file(path, note)),
    }
}

/// Says in one line what was not read of a file; once, however often it is loaded (for each
/// fold of a cross-validation).
pub fn tell(path: &Path, notes: &[Note]) {
    static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());
    if notes.is_empty() {
        return;
    }
    let notes: Vec<String> = notes.iter().map(Note::to_string).collect();
    let line = format!("note: {}: {}", path.display(), notes.join("; "));
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    if !told.contains(&line) {
        output::message(&line);
        told.push(line);
    }
}

impl Opened {
    /// The model, if it can be evaluated: an error that says what it lacks.
    pub fn into_evaluable(self) -> Result<Model> {
        let goals = self.model.compiled.as_ref();
        if goals.is_some_and(|compiled| compiled.trained().next().is_some()) {
            return Ok(self.model);
        }
        let unknown = self.notes.iter().find(|note| note.part == NotRead::Loss);
        let problem = match unknown {
            Some(note) => format!("cannot be evaluated: {note}"),
            None => "was saved without a loss, so it cannot be evaluated; it can predict".into(),
        };
        Err(Error::file(&self.path, problem))
    }
}
