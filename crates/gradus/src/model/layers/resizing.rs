use super::image::{
    DataFormat, LONGEST, Sides, Window, around, check_number, check_sides, image, middle, part,
    resized, resized_shape, sides,
};
use super::{Call, Effect, KerasTraits, LayerFormula, LayerTraits};
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::plan::lower::{Lowering, Value};
use crate::rules::augment::{FillMode, Part, Resampling};
use serde::{Deserialize, Serialize};

/// Resizes images, in training and inference: `keras.layers.Resizing`.
///
/// Pixels have their centres at halves. `nearest` and `bilinear` are the same in Keras' TensorFlow
/// and JAX; for `bicubic` TensorFlow has an approximation, and this is JAX' exact one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Resizing {
    /// The new height.
    #[schemars(extend("examples" = [24]))]
    pub height: usize,
    /// The new width.
    #[schemars(extend("examples" = [24]))]
    pub width: usize,
    /// Interpolation of new pixels. Default between the four around it.
    #[serde(default)]
    pub interpolation: Resampling,
    /// True to take the largest part in the middle that has the new proportions,
    /// in place of all in other proportions. Default no.
    #[serde(default)]
    pub crop_to_aspect_ratio: bool,
    /// True to first make the image one of the new proportions, by as much on
    /// either side. Default no.
    #[serde(default)]
    pub pad_to_aspect_ratio: bool,
    /// Filling of what it is then widened by: Keras knows `constant` alone.
    #[serde(default = "constant")]
    #[schemars(extend("examples" = ["constant"]))]
    pub fill_mode: FillMode,
    /// Constant of the padding. Default 0.
    #[serde(default)]
    pub fill_value: f64,
    /// True to make a smaller image's pixels of all that they stand for. Default
    /// no, and never with `nearest`.
    #[serde(default)]
    pub antialias: bool,
    /// Order of the axes.
    #[serde(default)]
    pub data_format: DataFormat,
}

fn constant() -> FillMode {
    FillMode::Constant
}

impl Resizing {
    /// Crops to this size.
    pub fn new(height: usize, width: usize) -> Self {
        Resizing {
            height,
            width,
            interpolation: Resampling::default(),
            crop_to_aspect_ratio: false,
            pad_to_aspect_ratio: false,
            fill_mode: constant(),
            fill_value: 0.0,
            antialias: false,
            data_format: DataFormat::default(),
        }
    }

    fn parts(&self, from: Sides) -> [Part; 2] {
        let to = [self.height, self.width];
        match (self.crop_to_aspect_ratio, self.pad_to_aspect_ratio) {
            (true, _) => middle(from, to),
            (_, true) => around(from, to),
            _ => from.map(|side| part(0, side)),
        }
    }
}

setters!(Resizing {
    /// Sets the interpolation.
    interpolation(Resampling);
    /// Sets whether proportions are kept by cropping.
    crop_to_aspect_ratio(bool);
    /// Sets whether proportions are kept by padding.
    pad_to_aspect_ratio(bool);
    /// Sets the constant of the padding.
    fill_value(f64);
    /// Sets whether antialiasing is used when an image gets smaller.
    antialias(bool);
    /// Sets the order of the axes.
    data_format(DataFormat);
});

impl Rule for Resizing {
    fn check(&self) -> Result<()> {
        if self.crop_to_aspect_ratio && self.pad_to_aspect_ratio {
            let expected = "false beside crop_to_aspect_ratio = true: one or the other";
            return Err(Error::invalid("pad_to_aspect_ratio", true, expected));
        }
        if self.fill_mode != FillMode::Constant {
            let found = format!("`{:?}`", self.fill_mode).to_lowercase();
            return Err(Error::invalid("fill_mode", found, "`constant`, as Keras"));
        }
        check_number("fill_value", self.fill_value)?;
        check_sides([self.height, self.width])
    }
}

impl LayerFormula for Resizing {
    const KERAS: KerasTraits = KerasTraits::IMAGES;

    fn traits(&self) -> LayerTraits {
        LayerTraits {
            effect: Effect::KeepsScale,
            ..LayerTraits::deterministic()
        }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let from = sides(image(&inputs[0], self.data_format)?);
        let long = self.parts(from).map(|part| part.length).into_iter().max();
        if long > Some(LONGEST) {
            let expected = format!(
                "images that have at most {LONGEST} pixels in a row when they have the \
                 proportions of {} to {}",
                self.height, self.width
            );
            return Err(Error::shape("", &inputs[0], expected));
        }
        resized_shape(&inputs[0], self.data_format, [self.height, self.width])
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let to = [self.height, self.width];
        resized(plan, &call, self.data_format, to, |plan, x, image, new| {
            let window = Window {
                parts: self.parts(sides(image)),
                by: self.interpolation,
                smooth: self.antialias,
                fill: self.fill_value as f32,
            };
            window.lower(plan, x, image, new)
        })
    }
}
