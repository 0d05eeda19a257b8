use super::image::{
    DataFormat, Window, check_sides, middle, part, resized, resized_shape, shape_of, sides,
};
use super::{Call, Effect, KerasTraits, LayerFormula, LayerTraits, Randomness};
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::Result;
use crate::plan::lower::{Lowering, Value};
use crate::rules::augment::{Axis, Resize};
use serde::{Deserialize, Serialize};

/// In training, a random part of each image, at the same position for all of a batch; in inference
/// the largest centred part with the new proportions, resized: `keras.layers.RandomCrop`.
///
/// The position is random if images are both higher and wider; others are cropped at the centre,
/// and resized if they are too small.
///
/// Inference follows Keras' documentation. Keras 3.15 itself leaves images there in their old size,
/// so that its own models cannot predict with a `Dense` layer after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RandomCrop {
    /// The new height.
    #[schemars(extend("examples" = [24]))]
    pub height: usize,
    /// The new width.
    #[schemars(extend("examples" = [24]))]
    pub width: usize,
    /// Keras' own seed; ignored, since gradus draws from the model's seed. Default
    /// none.
    #[serde(default)]
    #[schemars(extend("examples" = [7]))]
    pub seed: Option<u64>,
    /// Order of the axes.
    #[serde(default)]
    pub data_format: DataFormat,
}

impl RandomCrop {
    /// Crops to this size.
    pub fn new(height: usize, width: usize) -> Self {
        RandomCrop {
            height,
            width,
            seed: None,
            data_format: DataFormat::default(),
        }
    }
}

setters!(RandomCrop {
    /// Sets the order of the axes.
    data_format(DataFormat);
});

impl Rule for RandomCrop {
    fn check(&self) -> Result<()> {
        check_sides([self.height, self.width])
    }
}

impl LayerFormula for RandomCrop {
    const KERAS: KerasTraits = KerasTraits::IMAGES.not_compiled();

    fn traits(&self) -> LayerTraits {
        LayerTraits {
            effect: Effect::KeepsScale,
            ..LayerTraits::random(Randomness::TrainingOnly)
        }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        resized_shape(&inputs[0], self.data_format, [self.height, self.width])
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let (to, stream) = ([self.height, self.width], plan.stream());
        resized(plan, &call, self.data_format, to, |plan, x, image, new| {
            let from = sides(image);
            let parts = middle(from, to);
            if !plan.training() {
                return Window::of(parts).lower(plan, x, image, new);
            }
            if from[0] > to[0] && from[1] > to[1] {
                let rule = Resize {
                    from: image,
                    to: new,
                    rows: Axis::anywhere(from[0], to[0]),
                    columns: Axis::anywhere(from[1], to[1]),
                    fill: 0.0,
                };
                return plan.resize(x, &shape_of(new), rule, Some(stream));
            }
            // Keras begins at the centred position, and takes the pixels available from there.
            let parts = [0, 1].map(|n| {
                let start = parts[n].start as usize;
                part(start, to[n].min(from[n] - start))
            });
            Window::of(parts).lower(plan, x, image, new)
        })
    }
}
