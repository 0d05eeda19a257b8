use super::{Call, Effect, KerasTraits, LayerFormula, LayerTraits};
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::Result;
use crate::plan::lower::{Lowering, Value};
use crate::rules::activations;
use serde::{Deserialize, Serialize};

/// The exponential linear unit (Clevert et al. 2016): x above 0, α (e^x - 1) below.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct ELU {
    /// α, 0 or more. Default 1.0.
    pub alpha: f64,
}

impl Default for ELU {
    fn default() -> Self {
        ELU { alpha: 1.0 }
    }
}

impl ELU {
    /// With its default argument.
    pub fn new() -> Self {
        Self::default()
    }

    fn function(&self) -> activations::Activation {
        activations::Elu { alpha: self.alpha }.into()
    }
}

setters!(ELU {
    /// Sets `alpha`.
    alpha(f64);
});

impl Rule for ELU {
    fn check(&self) -> Result<()> {
        self.function().check()
    }
}

impl LayerFormula for ELU {
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
