use super::checks::check_dropping;
use super::{Call, KerasTraits, LayerFormula, LayerTraits, Randomness};
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::plan::lower::{Lowering, Value};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// Dropout (Srivastava et al. 2014): in training, each value is 0 with probability `rate`, else
/// divided by 1 - `rate`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Dropout {
    /// The share set to 0, from 0 to below 1.
    #[schemars(extend("examples" = [0.2]))]
    pub rate: f64,
    /// Shape of the mask, the batch's axis first: along an axis of length 1 the mask is shared, all
    /// other axes are the input's, which `None` stands for (-1 in a configuration). `[-1, 1, 1, 1]`
    /// drops whole images: stochastic depth (Huang et al. 2016). Default: the input's shape.
    #[serde(default, deserialize_with = "mask_axes")]
    #[schemars(with = "Option<Vec<i64>>", extend("examples" = [[-1, 1]]))]
    pub noise_shape: Option<Vec<Option<usize>>>,
    /// Keras' own seed; ignored, since gradus draws from the model's seed. Default
    /// none.
    #[serde(default)]
    #[schemars(extend("examples" = [7]))]
    pub seed: Option<u64>,
}

impl Dropout {
    /// Sets a share `rate` to 0.
    pub fn new(rate: f64) -> Self {
        Dropout {
            rate,
            noise_shape: None,
            seed: None,
        }
    }

    fn not_a_mask(&self, expected: impl Into<String>) -> Error {
        let shape = self.noise_shape.iter().flatten();
        let shape = shape.map(|axis| axis.map_or("-1".to_owned(), |size| size.to_string()));
        let found = format!("[{}]", shape.collect::<Vec<_>>().join(", "));
        Error::invalid("noise_shape", found, expected.into())
    }

    /// The axes of a row along which the mask changes.
    fn masked_axes(&self, x: &Shape) -> Result<Vec<usize>> {
        let dims = x.dims();
        let Some(mask) = &self.noise_shape else {
            return Ok((0..dims.len()).collect());
        };
        let fits =
            |(&size, axis): (&usize, &Option<usize>)| axis.is_none_or(|n| n == 1 || n == size);
        if mask.len() != dims.len() + 1 || !dims.iter().zip(&mask[1..]).all(fits) {
            let expected = format!("a batch's axis, then for each axis of {x} its size, 1 or -1");
            return Err(self.not_a_mask(expected));
        }
        let changes = |&axis: &usize| mask[axis + 1] != Some(1) || dims[axis] == 1;
        Ok((0..dims.len()).filter(changes).collect())
    }
}

/// Reads axes of which -1 or null is the input's whole one.
fn mask_axes<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<Option<usize>>>, D::Error> {
    let axis = |axis: Option<i64>| match axis {
        None | Some(-1) => Ok(None),
        Some(size) => usize::try_from(size).map(Some),
    };
    let axes = Option::<Vec<Option<i64>>>::deserialize(from)?;
    let read = axes.map(|axes| axes.into_iter().map(axis).collect::<Result<_, _>>());
    let wrong = |_| D::Error::custom("noise_shape: sizes of axes, of which -1 is the input's");
    read.transpose().map_err(wrong)
}

setters!(Dropout {
    /// Sets the shape of the mask: see the field.
    noise_shape(some into Vec<Option<usize>>);
});

impl Rule for Dropout {
    fn check(&self) -> Result<()> {
        check_dropping(self.rate)?;
        match self.noise_shape.as_deref() {
            Some([Some(_), ..] | []) => {
                Err(self
                    .not_a_mask("-1 (null in Keras' files) first: each row has a mask of its own"))
            }
            _ => Ok(()),
        }
    }
}

impl LayerFormula for Dropout {
    const KERAS: KerasTraits = KerasTraits::BUILT_AT_ONCE;

    fn traits(&self) -> LayerTraits {
        LayerTraits::dropout(Randomness::Training, self.rate)
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        self.masked_axes(&inputs[0]).map(|_| inputs[0].clone())
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let x = &call.inputs[0];
        // Refused axes never get here: `output` has looked.
        let axes = self.masked_axes(&x.shape).unwrap_or_default();
        if axes.len() == x.shape.dims().len() {
            return plan.dropout(x, self.rate, false);
        }
        plan.by_axes(x, &axes, |plan, x| plan.channel_dropout(x, self.rate))
    }
}
