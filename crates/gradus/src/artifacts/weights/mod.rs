//! Weight files: Keras' `.weights.h5`, `.safetensors` and NumPy's `.npz`. The extension decides.
//!
//! Files are untrusted: sizes that they claim are verified.

mod matching;
mod names;
mod npz;
mod safetensors;

pub use matching::{Matched, Unfit};
pub use names::Layout;

use super::atomic_file::write_atomic;
use super::keras::{self, Note};
use crate::error::{Error, Result};
use crate::model::Model;
pub(crate) use names::NamedArray;
use std::io::Write;
use std::path::Path;

/// A format of weight files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Keras' `.weights.h5`: weights by path, and the optimizer's state.
    KerasWeights,
    /// `.safetensors`: arrays by name.
    Safetensors,
    /// NumPy's `.npz`: arrays by name.
    Npz,
}

impl Format {
    /// The format of a path by its extension; `None` if it is not a weight file's.
    pub fn of(path: impl AsRef<Path>) -> Option<Self> {
        let name = path.as_ref().file_name()?.to_str()?.to_ascii_lowercase();
        let endings = [
            (".weights.h5", Format::KerasWeights),
            (".safetensors", Format::Safetensors),
            (".npz", Format::Npz),
        ];
        let found = endings.into_iter().find(|(end, _)| name.ends_with(end))?;
        Some(found.1)
    }

    fn expect(path: &Path) -> Result<Self> {
        let expected = "expected a file name that ends in .weights.h5, .safetensors or .npz";
        Format::of(path).ok_or_else(|| Error::file(path, expected))
    }

    /// Like [`Format::of`], for reading: Keras 2's weights may have the extension `.h5`.
    fn expect_read(path: &Path) -> Result<Self> {
        match path.extension() {
            Some(end) if end.eq_ignore_ascii_case("h5") => Ok(Format::KerasWeights),
            _ => Format::expect(path),
        }
    }
}

/// Saves a model's weights atomically.
///
/// A `.weights.h5` file also has the optimizer's state, as in Keras. In the others, `layout`
/// decides the names of arrays; a `.weights.h5` file has Keras' layout only.
pub fn save_weights(model: &Model, path: impl AsRef<Path>, layout: Layout) -> Result<()> {
    let path = path.as_ref();
    let format = Format::expect(path)?;
    if !model.is_built() {
        return Err(not_built());
    }
    model.check_int8()?;
    let bytes = match (format, layout) {
        (Format::KerasWeights, Layout::Keras) => keras::weights_to_bytes(model)?,
        (Format::KerasWeights, layout) => {
            let expected = "the layout `keras` for a .weights.h5 file";
            return Err(Error::invalid("layout", layout, expected));
        }
        (Format::Safetensors, layout) => safetensors::write(&names::of(model, layout), layout)?,
        (Format::Npz, layout) => npz::write(&names::of(model, layout))?,
    };
    write_atomic(path, |file| file.write_all(&bytes))
}

impl Model {
    /// Saves the weights under Keras' names to a `.weights.h5`, `.safetensors` or `.npz` file;
    /// [`save_weights`] also offers PyTorch's names.
    pub fn save_weights(&self, path: impl AsRef<Path>) -> Result<()> {
        save_weights(self, path, Layout::Keras)
    }

    /// Loads the weights of a `.weights.h5`, `.safetensors` or `.npz` file into this model, which
    /// must be built. If one does not fit, none is changed.
    ///
    /// In a `.weights.h5` file they are matched by path, as in Keras, and the optimizer's state is
    /// loaded too; in the others by name, Keras' (`dense/kernel`) or PyTorch's (`dense.weight`). An
    /// `.h5` file of Keras 2's `save_weights` can be read, too: by the layers' names, or, if these
    /// differ, by their order. It has no state.
    pub fn load_weights(&mut self, path: impl AsRef<Path>) -> Result<()> {
        self.load_weights_with_notes(path).map(|_| ())
    }

    /// Like [`Model::load_weights`], with a note if the file's optimizer state does not fit the
    /// model's optimizer, which then starts anew.
    pub fn load_weights_with_notes(&mut self, path: impl AsRef<Path>) -> Result<Vec<Note>> {
        let path = path.as_ref();
        let format = Format::expect_read(path)?;
        if !self.is_built() {
            return Err(not_built());
        }
        if format == Format::KerasWeights {
            return keras::load_weights(self, path);
        }
        let (filled, matched) = matching::matched(self, read(path, format)?)
            .map_err(|problem| Error::file(path, problem))?;
        match matched.is_complete() {
            true => matching::put(self, filled),
            false => return Err(Error::file(path, matched)),
        }
        Ok(Vec::new())
    }

    /// Loads the weights of a file that match this model's in name and shape, and reports the
    /// matches: for layers that two networks share.
    ///
    /// The file has weights, or is a whole model (`.keras`, `.h5`). The optimizer's state stays as
    /// it is. An error if nothing matches.
    pub fn load_weights_by_name(&mut self, path: impl AsRef<Path>) -> Result<Matched> {
        let path = path.as_ref();
        if !self.is_built() {
            return Err(not_built());
        }
        let arrays = match Format::of(path) {
            Some(format) => read(path, format)?,
            None if keras::is_weights(path) => read(path, Format::KerasWeights)?,
            None => names::of(&Model::load(path)?, Layout::Keras),
        };
        let (filled, matched) =
            matching::matched(self, arrays).map_err(|problem| Error::file(path, problem))?;
        if matched.loaded.is_empty() {
            return Err(Error::file(path, matched));
        }
        matching::put(self, filled);
        Ok(matched)
    }
}

/// The arrays of a file with their names.
fn read(path: &Path, format: Format) -> Result<Vec<NamedArray>> {
    match format {
        Format::KerasWeights => keras::named_weights(path),
        Format::Safetensors => safetensors::read(path),
        Format::Npz => npz::read(path),
    }
}

fn not_built() -> Error {
    Error::NotReady {
        problem: "the model has no weights yet: give its input shape, or call `build` first".into(),
    }
}
