//! Artifacts: the files of models, weights and training logs.

#[cfg(feature = "train")]
pub mod callbacks;
pub mod keras;
#[cfg(feature = "train")]
pub mod onnx;
#[cfg(feature = "train")]
pub(crate) mod report;
pub mod weights;

pub use crate::base::atomic_file;

use crate::error::{Error, Result};
use crate::model::Model;
use std::path::Path;

impl Model {
    /// Saves the model to a `.keras` file: architecture, weights, training configuration and the
    /// optimizer's state. Keras 3 loads it, and can go on training it. The file is written
    /// atomically.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        keras_name(path.as_ref())?;
        keras::save_keras(self, path)
    }

    /// Loads a model from a `.keras` file, written by gradus or by Keras 3, or
    /// from a whole-model `.h5` file of Keras 2 or 3. Nothing in the file is executed.
    ///
    /// An optimizer, loss or metric unknown to gradus is left out, which [`Model::load_with_notes`]
    /// reports; the layers are usable all the same.
    pub fn load(path: impl AsRef<Path>) -> Result<Model> {
        Model::load_with_notes(path).map(|(model, _)| model)
    }

    /// Loads a model from the bytes of such a file: of one that a program embeds
    /// (`include_bytes!`), or has from elsewhere than a disk.
    pub fn from_bytes(bytes: &[u8]) -> Result<Model> {
        keras::from_bytes(bytes)
    }

    /// Like [`Model::load`], with one [`Note`](keras::Note) for each unread part of the training
    /// configuration.
    pub fn load_with_notes(path: impl AsRef<Path>) -> Result<(Model, Vec<keras::Note>)> {
        let path = path.as_ref();
        if path.extension().is_none_or(|e| e != "h5") {
            keras_name(path)?;
        }
        keras::load_keras_with_notes(path)
    }
}

/// Refuses a path with another extension than a model's.
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
