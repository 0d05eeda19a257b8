//! Keras 3's files: `.keras` in and out.
//!
//! A `.keras` file is a zip of `metadata.json`, `config.json` and
//! `model.weights.h5`. Files come from strangers: nothing in them is run,
//! and no size that they claim is believed.

pub(crate) mod archive;
pub(crate) mod config;
pub(crate) mod families;
pub(crate) mod hdf5;
pub(crate) mod objects;
pub(crate) mod optimizer;
pub(crate) mod weights;

#[cfg(test)]
mod tests;

use super::whole::write_whole;
use crate::error::{Error, Result};
use crate::model::Model;
#[cfg(test)]
use crate::model::State;
use archive::Archive;
use objects::Findings;
use std::fs::File;
use std::io::{BufReader, Read, Seek, Write};
use std::path::Path;

/// The Keras whose files these are. The date is left at the zip's own zero, so
/// that the same model gives the same file.
const METADATA: &str = r#"{"keras_version": "3.15.1", "date_saved": "1980-01-01@00:00:00"}"#;

/// Saves a model with its compile settings and the optimizer's state as a
/// `.keras` file. Keras 3 loads it, and can go on training it.
pub fn save_keras(model: &Model, path: impl AsRef<Path>) -> Result<()> {
    let bytes = to_bytes(model)?;
    write_whole(path.as_ref(), |file| file.write_all(&bytes))
}

/// Loads a model from a `.keras` file, with its compile settings and the
/// optimizer's state, if it has them.
///
/// Layers, arguments and settings that gradus does not know are an error that
/// names all of them.
pub fn load_keras(path: impl AsRef<Path>) -> Result<Model> {
    let path = path.as_ref();
    let file = File::open(path).map_err(|cause| Error::io("read", path, cause))?;
    if path.is_dir() {
        return Err(Error::file(path, "is a folder, expected a .keras file"));
    }
    from_reader(BufReader::new(file), path)
}

/// The bytes of a `.keras` file.
pub(crate) fn to_bytes(model: &Model) -> Result<Vec<u8>> {
    let config = config::write(model)?;
    let mut root = hdf5::Group::default();
    weights::store(model, &mut root);
    optimizer::store(model, &mut root);
    let archive = Archive {
        metadata: METADATA.to_owned(),
        config,
        weights: hdf5::write(&root).map_err(Error::Internal)?,
    };
    archive::write(&archive).map_err(Error::Internal)
}

/// The model in the bytes of a `.keras` file; `path` is for the error's text.
pub(crate) fn from_reader<R: Read + Seek>(reader: R, path: &Path) -> Result<Model> {
    let problem = |problem: String| Error::file(path, problem);
    let archive = archive::read(reader).map_err(problem)?;
    let mut findings = Findings::default();
    let mut model = config::read(&archive.config, &mut findings).map_err(problem)?;
    findings.check(path)?;
    drop(archive.config);
    let mut root = hdf5::read(archive.weights)
        .map_err(|what| Error::file(path, format!("model.weights.h5: {what}")))?;

    weights::load(&mut model, &mut root).map_err(problem)?;
    if let Some(compiled) = &mut model.compiled {
        model.state = optimizer::load(&model.layers, compiled, &root).map_err(problem)?;
    }
    Ok(model)
}
