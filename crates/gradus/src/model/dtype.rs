//! Keras' data types of tensors.

use crate::base::registry::Value;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// The data type of a tensor. Computation is always in `float32`; whole numbers are exact up to
/// 2²⁴.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    /// Numbers.
    #[default]
    Float32,
    /// Whole numbers.
    Int32,
    /// Whole numbers.
    Int64,
    /// 0 or 1.
    Bool,
    /// Texts.
    String,
}

impl Dtype {
    /// Keras' name: `float32`.
    pub fn name(self) -> &'static str {
        match self {
            Dtype::Float32 => "float32",
            Dtype::Int32 => "int32",
            Dtype::Int64 => "int64",
            Dtype::Bool => "bool",
            Dtype::String => "string",
        }
    }

    /// The data type of an input, from its name.
    pub(crate) fn of_input(at: &str, value: &Value) -> Result<Self> {
        let all = [Dtype::Float32, Dtype::Int32, Dtype::Int64, Dtype::String];
        let found = all.into_iter().find(|d| *value == d.name());
        found.ok_or_else(|| Error::invalid(at, value, "float32, int32, int64 or string"))
    }

    /// True for whole numbers.
    pub(crate) fn is_whole(self) -> bool {
        matches!(self, Dtype::Int32 | Dtype::Int64)
    }
}
