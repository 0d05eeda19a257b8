//! A model's record of the pictures that it was trained on.

use crate::data::scale::Scale;
use crate::data::scale_name::ScaleName;
use crate::error::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// The way a picture comes to its size, always bilinear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resize {
    /// Changes its proportions.
    #[default]
    Stretch,
    /// Crops both sides evenly: Keras' `crop_to_aspect_ratio`.
    Crop,
    /// Pads with black: Keras' `pad_to_aspect_ratio`.
    Pad,
}

/// The preprocessing of a model's pictures, so that new ones get the same: stored by the model and
/// in its file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pictures {
    /// Treatment of pictures with other proportions than the model's.
    #[serde(default)]
    pub resize: Resize,
    /// Scale of the pixels. Default `unit`.
    #[serde(default)]
    pub scale: ScaleName,
    /// Names of the classes in the order of their labels; empty if the pictures did not come from a
    /// folder.
    #[serde(default)]
    pub classes: Vec<String>,
}

impl Resize {
    pub(in crate::data) const NAMES: [(&'static str, Resize); 3] = [
        ("stretch", Resize::Stretch),
        ("crop", Resize::Crop),
        ("pad", Resize::Pad),
    ];
}

impl Pictures {
    /// The scale for pictures loaded without the training rows. `unit` maps the largest pixel to 1.
    pub(in crate::data) fn scale_of_new(&self, unit: Scale) -> Result<Scale> {
        match self.scale {
            ScaleName::None => Ok(Scale::None),
            ScaleName::Unit => Ok(unit),
            ScaleName::Standard => {
                let found = "a model that was trained with `scale = \"standard\"`";
                let expected = "a TOML file with the [data] of its run, whose training rows say \
                                what it was scaled by; a Normalization layer would be in the model";
                Err(Error::invalid("data", found, expected))
            }
        }
    }

    /// Refuses classes that cannot be folders' names.
    pub fn check(&self) -> Result<()> {
        let mut seen = HashSet::new();
        let mut names = self.classes.iter().map(String::as_str);
        match names.find(|name| name.is_empty() || !seen.insert(*name)) {
            Some(name) => {
                let expected = "names, each once";
                Err(Error::invalid("classes", format!("`{name}`"), expected))
            }
            None => Ok(()),
        }
    }
}
