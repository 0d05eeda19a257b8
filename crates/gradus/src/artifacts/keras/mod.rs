//! Keras 3's files: `.keras` in and out.
//!
//! A `.keras` file is a zip of `metadata.json`, `config.json` and `model.weights.h5`, with the
//! layers' learned vocabularies as texts beside them, to which gradus adds `gradus.json` for a
//! model of a table, which Keras ignores. The weights' file also exists by itself, `.weights.h5`.
//! Before that format a whole model was one `.h5` file, which can only be read. Files are
//! untrusted: nothing in them is executed, and sizes that they claim are verified.

pub(crate) mod archive;
pub(crate) mod config;
pub(crate) mod families;
mod foreign;
pub(crate) mod hdf5;
pub(crate) mod keras2;
pub(crate) mod legacy;
pub(crate) mod notes;
pub(crate) mod objects;
pub(crate) mod optimizer;
pub(crate) mod own;
pub(crate) mod weights;

#[cfg(test)]
mod tests;

use super::atomic_file::write_atomic;
use super::weights::NamedArray;
use crate::base::digest::Digest;
use crate::base::files;
use crate::base::shown::list;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::model::State;
use archive::Archive;
pub use notes::{NotRead, Note};
use objects::Findings;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek, Write};
use std::path::Path;

/// Keras version of these files. The date stays at zip's zero, so that the same model gives the
/// same file.
const METADATA: &str = r#"{"keras_version": "3.15.1", "date_saved": "1980-01-01@00:00:00"}"#;

/// Saves a model with its training configuration and the optimizer's state as a `.keras` file.
/// Keras 3 loads it, and can go on training it.
pub fn save_keras(model: &Model, path: impl AsRef<Path>) -> Result<()> {
    save_keras_as(model, path, Storage::default())
}

/// The storage of a `.keras` file. By default as Keras writes it: float32, not compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Storage {
    /// True to store the layers' weights as float16, in half of the bytes. A weight that is no
    /// float16 number is an error: see [`Model::to_half`]. Keras and gradus load them as float32.
    pub half: bool,
    /// True to compress: a model with many zeros becomes smaller.
    pub deflate: bool,
}

/// Like [`save_keras`], stored otherwise.
pub fn save_keras_as(model: &Model, path: impl AsRef<Path>, storage: Storage) -> Result<()> {
    let bytes = keras_bytes(model, storage)?;
    write_atomic(path.as_ref(), |file| file.write_all(&bytes))
}

/// Loads a model from a `.keras` file, or from a whole-model `.h5` file, of Keras 2 or 3, with its
/// training configuration and the optimizer's state, if it has them.
///
/// Unknown layers and arguments are an error that names all of them. Unknown parts of the training
/// configuration are left out: [`load_keras_with_notes`] reports them.
pub fn load_keras(path: impl AsRef<Path>) -> Result<Model> {
    load_keras_with_notes(path).map(|(model, _)| model)
}

/// Like [`load_keras`], with notes on the unread parts of the training configuration.
pub fn load_keras_with_notes(path: impl AsRef<Path>) -> Result<(Model, Vec<Note>)> {
    let path = path.as_ref();
    from_reader(open(path)?, path)
}

/// Loads a model from the bytes of a file.
pub(super) fn from_bytes(bytes: &[u8]) -> Result<Model> {
    let path = Path::new("the model's bytes");
    let first = &bytes[..bytes.len().min(foreign::ENOUGH)];
    match foreign::file(path, first) {
        Some(problem) => Err(Error::file(path, problem)),
        None => from_reader(Cursor::new(bytes), path).map(|(model, _)| model),
    }
}

/// Like [`load_keras_with_notes`], with the digest of the file, which is read once.
pub(crate) fn load_keras_with_digest(path: &Path) -> Result<(Model, Vec<Note>, String)> {
    let bytes = files::read_from(open(path)?, path, MOST_BYTES)?;
    let digest = Digest::of(&bytes);
    let (model, notes) = from_reader(Cursor::new(bytes), path)?;
    Ok((model, notes, digest))
}

