use super::{Call, Effect, LayerFormula, LayerTraits};
use crate::base::registry::Rule;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::model::dtype::Dtype;
use crate::plan::lower::{Lowering, Value};
use serde::{Deserialize, Serialize};

/// A sequence that has each row's numbers at every step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RepeatVector {
    /// Number of steps.
    #[schemars(extend("examples" = [3]))]
    pub n: usize,
}

impl RepeatVector {
    /// Makes so many steps.
    pub fn new(n: usize) -> Self {
        RepeatVector { n }
    }
}

impl Rule for RepeatVector {
    fn check(&self) -> Result<()> {
        match self.n {
            0 => Err(Error::invalid("n", 0, "a whole number above 0")),
            _ => Ok(()),
        }
    }
}

impl LayerFormula for RepeatVector {
    fn traits(&self) -> LayerTraits {
        LayerTraits {
            effect: Effect::KeepsScale,
            passes_indices: true,
            ..LayerTraits::deterministic()
        }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        match *inputs[0].dims() {
            [numbers] => Ok([self.n, numbers].into()),
            _ => Err(Error::shape(
                "",
                &inputs[0],
                "rows of one axis: put a Flatten before it",
            )),
        }
    }

    fn dtype(&self, inputs: &[Dtype]) -> Dtype {
        inputs[0]
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let x = &call.inputs[0];
        let numbers = x.shape.size();
        let x = plan.reshape(x, [1, numbers].into());
        plan.spread(&x, &[self.n, numbers].into())
    }
}
