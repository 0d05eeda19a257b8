use super::image::{DataFormat, Factor, augmented, bytes, check_values, image, range};
use super::{Call, KerasTraits, LayerFormula, LayerTraits, Randomness};
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::Result;
use crate::plan::lower::{Lowering, Value};
use crate::rules::augment::Augment;
use serde::{Deserialize, Serialize};

/// In training, adds a random share of the value range to each image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RandomBrightness {
    /// The share, from -1 (black) to 1 (white).
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

impl RandomBrightness {
    /// With at most this share more or less, or a share between two numbers.
    pub fn new(factor: impl Into<Factor>) -> Self {
        RandomBrightness {
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

setters!(RandomBrightness {
    /// Sets the order of the axes.
    data_format(DataFormat);
});

impl Rule for RandomBrightness {
    fn check(&self) -> Result<()> {
        self.factor.check("factor", -1.0, 1.0, false)?;
        check_values(self.value_range)
    }
}

impl LayerFormula for RandomBrightness {
    const KERAS: KerasTraits = KerasTraits::IMAGES;

    fn traits(&self) -> LayerTraits {
        LayerTraits::noise(Randomness::TrainingOnly)
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        image(&inputs[0], self.data_format).map(|_| inputs[0].clone())
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let rule = Augment::Brightness {
            share: self.factor.range(-1.0),
            values: range(self.value_range),
        };
        augmented(plan, call, self.data_format, rule)
    }
}
