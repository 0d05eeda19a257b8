//! Code shared by the layers for images.

mod size;
#[cfg(test)]
mod tests;

use super::Call;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::plan::lower::{Lowering, Value};
use crate::rules::augment::{Augment, FillMode, Image, Interpolation, Range, Resample};
use serde::{Deserialize, Serialize};
pub(super) use size::{
    Sides, Window, around, check_sides, middle, part, resized, resized_shape, shape_of, sides,
};

/// Order of an image's axes.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum DataFormat {
    /// (height, width, channels); of sequences, (steps, channels).
    #[default]
    ChannelsLast,
    /// (channels, height, width); of sequences, (channels, steps).
    ChannelsFirst,
}

/// The range of a random factor.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(inline)]
#[serde(untagged, expecting = "expected a number, or a list of two")]
pub enum Factor {
    /// From minus this number to this number, or from 0 if the layer takes nothing below 0.
    One(f64),
    /// Between these two.
    Between([f64; 2]),
}

impl From<f64> for Factor {
    fn from(factor: f64) -> Self {
        Factor::One(factor)
    }
}

impl From<[f64; 2]> for Factor {
    fn from(factors: [f64; 2]) -> Self {
        Factor::Between(factors)
    }
}

impl Factor {
    /// Refuses a range outside of `low` to `high`, or, if `open`, one that reaches `low`.
    pub(super) fn check(self, name: &str, low: f64, high: f64, open: bool) -> Result<()> {
        let (numbers, one) = match self {
            Factor::One(number) => ([number; 2], true),
            Factor::Between(numbers) => (numbers, false),
        };
        for number in numbers {
            let fits = number <= high && (number > low || (number == low && !open));
            if !fits {
                let found = match one {
                    true => number.to_string(),
                    false => format!("{numbers:?}"),
                };
                let above = if open { "above" } else { "from" };
                let expected = format!("a number, or two, {above} {low} to {high}");
                return Err(Error::invalid(name, found, expected));
            }
        }
        Ok(())
    }

    /// The ends of the range, at least `least`.
    pub(super) fn ends(self, least: f64) -> (f64, f64) {
        match self {
            Factor::One(factor) => ((-factor.abs()).max(least), factor.abs()),
            Factor::Between([a, b]) => (a.min(b), a.max(b)),
        }
    }

    /// The range itself.
    pub(super) fn range(self, least: f64) -> Range {
        let (low, high) = self.ends(least);
        range([low, high])
    }
}

pub(super) fn range([low, high]: [f64; 2]) -> Range {
    Range {
        low: low as f32,
        high: high as f32,
    }
}

/// Refuses a smallest value not below the largest.
pub(super) fn check_values(values: [f64; 2]) -> Result<()> {
    let [low, high] = values;
    if low < high && low.is_finite() && high.is_finite() {
        return Ok(());
    }
    let expected = "the smallest and the largest value of a pixel";
    Err(Error::invalid(
        "value_range",
        format!("{values:?}"),
        expected,
    ))
}

pub(super) fn check_number(name: &str, number: f64) -> Result<()> {
    match number.is_finite() {
        true => Ok(()),
        false => Err(Error::invalid(name, number, "a finite number")),
    }
}

/// Limit of an image's height and width: float32 holds their pixel indices exactly, and twice as
/// much.
pub(super) const LONGEST: usize = 1 << 21;

/// The image dimensions of a row of that shape.
pub(super) fn image(shape: &Shape, format: DataFormat) -> Result<Image> {
    let last = format == DataFormat::ChannelsLast;
    let axes = match last {
        true => "(height, width, channels)",
        false => "(channels, height, width)",
    };
    let (height, width, channels) = match *shape.dims() {
        [height, width, channels] if last => (height, width, channels),
        [channels, height, width] => (height, width, channels),
        [height, width] => {
            let whole = match last {
                true => [height, width, 1],
                false => [1, height, width],
            };
            let expected = format!("images, {axes}: put a Reshape to {whole:?} before it");
            return Err(Error::shape("", shape, expected));
        }
        _ => return Err(Error::shape("", shape, format!("images, {axes}"))),
    };
    if height.max(width) > LONGEST {
        let expected = format!("images, {axes}, of at most {LONGEST} pixels in a row");
        return Err(Error::shape("", shape, expected));
    }
    Ok(Image {
        height,
        width,
        channels,
        channels_first: !last,
    })
}

/// Augments the images of a layer's only input in training. Other shapes were refused by shape
/// inference.
pub(super) fn augmented(
    plan: &mut Lowering,
    call: Call<'_>,
    format: DataFormat,
    rule: Augment,
) -> Value {
    let x = &call.inputs[0];
    match image(&x.shape, format) {
        Ok(image) => plan.augment(x, image, rule),
        Err(_) => x.clone(),
    }
}

pub(super) fn resample(
    fill_mode: FillMode,
    interpolation: Interpolation,
    fill_value: f64,
) -> Resample {
    Resample {
        fill_mode,
        interpolation,
        fill_value: fill_value as f32,
    }
}

pub(super) fn reflect() -> FillMode {
    FillMode::Reflect
}

pub(super) fn bilinear() -> Interpolation {
    Interpolation::Bilinear
}

pub(super) fn bytes() -> [f64; 2] {
    [0.0, 255.0]
}
