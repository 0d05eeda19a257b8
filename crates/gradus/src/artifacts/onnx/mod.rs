//! ONNX files: models written for other runtimes, and networks of other libraries read.
//!
//! `messages` is the format; `export` writes a model's inference plan, operation by operation;
//! `import` finds layers in a graph of operators.

mod export;
mod import;
mod messages;

pub use import::load_onnx;
pub(crate) use import::load_onnx_with_digest;

use crate::base::atomic_file::write_atomic;
use crate::error::Result;
use crate::model::Model;
use prost::Message;
use std::io::Write;
use std::path::Path;

/// The form of an ONNX file's inputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Inputs {
    /// A table's raw columns, texts and dates among them, each under its name; else Keras' inputs.
    #[default]
    Raw,
    /// Numbers alone, under Keras' names: of texts those that the lookups give, of dates their
    /// parts. Needs none of the operators of `ai.onnx.ml`, which tract and rten lack.
    Core,
}

/// True for the name of an ONNX file.
pub fn is_onnx(path: impl AsRef<Path>) -> bool {
    let extension = path.as_ref().extension();
    extension.is_some_and(|extension| extension.eq_ignore_ascii_case("onnx"))
}

/// Writes a model as an ONNX file, of opset 17; with dates 20. The file is written atomically.
///
/// An error names everything in the model that ONNX cannot say.
pub fn save_onnx(model: &Model, path: impl AsRef<Path>, inputs: Inputs) -> Result<()> {
    let path = path.as_ref();
    let file = export::export(model, inputs, path)?;
    write_atomic(path, |to| to.write_all(&file.encode_to_vec()))
}
