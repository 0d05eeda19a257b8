//! `scale`: how the inputs are scaled.

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// How the inputs are scaled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScaleName {
    /// Not at all.
    None,
    /// Pixels to between 0 and 1: divided by 255, or by the largest pixel of a
    /// built-in set.
    #[default]
    Unit,
    /// Each feature by mean and population deviation of the training rows; a
    /// constant feature becomes 0.
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
