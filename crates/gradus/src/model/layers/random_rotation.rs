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

/// In training, rotates each image about its centre by a random angle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RandomRotation {
    /// Angle in whole turns, from -1 to 1; above 0 is counterclockwise.
    #[schemars(extend("examples" = [0.1]))]
    pub factor: Factor,
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

impl RandomRotation {
    /// By at most this share of a turn in either direction, or by shares between two numbers.
    pub fn new(factor: impl Into<Factor>) -> Self {
        RandomRotation {
            factor: factor.into(),
            fill_mode: reflect(),
            interpolation: bilinear(),
            seed: None,
            fill_value: 0.0,
            data_format: DataFormat::default(),
        }
    }
}

setters!(RandomRotation {
    /// Sets the values beyond the edge.
    fill_mode(FillMode);
    /// Sets the interpolation between pixels.
    interpolation(Interpolation);
    /// Sets the constant beyond the edge.
    fill_value(f64);
    /// Sets the order of the axes.
    data_format(DataFormat);
});

impl Rule for RandomRotation {
    fn check(&self) -> Result<()> {
        self.factor.check("factor", -1.0, 1.0, false)?;
        check_number("fill_value", self.fill_value)
    }
}

impl LayerFormula for RandomRotation {
    const KERAS: KerasTraits = KerasTraits::IMAGES.not_compiled();

    fn traits(&self) -> LayerTraits {
        LayerTraits::noise(Randomness::TrainingOnly)
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        image(&inputs[0], self.data_format).map(|_| inputs[0].clone())
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let rule = Augment::Rotation {
            turns: self.factor.range(-1.0),
            by: resample(self.fill_mode, self.interpolation, self.fill_value),
        };
        augmented(plan, call, self.data_format, rule)
    }
}
