use super::image::{DataFormat, Factor, augmented, bytes, check_values, image, range};
use super::{Call, KerasTraits, LayerFormula, LayerTraits, Randomness};
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::Result;
use crate::plan::lower::{Lowering, Value};
use crate::rules::augment::Augment;
use serde::{Deserialize, Serialize};

/// In training, multiplies the deviations of each channel's pixels from their mean by a random
/// factor, the same for all channels of an image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RandomContrast {
    /// The factor is between 1 - the first and 1 + the second, both from 0 to 1. As in Keras 3.15,
    /// one number is the range from 0 to itself: contrast only grows.
    #[schemars(extend("examples" = [0.1]))]
    pub factor: Factor,
    /// Smallest and largest value of a pixel, to which results are clipped. Default 0 and 255.
    #[serde(default = "bytes")]
    pub value_range: [f64; 2],
    /// Keras' own seed; ignored, since gradus draws from the model's seed. Default
    /// none.
    #[serde(default)]
    #[schemars(extend("examples" = [7]))]
    pub seed: Option<u64>,
    /// Order of the axes.
    #[serde(default)]
    pub data_format: DataFormat,
}

impl RandomContrast {
    /// With this factor, or from 1 - the first to 1 + the second.
    pub fn new(factor: impl Into<Factor>) -> Self {
        RandomContrast {
            factor: factor.into(),
            value_range: bytes(),
            seed: None,
            data_format: DataFormat::default(),
        }
    }

    /// Sets the smallest and the largest value of a pixel.
    pub fn value_range(mut self, low: f64, high: f64) -> Self {
        self.value_range = [low, high];
        self
    }
}

setters!(RandomContrast {
    /// Sets the order of the axes.
    data_format(DataFormat);
});

impl Rule for RandomContrast {
    fn check(&self) -> Result<()> {
        self.factor.check("factor", 0.0, 1.0, false)?;
        check_values(self.value_range)
    }
}

impl LayerFormula for RandomContrast {
    const KERAS: KerasTraits = KerasTraits::IMAGES;

    fn traits(&self) -> LayerTraits {
        LayerTraits::noise(Randomness::TrainingOnly)
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        image(&inputs[0], self.data_format).map(|_| inputs[0].clone())
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let (lower, upper) = self.factor.ends(0.0);
        let rule = Augment::Contrast {
            factor: range([1.0 - lower, 1.0 + upper]),
            values: range(self.value_range),
        };
        augmented(plan, call, self.data_format, rule)
    }
}
