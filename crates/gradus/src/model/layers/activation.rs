use super::{Call, Effect, KerasTraits, LayerFormula, LayerTraits};
use crate::base::registry::Rule;
use crate::base::shape::Shape;
use crate::error::Result;
use crate::plan::lower::{Lowering, Value};
use crate::rules::activations;
use serde::{Deserialize, Serialize};

/// An activation function as a layer of its own, as Keras' layer of that name.
///
/// # Two types of one name
///
/// Two types have this name, as two things have it in Keras: the function is
/// [`rules::activations::Activation`](activations::Activation), which the prelude has and
/// `Dense::activation` takes; this is the layer, `layers::Activation`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Activation {
    /// The function.
    pub activation: activations::Activation,
}

impl Activation {
    /// The function as a layer.
    pub fn new(activation: impl Into<activations::Activation>) -> Self {
        Activation {
            activation: activation.into(),
        }
    }
}

impl Rule for Activation {
    fn check(&self) -> Result<()> {
        self.activation.check().map_err(|e| e.under("activation"))
    }
}

impl LayerFormula for Activation {
    const KERAS: KerasTraits = KerasTraits::BUILT_AT_ONCE;

    fn traits(&self) -> LayerTraits {
        LayerTraits {
            effect: Effect::Activates(self.activation.clone()),
            ..LayerTraits::deterministic()
        }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        Ok(inputs[0].clone())
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        plan.activate(&call.inputs[0], &self.activation)
    }
}
