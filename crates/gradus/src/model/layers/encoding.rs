//! Forms in which layers give the place that they find for each thing: as a number, or as a row
//! of zeros and ones.

use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::model::dtype::Dtype;
use crate::plan::lower::{Lowering, Value};
use serde::{Deserialize, Serialize};

/// Form in which the place of each thing is given.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum OutputMode {
    /// The index itself.
    #[default]
    Int,
    /// One-hot: a row of zeros with a 1 at the index, for each token: (…, 1) and (…) become (…,
    /// indices).
    OneHot,
    /// Multi-hot: a row of zeros with a 1 at the indices of all tokens of a row: (tokens) becomes
    /// (indices).
    MultiHot,
    /// The number of occurrences of each index among the tokens of a row: (tokens) becomes
    /// (indices).
    Count,
}

/// Limit of indices: larger whole numbers are not exact in `f32`.
pub(crate) const MOST_PLACES: usize = 1 << 24;

impl OutputMode {
    /// The shape of the encoding, for tokens of this shape and this many indices.
    pub(super) fn shape(self, input: &Shape, places: usize) -> Result<Shape> {
        match self {
            OutputMode::Int => Ok(input.clone()),
            OutputMode::OneHot => {
                let dims = input.dims();
                let kept = match dims.split_last() {
                    Some((1, before)) => before,
                    _ => dims,
                };
                let dims: Vec<usize> = kept.iter().copied().chain([places]).collect();
                Ok(Shape::new(dims))
            }
            OutputMode::MultiHot | OutputMode::Count => match input.rank() {
                1 => Ok([places].into()),
                _ => Err(Error::shape(
                    "",
                    input,
                    "rows of one axis, for output_mode multi_hot or count",
                )),
            },
        }
    }

    /// Type in Keras; places are whole numbers of type `int`.
    pub(super) fn dtype(self, int: Dtype) -> Dtype {
        match self {
            OutputMode::Int => int,
            _ => Dtype::Float32,
        }
    }

    /// Output for these places.
    pub(super) fn lower(self, plan: &mut Lowering, x: &Value, places: usize) -> Value {
        let Ok(shape) = self.shape(&x.shape, places) else {
            unreachable!("the shapes were checked");
        };
        match self {
            OutputMode::Int => x.clone(),
            OutputMode::OneHot => plan.encode(x, 1, false, &shape),
            _ => plan.encode(x, x.shape.size(), self == OutputMode::Count, &shape),
        }
    }
}
