use super::{Call, Effect, KerasTraits, LayerFormula, LayerTraits};
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::Result;
use crate::plan::lower::{Lowering, Value};
use crate::rules::activations;
use serde::{Deserialize, Serialize};

/// ReLU with a slope below 0 (Maas et al. 2013): x above 0, `negative_slope` x below.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct LeakyReLU {
    /// Slope below 0, 0 or more. Default 0.3.
    pub negative_slope: f64,
}

impl Default for LeakyReLU {
    fn default() -> Self {
        LeakyReLU {
            negative_slope: 0.3,
        }
    }
}

impl LeakyReLU {
    /// With its default argument.
    pub fn new() -> Self {
        Self::default()
    }

    fn function(&self) -> activations::Activation {
        activations::LeakyRelu {
            negative_slope: self.negative_slope,
        }
        .into()
    }
}

setters!(LeakyReLU {
    /// Sets `negative_slope`.
    negative_slope(f64);
});

impl Rule for LeakyReLU {
    fn check(&self) -> Result<()> {
        self.function().check()
    }
}

impl LayerFormula for LeakyReLU {
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
