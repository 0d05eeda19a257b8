use super::checks::check_dropping;
use super::{Call, KerasHome, KerasTraits, LayerFormula, LayerTraits, Randomness};
use crate::base::registry::Rule;
use crate::base::shape::Shape;
use crate::error::Result;
use crate::plan::lower::{Lowering, Value};
use crate::rules::noise::Noise;
use serde::{Deserialize, Serialize};

/// [`super::AlphaDropout`] that is active in inference too. The class name is the book's; Keras has
/// none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct MCAlphaDropout {
    /// The share, from 0 to below 1.
    #[schemars(extend("examples" = [0.2]))]
    pub rate: f64,
    /// Keras' own seed; ignored, since gradus draws from the model's seed. Default
    /// none.
    #[serde(default)]
    #[schemars(extend("examples" = [7]))]
    pub seed: Option<u64>,
}

impl MCAlphaDropout {
    /// With this `rate`.
    pub fn new(rate: f64) -> Self {
        MCAlphaDropout { rate, seed: None }
    }
}

impl Rule for MCAlphaDropout {
    fn check(&self) -> Result<()> {
        check_dropping(self.rate)
    }
}

impl LayerFormula for MCAlphaDropout {
    const KERAS: KerasTraits = KerasTraits::of(KerasHome::Gradus);

    fn traits(&self) -> LayerTraits {
        LayerTraits::alpha_dropout(Randomness::Always, self.rate)
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        Ok(inputs[0].clone())
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let x = &call.inputs[0];
        let noise = plan.noise(x, Noise::alpha(self.rate), true);
        noise.unwrap_or_else(|| x.clone())
    }
}
