use super::{Call, Effect, KerasTraits, LayerFormula, LayerTraits};
use crate::base::registry::Rule;
use crate::base::shape::Shape;
use crate::error::Result;
use crate::plan::lower::{Lowering, Value};
use crate::rules::regularizers::{L1L2, Regularizer};
use serde::{Deserialize, Serialize};

/// Passes its input on, and adds l1 Σ|x| + l2 Σx² to the loss, divided by the batch's rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct ActivityRegularization {
    /// Cost of the absolute values. Default 0.
    pub l1: f64,
    /// Cost of the squares. Default 0.
    pub l2: f64,
}

impl ActivityRegularization {
    /// With these factors.
    pub fn new(l1: f64, l2: f64) -> Self {
        ActivityRegularization { l1, l2 }
    }

    fn general(&self) -> L1L2 {
        L1L2 {
            l1: self.l1,
            l2: self.l2,
        }
    }
}

impl Rule for ActivityRegularization {
    fn check(&self) -> Result<()> {
        self.general().check()
    }
}

impl LayerFormula for ActivityRegularization {
    const KERAS: KerasTraits = KerasTraits::BUILT_AT_ONCE;

    fn traits(&self) -> LayerTraits {
        LayerTraits {
            effect: Effect::KeepsScale,
            regularizes: true,
            ..LayerTraits::deterministic()
        }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        Ok(inputs[0].clone())
    }

    fn activity_regularizer(&self) -> Option<Regularizer> {
        Some(self.general().into())
    }

    fn lower(&self, _: &mut Lowering, call: Call<'_>) -> Value {
        call.inputs[0].clone()
    }
}
