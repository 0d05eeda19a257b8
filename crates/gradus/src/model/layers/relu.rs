use super::{Call, Effect, KerasTraits, LayerFormula, LayerTraits};
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::Result;
use crate::plan::lower::{Lowering, Value};
use crate::rules::activations::{Activation, relu};
use serde::{Deserialize, Serialize};

/// The rectified linear unit with Keras' arguments: x above the threshold, clipped at `max_value`,
/// and `negative_slope` (x - threshold) below.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct ReLU {
    /// Largest output, 0 or more. Default none.
    #[schemars(extend("examples" = [6.0]))]
    pub max_value: Option<f64>,
    /// Slope below the threshold, 0 or more. Default 0.
    pub negative_slope: f64,
    /// Threshold at which the slope changes, 0 or more. Default 0.
    pub threshold: f64,
}

impl ReLU {
    /// max(x, 0).
    pub fn new() -> Self {
        Self::default()
    }

    fn function(&self) -> Activation {
        relu(self.negative_slope, self.max_value, self.threshold)
    }
}

setters!(ReLU {
    /// Sets the largest output.
    max_value(some f64);
    /// Sets the slope below the threshold.
    negative_slope(f64);
    /// Sets the threshold.
    threshold(f64);
});

impl Rule for ReLU {
    fn check(&self) -> Result<()> {
        self.function().check()
    }
}

impl LayerFormula for ReLU {
    const KERAS: KerasTraits = KerasTraits::BUILT_AT_ONCE;

    fn traits(&self) -> LayerTraits {
        LayerTraits {
            effect: Effect::ActivatesLike(self.function()),
            ..LayerTraits::deterministic()
        }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        Ok(inputs[0].clone())
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        plan.activate(&call.inputs[0], &self.function())
    }
}