/// The model of a `.keras` file without its weights and the optimizer's state, which are not read.
pub(crate) fn load_outline(path: &Path) -> Result<Model> {
    let problem = |problem: String| Error::file(path, problem);
    let archive = archive::read_outline(open(path)?).map_err(problem)?;
    let (mut findings, mut notes) = (Findings::default(), Vec::new());
    let mut model = config::read(&archive.config, &mut findings, &mut notes).map_err(problem)?;
    findings.check(path)?;
    weights::take_vocabularies(&mut model, archive.vocabularies)
        .map_err(|error| problem(error.to_string()))?;
    Ok(model)
}

/// Size limit of a model's file that is read as a whole.
const MOST_BYTES: u64 = 1 << 36;

/// True if a file holds only weights, by its name or, for an `.h5` file, by its contents: see
/// [`Model::load_weights`].
pub fn is_weights(path: impl AsRef<Path>) -> bool {
    let path = path.as_ref();
    if super::weights::Format::of(path).is_some() {
        return true;
    }
    let is_h5 = path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("h5"));
    let root = is_h5.then(|| tree(open(path)?, path));
    matches!(root, Some(Ok(root)) if legacy::holds_weights(&root))
}

fn open(path: &Path) -> Result<BufReader<File>> {
    if path.is_dir() {
        return Err(Error::file(path, foreign::folder(path)));
    }
    let mut file = files::open(path, "a model")?;
    let first = first_bytes(&mut file, foreign::ENOUGH as u64, path)?;
    match foreign::file(path, &first) {
        Some(problem) => Err(Error::file(path, problem)),
        None => Ok(BufReader::new(file)),
    }
}

/// The bytes of a `.keras` file.
pub(crate) fn to_bytes(model: &Model) -> Result<Vec<u8>> {
    keras_bytes(model, Storage::default())
}

/// The bytes of a `.keras` file that is stored so.
pub fn keras_bytes(model: &Model, storage: Storage) -> Result<Vec<u8>> {
    if storage.half {
        model.check_half()?;
    }
    let archive = Archive {
        metadata: METADATA.to_owned(),
        config: config::write(model)?,
        weights: tree_to_bytes(model, storage.half)?,
        vocabularies: weights::vocabularies(model),
        own: own::write(model)?,
    };
    archive::check_size(&archive)?;
    match storage.deflate {
        true => archive::write_deflated(&archive),
        false => archive::write(&archive),
    }
    .map_err(Error::Internal)
}

/// The bytes of a `.weights.h5` file.
pub(crate) fn weights_to_bytes(model: &Model) -> Result<Vec<u8>> {
    tree_to_bytes(model, false)
}

fn tree_to_bytes(model: &Model, half: bool) -> Result<Vec<u8>> {
    model.check_int8()?;
    let mut root = hdf5::Group::default();
    weights::store(model, &mut root, half);
    optimizer::store(model, &mut root);
    hdf5::write(&root).map_err(Error::Internal)
}

/// The model in the bytes of a `.keras` or whole-model `.h5` file; `path` is for
/// the error's text.
pub(crate) fn from_reader<R: Read + Seek>(
    mut reader: R,
    path: &Path,
) -> Result<(Model, Vec<Note>)> {
    let problem = |problem: String| Error::file(path, problem);
    let first = first_bytes(&mut reader, legacy::MAGIC.len() as u64, path)?;
    let legacy = first == legacy::MAGIC;
    let (config, mut root, vocabularies, own) = match legacy {
        true => {
            let root = tree(reader, path)?;
            let config = legacy::config(&root).map_err(problem)?;
            (config, root, BTreeMap::new(), None)
        }
        false => {
            let archive = archive::read(reader).map_err(problem)?;
            let root = hdf5::read(archive.weights)
                .map_err(|what| problem(format!("model.weights.h5: {what}")));
            let config = match keras2::is_old(&archive.metadata, &archive.config) {
                true => keras2::config(archive.config),
                false => archive.config,
            };
            (config, root?, archive.vocabularies, archive.own)
        }
    };
    let (mut findings, mut notes) = (Findings::default(), Vec::new());
    let mut model = config::read(&config, &mut findings, &mut notes).map_err(problem)?;
    findings.check(path)?;
    drop(config);
    weights::take_vocabularies(&mut model, vocabularies)
        .map_err(|error| problem(error.to_string()))?;

    if legacy {
        let arrays = legacy::layers(&mut root).map_err(problem)?;
        let state = legacy::optimizer(&mut root).map_err(problem)?;
        root = weights::arranged(&model, arrays, false).map_err(problem)?;
        match state {
            Some(state) => weights::number(root.child("optimizer").child("vars"), state),
            None if model
                .compiled
                .as_ref()
                .is_some_and(|c| c.optimizer.is_some()) =>
            {
                notes.push(Note {
                    part: NotRead::State,
                    problem: "it is of Keras 2".to_owned(),
                });
            }
            None => {}
        }
    } else {
        root = weights::modernized(&model, root).map_err(problem)?;
    }
    weights::load(&mut model, &mut root).map_err(problem)?;
    load_state(&mut model, &root, &mut notes);
    if let Some(own) = own {
        own::read(&own, &mut model).map_err(|what| problem(format!("gradus.json: {what}")))?;
    }
    Ok((model, notes))
}

