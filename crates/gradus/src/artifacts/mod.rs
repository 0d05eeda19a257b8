//! What stays after training: files that gradus and others read.

pub mod callbacks;
pub mod keras;
pub mod weights;

pub use crate::base::atomic_file;

use crate::error::{Error, Result};
use crate::model::Model;
use std::path::Path;

impl Model {
    /// Saves the model to a `.keras` file: architecture, weights, compile
    /// settings and the optimizer's state. Keras 3 loads it, and can go on
    /// training it. The file is written whole or not at all.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        keras_name(path.as_ref())?;
        keras::save_keras(self, path)
    }

    /// Loads a model from a `.keras` file, written by gradus or by Keras 3, or
    /// from a whole-model `.h5` file of Keras 2 or 3. Nothing in the file is executed.
    ///
    /// An optimizer, loss or metric that gradus does not know keeps nobody from using the
    /// layers: it is left out, and [`Model::load_with_notes`] says so.
    pub fn load(path: impl AsRef<Path>) -> Result<Model> {
        Model::load_with_notes(path).map(|(model, _)| model)
    }

    /// As [`Model::load`], and what was not read of how the model was compiled: one
    /// [`Note`](keras::Note) for each part.
    pub fn load_with_notes(path: impl AsRef<Path>) -> Result<(Model, Vec<keras::Note>)> {
        let path = path.as_ref();
        if path.extension().is_none_or(|e| e != "h5") {
            keras_name(path)?;
        }
        keras::load_keras_with_notes(path)
    }
}

/// The ending says what a file is.
fn keras_name(path: &Path) -> Result<()> {
    if path.extension().is_some_and(|e| e == "keras") {
        Ok(())
    } else {
        Err(Error::file(
            path,
            "expected a file name that ends in .keras",
        ))
    }
}
