//! Model files that a command was given.

use crate::output;
use gradus::artifacts::keras::Note;
use gradus::experiment::ModelFile;
use gradus::{Error, Model, Result};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Opens a model file, or the model in a run folder, and says what was not read of it.
pub fn open(given: &Path) -> Result<ModelFile> {
    let opened = ModelFile::open(given)?;
    say_not_read(&opened.path, &opened.notes);
    Ok(opened)
}

/// Like [`open`], the model alone.
pub fn load(given: &Path) -> Result<Model> {
    open(given).map(|opened| opened.model)
}

/// True for the name of a `.keras` file.
pub fn is_keras(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "keras")
}

/// Refuses a name for a model that does not end in `.keras`.
pub fn check_output(path: &Path) -> Result<()> {
    match is_keras(path) {
        true => Ok(()),
        false => {
            let problem = "found as OUT, expected a name that ends in .keras";
            Err(Error::file(path, problem))
        }
    }
}

/// Reports the unread parts of a file in one line; once per file, however often it is loaded (for
/// each fold of a cross-validation).
pub fn say_not_read(path: &Path, notes: &[Note]) {
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