/// Loads the optimizer's state if the model has an optimizer; a state that does not fit it is left
/// out, with a note.
fn load_state(model: &mut Model, root: &hdf5::Group, notes: &mut Vec<Note>) {
    let optimizer = model.compiled.as_mut().and_then(|c| c.optimizer.as_mut());
    let Some(optimizer) = optimizer else { return };
    let found = optimizer::load(&model.layers, optimizer, root);
    model.state = found.unwrap_or_else(|problem| {
        let part = NotRead::State;
        notes.push(Note { part, problem });
        State::default()
    });
}

/// Loads a `.weights.h5` file, or one of Keras 2's `save_weights`, into a built model: the weights
/// by path, and the optimizer's state if the model is compiled. On an error nothing is changed.
pub(crate) fn load_weights(model: &mut Model, path: &Path) -> Result<Vec<Note>> {
    let problem = |problem: String| Error::file(path, problem);
    let mut root = tree(open(path)?, path)?;
    if root.attributes.contains_key("model_config") {
        return Err(problem(
            "is a whole model, expected weights alone".to_owned(),
        ));
    }
    let (mut loaded, mut notes) = (model.clone(), Vec::new());
    root = match legacy::is_weights(&root) {
        true => {
            let arrays = legacy::weights(root).map_err(problem)?;
            weights::arranged(model, arrays, true).map_err(problem)?
        }
        false => weights::modernized(model, root).map_err(problem)?,
    };
    weights::load(&mut loaded, &mut root).map_err(problem)?;
    if root.at("optimizer/vars").is_some() {
        load_state(&mut loaded, &root, &mut notes);
    }
    let left = weights::named(root);
    if !left.is_empty() {
        let names = list(left.into_iter().map(|(name, _)| name));
        return Err(problem(format!("not in the model: {names}")));
    }
    *model = loaded;
    Ok(notes)
}

/// The weights of a `.weights.h5` file, under the names of `weights::named`.
pub(crate) fn named_weights(path: &Path) -> Result<Vec<NamedArray>> {
    let mut root = tree(open(path)?, path)?;
    if legacy::is_weights(&root) {
        root = weights::by_names(legacy::weights(root).map_err(|p| Error::file(path, p))?);
    }
    let arrays = weights::named(root)
        .into_iter()
        .filter_map(|(name, array)| {
            let shape = array.shape;
            let (values, int8) = match array.values {
                hdf5::Values::F32(values) => (values, false),
                hdf5::Values::I32(values) if !shape.is_empty() => {
                    (values.into_iter().map(|x| x as f32).collect(), true)
                }
                // A count that no computation uses.
                _ => return None,
            };
            Some(NamedArray {
                name,
                shape,
                int8,
                values,
            })
        });
    Ok(arrays.collect())
}

/// The first bytes of the file, which must be read again.
fn first_bytes<R: Read + Seek>(reader: &mut R, count: u64, path: &Path) -> Result<Vec<u8>> {
    let io = |cause| Error::io("read", path, cause);
    let mut first = Vec::new();
    let taken = reader.by_ref().take(count).read_to_end(&mut first);
    taken.map_err(io)?;
    reader.rewind().map_err(io)?;
    Ok(first)
}

/// The tree of an HDF5 file.
fn tree<R: Read>(mut reader: R, path: &Path) -> Result<hdf5::Group> {
    let mut bytes = Vec::new();
    let read = reader.read_to_end(&mut bytes);
    read.map_err(|cause| Error::io("read", path, cause))?;
    hdf5::read(bytes).map_err(|problem| Error::file(path, problem))
}
