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
use crate::optimize::Calibration;
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

/// The form of an ONNX file with int8 numbers of fixed scales.
#[derive(Clone, Copy, Debug)]
pub struct Int8<'a> {
    /// The ranges of the layers' inputs in this very model.
    pub calibration: &'a Calibration,
    /// True for weights of 7 bits, from -64 to 64: processors with AVX2 or AVX-512 but no VNNI add
    /// two products of 8-bit numbers in 16 bits, which would overflow. Default no.
    pub reduce_range: bool,
}

impl<'a> Int8<'a> {
    /// Numbers of 8 bits by these ranges.
    pub fn new(calibration: &'a Calibration) -> Self {
        Int8 {
            calibration,
            reduce_range: false,
        }
    }

    /// Sets the width of weights: true for 7 bits.
    pub fn reduce_range(mut self, reduce_range: bool) -> Self {
        self.reduce_range = reduce_range;
        self
    }
}

/// Writes a model as an ONNX file, of opset 17; with dates 20. The file is written atomically.
///
/// An error names everything in the model that ONNX cannot say.
pub fn save_onnx(model: &Model, path: impl AsRef<Path>, inputs: Inputs) -> Result<()> {
    save(model, path.as_ref(), inputs, None)
}

/// Writes a model as an ONNX file whose products are of int8 numbers, in the form that ONNX Runtime
/// calls QDQ: a `QuantizeLinear` and a `DequantizeLinear` behind each other say what a runtime
/// may compute in whole numbers.
///
/// As ONNX Runtime's own `quantize_static` has it: of each layer in `int8.calibration`, the weights
/// are int8 from -127 to 127, with a scale for each output channel; the input is uint8, with one scale
/// and a zero point, so that 0 stays exactly 0; the bias is int32, by the product of both
/// scales (float where a layer is applied along further axes, as `MatMul` has no bias). All else
/// stays float32. Batch normalization is best folded before ([`fold`](crate::optimize::fold)).
pub fn save_onnx_int8(
    model: &Model,
    path: impl AsRef<Path>,
    inputs: Inputs,
    int8: Int8<'_>,
) -> Result<()> {
    save(model, path.as_ref(), inputs, Some(int8))
}

fn save(model: &Model, path: &Path, inputs: Inputs, int8: Option<Int8<'_>>) -> Result<()> {
    let file = export::export(model, inputs, int8, path)?;
    write_atomic(path, |to| to.write_all(&file.encode_to_vec()))
}
