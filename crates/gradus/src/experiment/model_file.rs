//! Model files of an experiment, and what their compile settings could not give.

use super::event::{Event, Progress};
use super::run_folder::model_path;
use crate::artifacts::keras::{NotRead, Note, load_keras_with_digest, load_keras_with_notes};
use crate::artifacts::onnx::{is_onnx, load_onnx, load_onnx_with_digest};
use crate::error::{Error, Result};
use crate::model::Model;
use std::path::{Path, PathBuf};

/// A model, and its origin.
#[derive(Clone, Debug)]
pub struct ModelFile {
    /// The model.
    pub model: Model,
    /// The file.
    pub path: PathBuf,
    /// The compile settings that were not read, which keeps nobody from using the layers.
    pub notes: Vec<Note>,
}

impl ModelFile {
    /// Opens a model file (`.keras`, `.h5` of Keras, `.onnx`), or the model in a run folder.
    pub fn open(given: impl AsRef<Path>) -> Result<Self> {
        let path = model_path(given.as_ref())?;
        let (model, notes) = by_format(&path, load_onnx, load_keras_with_notes)?;
        Ok(ModelFile { model, path, notes })
    }

    /// The model, if it can be evaluated; otherwise an error that names what is missing.
    pub fn into_evaluable(self) -> Result<Model> {
        let output_losses = self.model.compiled.as_ref();
        if output_losses.is_some_and(|compiled| compiled.trained().next().is_some()) {
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

/// Reads a file in the way for its format.
fn by_format<'a, T>(
    path: &'a Path,
    onnx: impl FnOnce(&'a Path) -> Result<T>,
    keras: impl FnOnce(&'a Path) -> Result<T>,
) -> Result<T> {
    match is_onnx(path) {
        true => onnx(path),
        false => keras(path),
    }
}

/// A file that a run begins with.
#[derive(Clone, Debug)]
pub struct Start {
    /// Its name in messages.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// The digest of its bytes.
    pub digest: String,
}

/// Loads the model of a file or a run folder, and reports what was not read of it.
pub fn load(given: &Path, progress: &Progress<'_>) -> Result<(Model, Start)> {
    let path = model_path(given)?;
    let (model, notes, digest) = by_format(&path, load_onnx_with_digest, load_keras_with_digest)?;
    if !notes.is_empty() {
        let (path, notes) = (&path, &notes);
        progress.tell(&Event::ModelNotes { path, notes })?;
    }
    let name = "model.file".to_owned();
    Ok((model, Start { name, path, digest }))
}
