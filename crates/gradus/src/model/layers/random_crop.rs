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

/// In training, a part of each image, in the same random place for all of a batch;
/// otherwise the largest part in the middle that has the new proportions, brought to
/// the size: `keras.layers.RandomCrop`.
///
/// The place is random where images are both higher and wider; others are cut in the
/// middle, and brought to the size if they are too small.
///
/// Out of training this is what Keras' documentation says. Keras 3.15 itself leaves
/// images there as they are, in their old size, so that its own models cannot predict
/// with a `Dense` layer behind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomCrop {
    /// The new height.
    pub height: usize,
    /// The new width.
    pub width: usize,
    /// Keras' own seed; gradus draws from the model's seed.
    #[serde(default)]
    pub seed: Option<u64>,
    /// Order of the axes.
    #[serde(default)]
    pub data_format: DataFormat,
}

impl RandomCrop {
    /// To images of this size.
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
    /// Sets how the axes are ordered.
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
            // Keras begins where the middle does, and takes what there is from there.
            let parts = [0, 1].map(|n| {
                let start = parts[n].start as usize;
                part(start, to[n].min(from[n] - start))
            });
            Window::of(parts).lower(plan, x, image, new)
        })
    }
}
