//! `images`: a folder of pictures.

use super::contradiction;
use crate::base::registry::Value;
use crate::data::images::{ColorMode, Images, Resize, size_of};
use crate::error::{Error, Result, join};

/// The keys that go with `images`, as they are read.
pub(super) struct Keys {
    pub images: Option<String>,
    pub size: Option<Value>,
    pub resize: Option<String>,
    pub color_mode: Option<String>,
}

impl Keys {
    /// The folder and its options, or nothing; options without it are an error.
    pub(super) fn read(self, at: &str) -> Result<Option<Images>> {
        let Some(folder) = self.images else {
            let given = [
                ("size", self.size.is_some()),
                ("resize", self.resize.is_some()),
                ("color_mode", self.color_mode.is_some()),
            ];
            return match given.iter().find(|key| key.1) {
                None => Ok(None),
                Some((key, _)) => {
                    let problem = format!("`{key}` needs `images`, a folder of pictures");
                    Err(contradiction(&problem).under(at))
                }
            };
        };
        let size = self.size.map(|size| size_of(&join(at, "size"), &size));
        let resize = self
            .resize
            .map(|name| named(&join(at, "resize"), "way to resize", &name, &Resize::NAMES));
        let color_mode = self.color_mode.map(|name| {
            let at = join(at, "color_mode");
            named(&at, "color mode", &name, &ColorMode::NAMES)
        });
        Ok(Some(Images {
            folder,
            size: size.transpose()?,
            resize: resize.transpose()?,
            color_mode: color_mode.transpose()?,
        }))
    }
}

/// What a name stands for.
fn named<T: Copy>(
    at: &str,
    family: &'static str,
    name: &str,
    known: &[(&'static str, T)],
) -> Result<T> {
    let found = known.iter().find(|(known, _)| *known == name);
    let (_, value) = found
        .ok_or_else(|| Error::unknown(at, family, name, known.iter().map(|(name, _)| *name)))?;
    Ok(*value)
}
