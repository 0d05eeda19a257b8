use super::{Call, Effect, LayerFormula, LayerTraits};
use crate::base::registry::Rule;
use crate::base::shape::Shape;
use crate::error::Result;
use crate::model::dtype::Dtype;
use crate::plan::lower::{Lowering, Value};
use serde::{Deserialize, Serialize};

/// All elements of a row in one axis: (28, 28) becomes (784).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Flatten {}

impl Flatten {
    /// A flattening layer.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Rule for Flatten {}

impl LayerFormula for Flatten {
    fn traits(&self) -> LayerTraits {
        LayerTraits {
            effect: Effect::KeepsScale,
            passes_indices: true,
            ..LayerTraits::deterministic()
        }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        Ok([inputs[0].size()].into())
    }

    fn dtype(&self, inputs: &[Dtype]) -> Dtype {
        inputs[0]
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let x = &call.inputs[0];
        plan.reshape(x, [x.shape.size()].into())
    }
}
