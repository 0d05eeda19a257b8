//! Folders of pictures, as Keras' `image_dataset_from_directory` reads them.
//!
//! `files` finds the pictures and their classes, `decode` reads one, `resize`
//! brings it to the size of the others, `pixels` does so with all, `cache` keeps what came of it, and `rows` reads
//! that, part by part, where it does not fit into memory.

mod cache;
mod decode;
mod files;
mod known;
mod pixels;
mod resize;
mod rows;
#[cfg(test)]
mod tests;

use crate::base::registry::Value;
use crate::base::shape::Shape;
use crate::data::dataset::Dataset;
use crate::data::tensor::Tensor;
use crate::error::{Error, Result};
use files::Found;
pub(super) use files::no_classes;
pub use known::Pictures;
use pixels::Pixels;
pub(super) use rows::PictureRows;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// How the pictures of a folder are read.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Images {
    /// The folder.
    #[serde(rename = "images")]
    pub folder: String,
    /// Height and width. The default is that of the pictures, if all have the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<[usize; 2]>,
    /// What happens to a picture of other proportions. The default is `stretch`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resize: Option<Resize>,
    /// The default is `rgb`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color_mode: Option<ColorMode>,
}

/// How a picture comes to its size, always bilinear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resize {
    /// Its proportions change.
    #[default]
    Stretch,
    /// What does not fit is cut off on both sides: Keras' `crop_to_aspect_ratio`.
    Crop,
    /// Black fills what is left over: Keras' `pad_to_aspect_ratio`.
    Pad,
}

/// The channels of a picture, in Keras' words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ColorMode {
    /// Red, green and blue. Transparency is left out.
    #[default]
    Rgb,
    /// Brightness: a JPEG's own, else 0.299 red + 0.587 green + 0.114 blue.
    Grayscale,
}

impl Resize {
    pub(super) const NAMES: [(&'static str, Resize); 3] = [
        ("stretch", Resize::Stretch),
        ("crop", Resize::Crop),
        ("pad", Resize::Pad),
    ];
}

impl ColorMode {
    pub(super) const NAMES: [(&'static str, ColorMode); 2] =
        [("rgb", ColorMode::Rgb), ("grayscale", ColorMode::Grayscale)];

    /// How many numbers a pixel has.
    pub fn channels(self) -> usize {
        match self {
            ColorMode::Rgb => 3,
            ColorMode::Grayscale => 1,
        }
    }
}

/// In which order the rows come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Class after class, by name.
    Sorted,
    /// Each class spread evenly over the rows, by name within it: any part of
    /// the rows has its share of every class.
    Spread,
}

impl Images {
    /// The pictures of a folder, with Keras' defaults.
    pub fn of(folder: &str) -> Self {
        Images {
            folder: folder.to_owned(),
            ..Images::default()
        }
    }

    /// With the size and the channels that a model's input of this shape takes,
    /// as far as it is one of pictures.
    pub(super) fn fitting(mut self, shape: &Shape) -> Self {
        let (size, channels) = match *shape.dims() {
            [height, width] => ([height, width], 1),
            [height, width, channels] => ([height, width], channels),
            _ => return self,
        };
        self.size = Some(size);
        if channels == 1 {
            self.color_mode = Some(ColorMode::Grayscale);
        }
        self
    }

    /// Reads the pictures. Rows have the shape (height, width, channels), pixels
    /// stay bytes; a class folder's place in `classes`, or in the order of the
    /// names, is the label. A folder without class folders gives no targets. The ids are
    /// the files' names, relative to the folder.
    pub(super) fn decoded(
        &self,
        base: &Path,
        order: Order,
        classes: Option<&[String]>,
    ) -> Result<Dataset> {
        let found = self.find(base, classes)?;
        let rows = found.rows(order);
        let Pixels { size, pixels } = self.pixels(&found, &rows)?;
        let [height, width] = size;
        let channels = self.color_mode.unwrap_or_default().channels();
        let x = Tensor::from_u8([height, width, channels], pixels)?;
        found.about(&rows).with(x, 0..rows.len())
    }

    /// As [`Images::decoded`], but the decoded pictures stay in their file, which is made
    /// if need be, with at most so many bytes of them in memory.
    pub(super) fn rows_in_file(
        &self,
        base: &Path,
        order: Order,
        classes: Option<&[String]>,
        memory: u64,
    ) -> Result<PictureRows> {
        let found = self.find(base, classes)?;
        let rows = found.rows(order);
        let cache = cache::Cache::of(self, &found);
        let kept = match cache.open() {
            Some(kept) => kept,
            None => {
                let size = self.size_in(&found)?;
                cache.make(size, memory, |files, places| {
                    self.decode(&found, files, size, places)
                })?
            }
        };
        let channels = self.color_mode.unwrap_or_default().channels();
        let places = cache.places(&rows);
        Ok(PictureRows::new(kept, places, channels, found.about(&rows)))
    }

    /// The same with the size of the first picture, if it has none.
    pub(super) fn sized(&self, base: &Path) -> Result<Self> {
        let size = match self.size {
            Some(size) => size,
            None => {
                let found = self.find(base, None)?;
                match cache::Cache::of(self, &found).open() {
                    Some(kept) => kept.size,
                    None => self.size_in(&found)?,
                }
            }
        };
        Ok(Images {
            size: Some(size),
            ..self.clone()
        })
    }

    /// The same of another folder.
    pub(super) fn other(&self, folder: &str) -> Self {
        Images {
            folder: folder.to_owned(),
            ..self.clone()
        }
    }

    /// Bytes that all pictures of the folder take in this size.
    pub(super) fn decoded_bytes(&self, base: &Path) -> Result<u64> {
        let count = self.find(base, None)?.files.len() as u64;
        let sides = self.size.unwrap_or_default().map(|side| side as u64);
        let row = sides[0] * sides[1] * self.color_mode.unwrap_or_default().channels() as u64;
        Ok(row.saturating_mul(count))
    }

    fn find(&self, base: &Path, classes: Option<&[String]>) -> Result<Found> {
        let mut found = files::find(&base.join(&self.folder))?;
        if let Some(classes) = classes {
            found.relabel(classes)?;
        }
        Ok(found)
    }
}

/// `size` of a configuration: height and width.
pub(super) fn size_of(at: &str, value: &Value) -> Result<[usize; 2]> {
    const LARGEST: u64 = 8192;
    let number = |value: &Value| value.as_u64().filter(|n| (1..=LARGEST).contains(n));
    let numbers: Option<Vec<u64>> = value
        .as_array()
        .and_then(|list| list.iter().map(number).collect());
    match numbers.as_deref() {
        Some(&[height, width]) => Ok([height as usize, width as usize]),
        _ => {
            let expected = format!("[height, width], each from 1 to {LARGEST}");
            Err(Error::invalid(at, value, expected))
        }
    }
}
