//! What a model knows of the pictures that it was trained on.

use super::options::Resize;
use crate::data::scale::Scale;
use crate::data::scale_name::ScaleName;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// How a model was given its pictures, so that it is given new ones alike: kept by the
/// model and its file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pictures {
    /// What happens to a picture of other proportions than the model's.
    #[serde(default)]
    pub resize: Resize,
    /// How the pixels are scaled. Default `unit`.
    #[serde(default)]
    pub scale: ScaleName,
    /// The classes' names in the order of their numbers; none if they are not of a
    /// folder.
    #[serde(default)]
    pub classes: Vec<String>,
}

impl Pictures {
    /// The scale of pictures that come without the rows that were trained on. `unit` is
    /// what makes the largest pixel 1.
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

    /// Refuses classes that no folder has.
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
