//! The configuration of quantization-aware training.

use crate::base::setters::setters;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// Quantization-aware training by fake quantization (Jacob et al., "Quantization and Training of Neural
/// Networks for Efficient Integer-Arithmetic-Only Inference", 2018; TF-MOT's `quantize_model`).
///
/// The inputs and kernels of `Dense`, `Conv1D`, `Conv2D`, `DepthwiseConv1D` and `DepthwiseConv2D` are rounded
/// to the numbers that an int8 file has, in training and from then on in validation and predictions:
///
/// - a kernel to 255 numbers around 0, by the largest of each output channel at the time;
/// - an input to 256 numbers with 0 among them, by a range from its least to its largest number. The first
///   batch sets the range; each later one moves it by 1% towards its own.
///
/// Gradients pass as if nothing was rounded, but not where an input is beyond its range. Weights stay
/// float32. [`Calibration::learned`](crate::optimize::Calibration::learned) gives the ranges to
/// [`save_onnx_int8`](crate::artifacts::onnx::save_onnx_int8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct QuantizationAware {
    /// Bits of a number: 8, those of int8 files. Default 8.
    #[schemars(extend("examples" = [8]))]
    pub bits: u32,
}

impl Default for QuantizationAware {
    fn default() -> Self {
        QuantizationAware { bits: 8 }
    }
}

impl QuantizationAware {
    /// Numbers of 8 bits.
    pub fn new() -> Self {
        Self::default()
    }

    /// Refuses numbers that no int8 file has.
    pub fn check(self) -> Result<()> {
        match self.bits {
            8 => Ok(()),
            bits => Err(Error::invalid("bits", bits, "8, those of int8 files")),
        }
    }
}

setters!(QuantizationAware {
    /// Sets the bits of a number, which must be 8.
    bits(u32);
});
