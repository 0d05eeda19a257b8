//! Keras 3's files: `.keras` in and out.
//!
//! A `.keras` file is a zip of `metadata.json`, `config.json` and
//! `model.weights.h5`, with the vocabularies that layers have learned as texts beside
//! them, to which gradus adds `gradus.json` for a model of a table; Keras
//! does not look at it. The weights' file is also a file of its own, `.weights.h5`. Before
//! that format a whole model was one `.h5` file, which is only read. Files come from strangers: nothing in them is run,
//! and no size that they claim is believed.

pub(crate) mod archive;
pub(crate) mod config;
pub(crate) mod families;
pub(crate) mod hdf5;
pub(crate) mod legacy;
pub(crate) mod objects;
pub(crate) mod optimizer;
pub(crate) mod own;
pub(crate) mod weights;

#[cfg(test)]
mod tests;

use super::weights::NamedArray;
use super::whole::write_whole;
use crate::error::{Error, Result};
use crate::model::Model;
#[cfg(test)]
use crate::model::State;
use archive::Archive;
use objects::Findings;
use std::collections::BTreeMap;
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

/// Loads a model from a `.keras` file, or from a whole-model `.h5` file of Keras 2
/// or 3, with its compile settings and the optimizer's state, if it has them. (The
/// state in a file of Keras 2 is left out, as Keras 3 leaves it out.)
///
/// Layers, arguments and settings that gradus does not know are an error that
/// names all of them.
pub fn load_keras(path: impl AsRef<Path>) -> Result<Model> {
    let path = path.as_ref();
    from_reader(open(path)?, path)
}

fn open(path: &Path) -> Result<BufReader<File>> {
    let file = File::open(path).map_err(|cause| Error::io("read", path, cause))?;
    if path.is_dir() {
        return Err(Error::file(path, "is a folder, expected a model file"));
    }
    Ok(BufReader::new(file))
}

/// The bytes of a `.keras` file.
pub(crate) fn to_bytes(model: &Model) -> Result<Vec<u8>> {
    let archive = Archive {
        metadata: METADATA.to_owned(),
        config: config::write(model)?,
        weights: weights_to_bytes(model)?,
        vocabularies: weights::vocabularies(model),
        own: own::write(model)?,
    };
    archive::check_size(&archive)?;
    archive::write(&archive).map_err(Error::Internal)
}

/// The bytes of a `.weights.h5` file.
pub(crate) fn weights_to_bytes(model: &Model) -> Result<Vec<u8>> {
    let mut root = hdf5::Group::default();
    weights::store(model, &mut root);
    optimizer::store(model, &mut root);
    hdf5::write(&root).map_err(Error::Internal)
}

/// The model in the bytes of a `.keras` or whole-model `.h5` file; `path` is for
/// the error's text.
pub(crate) fn from_reader<R: Read + Seek>(reader: R, path: &Path) -> Result<Model> {
    let problem = |problem: String| Error::file(path, problem);
    let mut reader = reader;
    let (config, mut root, legacy, vocabularies, own) = match begins_as_hdf5(&mut reader, path)? {
        true => {
            let root = tree(reader, path)?;
            let config = legacy::config(&root).map_err(problem)?;
            (config, root, true, BTreeMap::new(), None)
        }
        false => {
            let archive = archive::read(reader).map_err(problem)?;
            let root = hdf5::read(archive.weights)
                .map_err(|what| problem(format!("model.weights.h5: {what}")));
            let vocabularies = archive.vocabularies;
            (archive.config, root?, false, vocabularies, archive.own)
        }
    };
    let mut findings = Findings::default();
    let mut model = config::read(&config, &mut findings).map_err(problem)?;
    findings.check(path)?;
    drop(config);
    weights::take_vocabularies(&mut model, vocabularies)
        .map_err(|error| problem(error.to_string()))?;

    if legacy {
        let arrays = legacy::layers(&mut root).map_err(problem)?;
        let state = legacy::optimizer(&mut root).map_err(problem)?;
        root = weights::arranged(&model, arrays).map_err(problem)?;
        weights::number(root.child("optimizer").child("vars"), state);
    }
    weights::load(&mut model, &mut root).map_err(problem)?;
    if let Some(compiled) = &mut model.compiled {
        model.state = optimizer::load(&model.layers, compiled, &root).map_err(problem)?;
    }
    if let Some(own) = own {
        own::read(&own, &mut model).map_err(|what| problem(format!("gradus.json: {what}")))?;
    }
    Ok(model)
}

/// Loads a `.weights.h5` file into a model that is built: the weights by their
/// places, and the optimizer's state where the model is compiled. All of it, or
/// nothing is changed.
pub(crate) fn load_weights(model: &mut Model, path: &Path) -> Result<()> {
    let problem = |problem: String| Error::file(path, problem);
    let mut root = tree(open(path)?, path)?;
    if root.attributes.contains_key("model_config") {
        return Err(problem(
            "is a whole model, expected weights alone".to_owned(),
        ));
    }
    let mut loaded = model.clone();
    weights::load(&mut loaded, &mut root).map_err(problem)?;
    if let (Some(compiled), Some(_)) = (&mut loaded.compiled, root.at("optimizer/vars")) {
        loaded.state = optimizer::load(&loaded.layers, compiled, &root).map_err(problem)?;
    }
    let left = weights::named(root);
    if !left.is_empty() {
        let names: Vec<String> = left.into_iter().map(|(name, _)| name).collect();
        return Err(problem(format!("not in the model: {}", names.join(", "))));
    }
    *model = loaded;
    Ok(())
}

/// The weights of a `.weights.h5` file, under the names of `weights::named`.
pub(crate) fn named_weights(path: &Path) -> Result<Vec<NamedArray>> {
    let root = tree(open(path)?, path)?;
    let arrays = weights::named(root)
        .into_iter()
        .filter_map(|(name, array)| {
            let shape = array.shape;
            match array.values {
                hdf5::Values::F32(values) => Some(NamedArray {
                    name,
                    shape,
                    values,
                }),
                // A count, which nothing is computed from.
                _ => None,
            }
        });
    Ok(arrays.collect())
}

fn begins_as_hdf5<R: Read + Seek>(reader: &mut R, path: &Path) -> Result<bool> {
    let io = |cause| Error::io("read", path, cause);
    let mut first = Vec::new();
    let begin = legacy::MAGIC.len() as u64;
    reader
        .by_ref()
        .take(begin)
        .read_to_end(&mut first)
        .map_err(io)?;
    reader.rewind().map_err(io)?;
    Ok(first == legacy::MAGIC)
}

/// The tree of an HDF5 file.
fn tree<R: Read>(mut reader: R, path: &Path) -> Result<hdf5::Group> {
    let mut bytes = Vec::new();
    let read = reader.read_to_end(&mut bytes);
    read.map_err(|cause| Error::io("read", path, cause))?;
    hdf5::read(bytes).map_err(|problem| Error::file(path, problem))
}
