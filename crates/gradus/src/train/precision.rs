//! The precision of training.

use crate::error::{Error, Result};

/// The number format of a training's products, by Keras' names of dtype policies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// `"float32"`: single precision throughout.
    #[default]
    Float32,
    /// `"mixed_bfloat16"`: products round both operands to bfloat16 (8 bits of precision, the range
    /// of `float32`) and accumulate in `float32`; weights, the optimizer and everything else stay
    /// `float32` (Kalamkar et al., "A Study of BFLOAT16 for Deep Learning Training", 2019). Keras
    /// rounds the results of every layer too. It saves time only on processors with AVX512-BF16, if
    /// at all; the results are the same on all others.
    MixedBfloat16,
}

impl Precision {
    const ALL: [Precision; 2] = [Precision::Float32, Precision::MixedBfloat16];

    /// Keras' name.
    pub fn name(self) -> &'static str {
        match self {
            Precision::Float32 => "float32",
            Precision::MixedBfloat16 => "mixed_bfloat16",
        }
    }

    /// Parses Keras' name. `at` is its path of keys, for the error.
    ///
    /// # Errors
    /// If there is no such precision.
    pub fn named(at: &str, name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|known| known.name() == name);
        let expected = "\"float32\" or \"mixed_bfloat16\"";
        found.ok_or_else(|| Error::invalid(at, name, expected))
    }
}
