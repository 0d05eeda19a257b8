use super::{Call, KerasHome, KerasTraits, LayerFormula, LayerTraits};
use crate::base::registry::Rule;
use crate::base::shape::Shape;
use crate::error::Result;
use crate::model::dtype::Dtype;
use crate::plan::lower::{Lowering, Value};
use crate::rules::mapping::Mapping;
use serde::{Deserialize, Serialize};

/// 1 for NaN, else 0: `keras.ops.isnan`. Marks missing values; a [`Cast`](super::Cast) after it
/// makes them numbers in Keras. No gradient passes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Isnan {}

impl Isnan {
    /// 1 for NaN, else 0.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Rule for Isnan {}

impl LayerFormula for Isnan {
    const KERAS: KerasTraits = KerasTraits::of(KerasHome::Operation("keras.src.ops.numpy"));

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        Ok(inputs[0].clone())
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits {
            stops_nan: true,
            ..LayerTraits::deterministic()
        }
    }

    fn dtype(&self, _: &[Dtype]) -> Dtype {
        Dtype::Bool
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        plan.map(&call.inputs[0], Mapping::IsNan)
    }
}
