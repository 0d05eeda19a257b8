use super::axes::Axes;
use super::{Call, Effect, KerasTraits, LayerFormula, LayerTraits};
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::Result;
use crate::plan::lower::{Lowering, Value};
use crate::rules::activations::Activation;
use serde::{Deserialize, Serialize};

/// Softmax as a layer: e^x over its sum along an axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Softmax {
    /// Axis, or axes, along which the outputs sum to 1. Default -1, the last.
    pub axis: Axes,
}

impl Default for Softmax {
    fn default() -> Self {
        Softmax {
            axis: Axes::One(-1),
        }
    }
}

impl Softmax {
    /// Along the last axis.
    pub fn new() -> Self {
        Self::default()
    }
}

setters!(Softmax {
    /// Sets the axis.
    axis(into Axes);
});

impl Rule for Softmax {}

impl LayerFormula for Softmax {
    const KERAS: KerasTraits = KerasTraits::BUILT_AT_ONCE;

    fn traits(&self) -> LayerTraits {
        LayerTraits {
            effect: Effect::Activates(Activation::Softmax),
            ..LayerTraits::deterministic()
        }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        self.axis.of("axis", &inputs[0])?;
        Ok(inputs[0].clone())
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let x = &call.inputs[0];
        let axes = self.axis.of("axis", &x.shape).unwrap_or_default();
        plan.by_axes(x, &axes, |plan, x| plan.activate(x, &Activation::Softmax))
    }
}
