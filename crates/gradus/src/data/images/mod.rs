//! Folders of pictures, as Keras' `image_dataset_from_directory` reads them.
//!
//! `options` are a user's; `files` finds the pictures and their classes, `decode` reads one,
//! `resize` brings it to the size of the others, `pixels` does so with all, `cache` keeps what
//! came of it, and `rows` reads that, part by part, where it does not fit into memory.

mod cache;
mod decode;
mod files;
mod options;
mod pixels;
mod resize;
mod rows;
#[cfg(test)]
mod tests;

use crate::data::dataset::Dataset;
use crate::data::tensor::Tensor;
use crate::error::{Error, Result};
use files::Found;
pub(super) use files::no_classes;
pub(super) use options::{ColorMode, Images, Order, size_of};
use pixels::Pixels;
pub(super) use rows::PictureRows;
use std::path::Path;

/// The contents of a folder of pictures.
pub(crate) struct PicturesLook {
    /// The classes, each with the number of its pictures.
    pub classes: Vec<(String, usize)>,
    /// Height and width of the first picture.
    pub size: [usize; 2],
}

/// Looks at a folder with a folder of pictures for each class, two at least.
pub(crate) fn pictures_of(folder: &str) -> Result<PicturesLook> {
    let images = Images::of(folder);
    let found = images.find(Path::new(""), None)?;
    let labels = found.labels.as_ref();
    let labels = labels.ok_or_else(|| no_classes(&found.folder))?;
    let mut counts = vec![0_usize; found.classes.len()];
    labels.iter().for_each(|&label| counts[label] += 1);
    if let [only] = &found.classes[..] {
        let expected = "two at least: one class cannot be told from another";
        return Err(Error::invalid(
            folder,
            format!("one class folder, `{only}`"),
            expected,
        ));
    }
    let size = images.size_in(&found)?;
    let classes = found.classes.iter().cloned().zip(counts).collect();
    Ok(PicturesLook { classes, size })
}

impl Images {
    /// Reads the pictures. Rows have the shape (height, width, channels), pixels stay bytes; the
    /// label is the class folder's index in `classes`, or in the order of the names. A folder
    /// without class folders gives no targets. The ids are the files' names, relative to the
    /// folder.
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

    /// The same with the first picture's size, if it has no size.
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

    /// Bytes of all pictures of the folder in this size.
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

    /// Height and width of all pictures; the first one's, if not given.
    fn size_in(&self, found: &Found) -> Result<[usize; 2]> {
        match self.size {
            Some(size) => Ok(size),
            None => {
                let first = decode::decode(&found.path(0), self.color_mode.unwrap_or_default())?;
                Ok([first.height, first.width])
            }
        }
    }

    /// All pictures, row by row, in memory.
    fn pixels(&self, found: &Found, rows: &[usize]) -> Result<Pixels> {
        let cache = cache::Cache::of(self, found);
        if let Some(kept) = cache.read(rows) {
            return Ok(kept);
        }
        let size = self.size_in(found)?;
        let mut pixels = Pixels::empty(size, self.color_mode.unwrap_or_default(), found)?;
        self.decode(found, rows, size, &mut pixels.pixels)?;
        cache.write(&pixels, rows);
        Ok(pixels)
    }
}
