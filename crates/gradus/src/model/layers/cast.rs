use super::{Call, Effect, KerasHome, KerasTraits, LayerFormula, LayerTraits};
use crate::base::registry::Rule;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::model::dtype::Dtype;
use crate::plan::lower::{Lowering, Value};
use crate::rules::mapping::Mapping;
use serde::{Deserialize, Serialize};

/// The same values with another data type: `keras.ops.cast`. To whole numbers they are truncated,
/// to `bool` they become 0 or 1; then no gradient passes. Between whole numbers and `float32`
/// nothing changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Cast {
    /// Their type.
    pub dtype: Dtype,
}

impl Cast {
    /// Their type.
    pub fn new(dtype: Dtype) -> Self {
        Cast { dtype }
    }
}

impl Rule for Cast {
    fn check(&self) -> Result<()> {
        match self.dtype {
            Dtype::String => {
                let expected = "float32, int32, int64 or bool";
                Err(Error::invalid("dtype", "string", expected))
            }
            _ => Ok(()),
        }
    }
}

impl LayerFormula for Cast {
    const KERAS: KerasTraits = KerasTraits::of(KerasHome::Operation("keras.src.ops.core"));

    fn traits(&self) -> LayerTraits {
        LayerTraits {
            effect: Effect::KeepsScale,
            passes_indices: true,
            ..LayerTraits::deterministic()
        }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        Ok(inputs[0].clone())
    }

    fn dtype(&self, _: &[Dtype]) -> Dtype {
        self.dtype
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let x = &call.inputs[0];
        match self.dtype {
            Dtype::Bool => plan.map(x, Mapping::IsNotZero),
            whole if whole.is_whole() => plan.map(x, Mapping::Truncate),
            _ => x.clone(),
        }
    }
}
