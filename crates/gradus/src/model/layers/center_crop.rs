use super::image::{DataFormat, Window, check_sides, middle, part, resized, resized_shape, sides};
use super::{Call, Effect, KerasTraits, LayerFormula, LayerTraits};
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::Result;
use crate::plan::lower::{Lowering, Value};
use serde::{Deserialize, Serialize};

/// Crops the centre of each image, in training and inference: `keras.layers.CenterCrop`.
///
/// Of a smaller image, the largest centred part with the new proportions is resized.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CenterCrop {
    /// The new height.
    #[schemars(extend("examples" = [24]))]
    pub height: usize,
    /// The new width.
    #[schemars(extend("examples" = [24]))]
    pub width: usize,
    /// Order of the axes.
    #[serde(default)]
    pub data_format: DataFormat,
}

impl CenterCrop {
    /// Crops to this size.
    pub fn new(height: usize, width: usize) -> Self {
        CenterCrop {
            height,
            width,
            data_format: DataFormat::default(),
        }
    }
}

setters!(CenterCrop {
    /// Sets the order of the axes.
    data_format(DataFormat);
});

impl Rule for CenterCrop {
    fn check(&self) -> Result<()> {
        check_sides([self.height, self.width])
    }
}

impl LayerFormula for CenterCrop {
    const KERAS: KerasTraits = KerasTraits::IMAGES;

    fn traits(&self) -> LayerTraits {
        LayerTraits {
            effect: Effect::KeepsScale,
            ..LayerTraits::deterministic()
        }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        resized_shape(&inputs[0], self.data_format, [self.height, self.width])
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let to = [self.height, self.width];
        resized(plan, &call, self.data_format, to, |plan, x, image, new| {
            let from = sides(image);
            let parts = match from[0] >= to[0] && from[1] >= to[1] {
                true => [0, 1].map(|n| part((from[n] - to[n]) / 2, to[n])),
                false => middle(from, to),
            };
            Window::of(parts).lower(plan, x, image, new)
        })
    }
}
