//! The options by which the pictures of a folder are read.

use crate::base::registry::Value;
use crate::base::shape::Shape;
use crate::data::pictures::Resize;
use crate::error::{Error, Result};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

/// A folder of pictures, and the way they are read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Images {
    /// A folder of pictures (PNG, JPEG), with a folder for each class in it. Default none.
    #[serde(rename = "images")]
    #[schemars(extend("examples" = ["flowers"]))]
    pub folder: String,
    /// Height and width, each up to 8192. Default that of the pictures, if all have the same.
    #[schemars(schema_with = "size_schema", extend("examples" = [[64, 64]]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<[usize; 2]>,
    /// The treatment of a picture of other proportions.
    #[schemars(extend("default" = Resize::default()), extend("examples" = ["crop"]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resize: Option<Resize>,
    /// The channels of a picture.
    #[schemars(extend("default" = ColorMode::default()), extend("examples" = ["grayscale"]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color_mode: Option<ColorMode>,
}

/// The channels of a picture, in Keras' words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ColorMode {
    /// Red, green and blue. Transparency is dropped.
    #[default]
    Rgb,
    /// Brightness: a JPEG's own, else 0.299 red + 0.587 green + 0.114 blue.
    Grayscale,
}

impl ColorMode {
    pub(in crate::data) const NAMES: [(&'static str, ColorMode); 2] =
        [("rgb", ColorMode::Rgb), ("grayscale", ColorMode::Grayscale)];

    /// The numbers of a pixel.
    pub fn channels(self) -> usize {
        match self {
            ColorMode::Rgb => 3,
            ColorMode::Grayscale => 1,
        }
    }
}

/// The order of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::data) enum Order {
    /// Class after class, by name.
    Sorted,
    /// Each class spread evenly over the rows, by name within it: any contiguous part has its share
    /// of every class.
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

    /// With the size and channels of a model's input shape, if that is a picture's.
    pub(in crate::data) fn fitting(mut self, shape: &Shape) -> Self {
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

    /// The same options for another folder.
    pub(in crate::data) fn other(&self, folder: &str) -> Self {
        Images {
            folder: folder.to_owned(),
            ..self.clone()
        }
    }
}

/// Limit of a height or width.
const LARGEST: u64 = 8192;

fn size_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": { "type": "integer", "minimum": 1, "maximum": LARGEST },
        "minItems": 2,
        "maxItems": 2,
    })
}

/// `size` of a configuration: height and width.
pub(in crate::data) fn size_of(at: &str, value: &Value) -> Result<[usize; 2]> {
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
