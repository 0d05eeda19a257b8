use super::image::{DataFormat, augmented, image};
use super::{Call, KerasTraits, LayerFormula, LayerTraits, Randomness};
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::Result;
use crate::plan::lower::{Lowering, Value};
use crate::rules::augment::Augment;
use serde::{Deserialize, Serialize};

/// In training, flips every image with probability ½.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct RandomFlip {
    /// Direction. Default both at once.
    pub mode: FlipMode,
    /// Keras' own seed; ignored, since gradus draws from the model's seed. Default
    /// none.
    #[schemars(extend("examples" = [7]))]
    pub seed: Option<u64>,
    /// Order of the axes.
    pub data_format: DataFormat,
}

/// Direction in which an image is turned over.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum FlipMode {
    /// Left and right.
    Horizontal,
    /// Top and bottom.
    Vertical,
    /// Both: a rotation by 180 degrees.
    #[default]
    HorizontalAndVertical,
}

impl RandomFlip {
    /// Flips images in this direction.
    pub fn new(mode: FlipMode) -> Self {
        RandomFlip {
            mode,
            ..Self::default()
        }
    }
}

setters!(RandomFlip {
    /// Sets the order of the axes.
    data_format(DataFormat);
});

impl Rule for RandomFlip {}

impl LayerFormula for RandomFlip {
    const KERAS: KerasTraits = KerasTraits::IMAGES;

    fn traits(&self) -> LayerTraits {
        LayerTraits::noise(Randomness::TrainingOnly)
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        image(&inputs[0], self.data_format).map(|_| inputs[0].clone())
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let rule = Augment::Flip {
            horizontal: self.mode != FlipMode::Vertical,
            vertical: self.mode != FlipMode::Horizontal,
        };
        augmented(plan, call, self.data_format, rule)
    }
}
