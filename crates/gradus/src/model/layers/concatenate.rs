use super::axes::row_axes;
use super::{Call, Effect, LayerFormula, LayerTraits};
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::model::dtype::Dtype;
use crate::plan::lower::{Lowering, Value};
use serde::{Deserialize, Serialize};

/// The concatenation of its inputs along an axis; their other dimensions must agree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Concatenate {
    /// The axis, counted with the batch as 0. Default -1, the last.
    pub axis: i64,
}

impl Default for Concatenate {
    fn default() -> Self {
        Concatenate { axis: -1 }
    }
}

impl Concatenate {
    /// Along the last axis.
    pub fn new() -> Self {
        Self::default()
    }

    /// The axis of a row, from 0 on.
    fn row_axis(&self, shape: &Shape) -> Result<usize> {
        Ok(row_axes("axis", &[self.axis], shape)?[0])
    }
}

setters!(Concatenate {
    /// Sets the axis.
    axis(i64);
});

impl Rule for Concatenate {
    fn check(&self) -> Result<()> {
        match self.axis {
            0 => Err(Error::invalid("axis", 0, "an axis beside the batch")),
            _ => Ok(()),
        }
    }
}

impl LayerFormula for Concatenate {
    fn traits(&self) -> LayerTraits {
        LayerTraits {
            effect: Effect::KeepsScale,
            ..LayerTraits::deterministic()
        }
    }

    fn merges(&self) -> bool {
        true
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let first = &inputs[0];
        let axis = self.row_axis(first)?;
        let mut dims = first.dims().to_vec();
        for shape in &inputs[1..] {
            let others = |shape: &Shape| -> Vec<usize> {
                let dims = shape.dims().iter().enumerate();
                dims.filter(|(a, _)| *a != axis).map(|(_, &d)| d).collect()
            };
            if shape.rank() != first.rank() || others(shape) != others(first) {
                let expected = format!("that of the first, {first}, but for axis {}", axis + 1);
                return Err(Error::shape("", shape, expected));
            }
            dims[axis] += shape.dims()[axis];
        }
        Ok(dims.into())
    }

    fn dtype(&self, inputs: &[Dtype]) -> Dtype {
        let alike = inputs.iter().all(|other| *other == inputs[0]);
        if alike { inputs[0] } else { Dtype::Float32 }
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let axis = self.row_axis(&call.inputs[0].shape).unwrap_or_default();
        plan.concatenate(call.inputs, axis)
    }
}
