use super::checks::check_dropping;
use super::{Call, KerasHome, KerasTraits, LayerFormula, LayerTraits, Randomness};
use crate::base::registry::Rule;
use crate::base::shape::Shape;
use crate::error::Result;
use crate::plan::lower::{Lowering, Value};
use serde::{Deserialize, Serialize};

/// [`super::Dropout`] that is active in inference too (Gal & Ghahramani 2016): each
/// [`Model::predict`](crate::Model::predict) draws anew, in an order that the seed decides. The
/// class name is the book's; Keras has none, but `docs/gradus_layers.py` defines it, so that Keras
/// loads files with this layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct MCDropout {
    /// The share set to 0, from 0 to below 1.
    #[schemars(extend("examples" = [0.2]))]
    pub rate: f64,
    /// Keras' own seed; ignored, since gradus draws from the model's seed. Default
    /// none.
    #[serde(default)]
    #[schemars(extend("examples" = [7]))]
    pub seed: Option<u64>,
}

impl MCDropout {
    /// With this `rate`.
    pub fn new(rate: f64) -> Self {
        MCDropout { rate, seed: None }
    }
}

impl Rule for MCDropout {
    fn check(&self) -> Result<()> {
        check_dropping(self.rate)
    }
}

impl LayerFormula for MCDropout {
    const KERAS: KerasTraits = KerasTraits::of(KerasHome::Gradus);

    fn traits(&self) -> LayerTraits {
        LayerTraits::dropout(Randomness::Always, self.rate)
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        Ok(inputs[0].clone())
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let x = &call.inputs[0];
        plan.dropout(x, self.rate, true)
    }
}
