use super::{Call, Effect, KerasHome, KerasTraits, LayerFormula, LayerTraits};
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::model::dtype::Dtype;
use crate::plan::lower::{Lowering, Value};
use crate::rules::mapping::Mapping;
use serde::{Deserialize, Serialize};

/// Replaces NaN and infinity by numbers: `keras.ops.nan_to_num`.
///
/// After a `Normalization` layer it replaces missing values by the mean of the training rows, which
/// is 0 there. The gradient passes where the input is finite.
///
/// ```
/// use gradus::prelude::*;
/// use gradus::layers::{NanToNum, Normalization};
/// let layers = Sequential::new().input([1]).add(Normalization::new()).add(NanToNum::new());
/// let mut model = layers.build()?;
/// let x = Tensor::from_rows(&[[1.0], [f32::NAN], [3.0]])?;
/// let data = Dataset::unlabelled(x);
/// model.adapt(&data)?;
/// assert_eq!(model.predict(&data)?.to_f32(), [-1.0, 0.0, 1.0]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct NanToNum {
    /// Replacement of NaN. Default 0.
    pub nan: f64,
    /// Replacement of infinity. Default the largest float.
    #[schemars(extend("examples" = [1000.0]))]
    pub posinf: Option<f64>,
    /// Replacement of minus infinity. Default the smallest float.
    #[schemars(extend("examples" = [-1000.0]))]
    pub neginf: Option<f64>,
}

impl NanToNum {
    /// Replaces NaN by 0.
    pub fn new() -> Self {
        Self::default()
    }
}

setters!(NanToNum {
    /// Sets the replacement of NaN.
    nan(f64);
});

impl Rule for NanToNum {
    fn check(&self) -> Result<()> {
        let given = [
            ("nan", Some(self.nan)),
            ("posinf", self.posinf),
            ("neginf", self.neginf),
        ];
        for (name, value) in given {
            if let Some(value) = value.filter(|v| !(*v as f32).is_finite()) {
                return Err(Error::invalid(name, value, "a finite number"));
            }
        }
        Ok(())
    }
}

impl LayerFormula for NanToNum {
    const KERAS: KerasTraits = KerasTraits::of(KerasHome::Operation("keras.src.ops.numpy"));

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        Ok(inputs[0].clone())
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits {
            effect: Effect::KeepsScale,
            stops_nan: true,
            ..LayerTraits::deterministic()
        }
    }

    fn dtype(&self, inputs: &[Dtype]) -> Dtype {
        inputs[0]
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let rule = Mapping::Finite {
            nan: self.nan as f32,
            posinf: self.posinf.map_or(f32::MAX, |x| x as f32),
            neginf: self.neginf.map_or(f32::MIN, |x| x as f32),
        };
        plan.map(&call.inputs[0], rule)
    }
}
