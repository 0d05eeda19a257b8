use super::{Call, Effect, LayerFormula, LayerTraits};
use crate::base::registry::Rule;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::model::dtype::Dtype;
use crate::plan::lower::{Lowering, Value};
use serde::{Deserialize, Serialize};

/// The same elements of each row with its axes in another order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Permute {
    /// For each axis of the output, the axis of the input that it is: 1 is a row's first.
    #[schemars(extend("examples" = [[2, 1]]))]
    pub dims: Vec<usize>,
}

impl Permute {
    /// Puts the axes into this order.
    pub fn new(dims: impl Into<Vec<usize>>) -> Self {
        Permute { dims: dims.into() }
    }

    fn order(&self) -> Vec<usize> {
        self.dims.iter().map(|axis| axis - 1).collect()
    }
}

impl Rule for Permute {
    fn check(&self) -> Result<()> {
        let mut sorted = self.dims.clone();
        sorted.sort_unstable();
        match sorted.into_iter().eq(1..=self.dims.len()) {
            true => Ok(()),
            false => {
                let expected = "each of a row's axes once, counted from 1";
                Err(Error::invalid("dims", format!("{:?}", self.dims), expected))
            }
        }
    }
}

impl LayerFormula for Permute {
    fn traits(&self) -> LayerTraits {
        LayerTraits {
            effect: Effect::KeepsScale,
            passes_indices: true,
            ..LayerTraits::deterministic()
        }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let dims = inputs[0].dims();
        if dims.len() != self.dims.len() {
            let expected = format!("a row of {} axes, which `dims` names", self.dims.len());
            return Err(Error::shape("", &inputs[0], expected));
        }
        let dims = self.order().into_iter().map(|axis| dims[axis]);
        Ok(Shape::new(dims.collect::<Vec<_>>()))
    }

    fn dtype(&self, inputs: &[Dtype]) -> Dtype {
        inputs[0]
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        plan.permute(&call.inputs[0], &self.order())
    }
}
