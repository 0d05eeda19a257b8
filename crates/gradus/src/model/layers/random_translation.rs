use super::image::{
    DataFormat, Factor, augmented, bilinear, check_number, image, reflect, resample,
};
use super::{Call, KerasTraits, LayerFormula, LayerTraits, Randomness};
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::Result;
use crate::plan::lower::{Lowering, Value};
use crate::rules::augment::{Augment, FillMode, Interpolation};
use serde::{Deserialize, Serialize};

/// In training, shifts each image by a random share of its height and width.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RandomTranslation {
    /// Distance down, in heights, from -1 to 1; below 0 is up.
    #[schemars(extend("examples" = [0.1]))]
    pub height_factor: Factor,
    /// Distance to the right, in widths, from -1 to 1; below 0 is to the left.
    #[schemars(extend("examples" = [0.1]))]
    pub width_factor: Factor,
    /// Picture beyond the edge. Default `Reflect`.
    #[serde(default = "reflect")]
    pub fill_mode: FillMode,
    /// Interpolation between pixels. Default `bilinear`.
    #[serde(default = "bilinear")]
    pub interpolation: Interpolation,
    /// Keras' own seed; ignored, since gradus draws from the model's seed. Default
    /// none.
    #[serde(default)]
    #[schemars(extend("examples" = [7]))]
    pub seed: Option<u64>,
    /// Value beyond the edge if `fill_mode` is `constant`. Default 0.
    #[serde(default)]
    pub fill_value: f64,
    /// Order of the axes.
    #[serde(default)]
    pub data_format: DataFormat,
}

impl RandomTranslation {
    /// With at most these shares up or down and to the left or right, or with shares between two
    /// numbers.
    pub fn new(height_factor: impl Into<Factor>, width_factor: impl Into<Factor>) -> Self {
        RandomTranslation {
            height_factor: height_factor.into(),
            width_factor: width_factor.into(),
            fill_mode: reflect(),
            interpolation: bilinear(),
            seed: None,
            fill_value: 0.0,
            data_format: DataFormat::default(),
        }
    }
}

setters!(RandomTranslation {
    /// Sets the values beyond the edge.
    fill_mode(FillMode);
    /// Sets the interpolation between pixels.
    interpolation(Interpolation);
    /// Sets the constant beyond the edge.
    fill_value(f64);
    /// Sets the order of the axes.
    data_format(DataFormat);
});

impl Rule for RandomTranslation {
    fn check(&self) -> Result<()> {
        self.height_factor
            .check("height_factor", -1.0, 1.0, false)?;
        self.width_factor.check("width_factor", -1.0, 1.0, false)?;
        check_number("fill_value", self.fill_value)
    }
}

impl LayerFormula for RandomTranslation {
    const KERAS: KerasTraits = KerasTraits::IMAGES.not_compiled();

    fn traits(&self) -> LayerTraits {
        LayerTraits::noise(Randomness::TrainingOnly)
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        image(&inputs[0], self.data_format).map(|_| inputs[0].clone())
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let rule = Augment::Translation {
            height: self.height_factor.range(-1.0),
            width: self.width_factor.range(-1.0),
            by: resample(self.fill_mode, self.interpolation, self.fill_value),
        };
        augmented(plan, call, self.data_format, rule)
    }
}
