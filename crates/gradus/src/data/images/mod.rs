//! Folders of pictures, as Keras' `image_dataset_from_directory` reads them.
//!
//! `files` finds the pictures and their classes, `decode` reads one, `resize`
//! brings it to the size of the others, `cache` keeps what came of it.

mod cache;
mod decode;
mod files;
mod known;
mod resize;
#[cfg(test)]
mod tests;

use crate::base::registry::Value;
use crate::base::shape::Shape;
use crate::base::threads::{lock, threads};
use crate::data::dataset::Dataset;
use crate::data::tensor::Tensor;
use crate::error::{Error, Result};
use decode::Picture;
use files::Found;
pub(super) use files::no_classes;
pub use known::Pictures;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::{Arc, Mutex};

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
    pub(super) fn load(
        &self,
        base: &Path,
        order: Order,
        classes: Option<&[String]>,
    ) -> Result<Dataset> {
        let folder = base.join(&self.folder);
        let mut found = files::find(&folder)?;
        if let Some(classes) = classes {
            found.relabel(classes)?;
        }
        let slots = match order {
            Order::Sorted => (0..found.files.len()).collect(),
            Order::Spread => found.spread(),
        };
        let name = folder.display().to_string();
        let pictures = self.pixels(&found, &slots)?;
        let channels = self.color_mode.unwrap_or_default().channels();
        let [height, width] = pictures.size;
        let x = Tensor::from_u8([height, width, channels], pictures.pixels)?.named(&name);
        let data = match &found.labels {
            None => Dataset::unlabelled(x),
            Some(labels) => {
                let mut placed = vec![0.0; labels.len()];
                for (&label, &slot) in labels.iter().zip(&slots) {
                    placed[slot] = label as f32;
                }
                let title = format!("the classes of {name}");
                Dataset::new(x, Tensor::from_column(placed)?.named(&title))?
            }
        };
        let mut files = vec![0; slots.len()];
        for (file, &slot) in slots.iter().enumerate() {
            files[slot] = file as u32;
        }
        let files = Tensor::from_dictionary([1], Arc::new(found.names()), files)?;
        data.named(&name)
            .with_class_names(&found.classes)
            .with_ids(vec![("file".to_owned(), files)])
    }

    fn pixels(&self, found: &Found, slots: &[usize]) -> Result<Pixels> {
        let cache = cache::Cache::of(self, found);
        if let Some(kept) = cache.read(slots) {
            return Ok(kept);
        }
        let pixels = self.decode_all(found, slots)?;
        cache.write(&pixels, slots);
        Ok(pixels)
    }

    /// Decodes every picture, on all threads, each into its slot.
    fn decode_all(&self, found: &Found, slots: &[usize]) -> Result<Pixels> {
        let color = self.color_mode.unwrap_or_default();
        let decode = |file: usize| decode::decode(&found.path(file), color);
        let first = match self.size {
            Some(_) => None,
            None => Some(decode(0)?),
        };
        let first_size = first
            .as_ref()
            .map(|picture| [picture.height, picture.width]);
        let size = self.size.or(first_size).unwrap_or_default();
        let row = size[0] * size[1] * color.channels();
        let mut pixels = Pixels::empty(size, color, found)?;
        let mut places: Vec<Option<&mut [u8]>> =
            pixels.pixels.chunks_exact_mut(row).map(Some).collect();
        let jobs: Vec<(usize, &mut [u8])> = slots
            .iter()
            .enumerate()
            .filter_map(|(file, &slot)| Some((file, places[slot].take()?)))
            .collect();
        let one = |file: usize, place: &mut [u8]| {
            let picture = decode(file)?;
            self.check_size(found, file, &picture, size)?;
            resize::resize(&picture, size, self.resize.unwrap_or_default(), place);
            Ok(())
        };
        // In order: whoever fails first has nothing unread before it, so that the
        // error is the same on any number of threads.
        let jobs = Mutex::new(jobs.into_iter());
        let failed: Mutex<Option<(usize, Error)>> = Mutex::new(None);
        let work = || {
            loop {
                let next = lock(&jobs).next();
                let Some((file, place)) = next else { return };
                if let Err(error) = one(file, place) {
                    let mut failed = lock(&failed);
                    if failed.as_ref().is_none_or(|(other, _)| file < *other) {
                        *failed = Some((file, error));
                    }
                    return;
                }
                if lock(&failed).is_some() {
                    return;
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..threads().min(slots.len()) {
                scope.spawn(work);
            }
            work();
        });
        let failed = lock(&failed).take();
        match failed {
            Some((_, error)) => Err(error),
            None => Ok(pixels),
        }
    }

    /// Refuses pictures of several sizes where none is named.
    fn check_size(
        &self,
        found: &Found,
        file: usize,
        picture: &Picture,
        size: [usize; 2],
    ) -> Result<()> {
        if self.size.is_some() || [picture.height, picture.width] == size {
            return Ok(());
        }
        let problem = format!(
            "it has {} x {} pixels, but {} has {} x {} (height x width): say what size all shall \
             have, `size = [{}, {}]` beside `images` in the [data] table of a TOML file",
            picture.height,
            picture.width,
            found.files[0].display(),
            size[0],
            size[1],
            size[0],
            size[1]
        );
        Err(Error::file(found.path(file), problem))
    }
}

/// The pictures of a folder, one after another in the order of the rows.
struct Pixels {
    size: [usize; 2],
    pixels: Vec<u8>,
}

impl Pixels {
    /// Black pictures; an error where memory does not hold them.
    fn empty(size: [usize; 2], color: ColorMode, found: &Found) -> Result<Self> {
        let count = found.files.len();
        let bytes = [size[0], size[1], color.channels(), count]
            .into_iter()
            .try_fold(1_usize, |a, b| a.checked_mul(b));
        let mut pixels = Vec::new();
        match bytes {
            Some(bytes) if pixels.try_reserve_exact(bytes).is_ok() => pixels.resize(bytes, 0),
            _ => {
                let problem = format!(
                    "its {count} pictures of {} x {} pixels do not fit into memory: choose a \
                     smaller `size`",
                    size[0], size[1]
                );
                return Err(Error::file(&found.folder, problem));
            }
        }
        Ok(Pixels { size, pixels })
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
