//! `ScaleName`: the word of a configuration for a way to scale inputs.

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// A way to scale inputs.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ScaleName {
    /// All stays as it is.
    None,
    /// Pixels to between 0 and 1: divided by 255, or by a built-in set's largest pixel.
    #[default]
    Unit,
    /// Each feature standardized by mean and population deviation of the training rows; a constant
    /// feature becomes 0.
    Standard,
}

impl ScaleName {
    pub(super) fn from_name(at: &str, name: &str) -> Result<Self> {
        match name {
            "none" => Ok(ScaleName::None),
            "unit" => Ok(ScaleName::Unit),
            "standard" => Ok(ScaleName::Standard),
            other => Err(Error::unknown(
                at,
                "scale",
                other,
                ["none", "unit", "standard"],
            )),
        }
    }
}
