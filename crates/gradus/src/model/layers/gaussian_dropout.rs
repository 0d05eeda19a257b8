use super::checks::check_dropping;
use super::{Call, KerasTraits, LayerFormula, LayerTraits, Randomness};
use crate::base::registry::Rule;
use crate::base::shape::Shape;
use crate::error::Result;
use crate::plan::lower::{Lowering, Value};
use crate::rules::noise::Noise;
use serde::{Deserialize, Serialize};

/// Gaussian dropout (Srivastava et al. 2014): in training, each value is multiplied by a normal
/// number of mean 1 and deviation √(rate / (1 - rate)).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct GaussianDropout {
    /// Rate of the dropout with the same deviation, from 0 to below 1.
    #[schemars(extend("examples" = [0.2]))]
    pub rate: f64,
    /// Keras' own seed; ignored, since gradus draws from the model's seed. Default
    /// none.
    #[serde(default)]
    #[schemars(extend("examples" = [7]))]
    pub seed: Option<u64>,
}

impl GaussianDropout {
    /// With this `rate`.
    pub fn new(rate: f64) -> Self {
        GaussianDropout { rate, seed: None }
    }
}

impl Rule for GaussianDropout {
    fn check(&self) -> Result<()> {
        check_dropping(self.rate)
    }
}

impl LayerFormula for GaussianDropout {
    const KERAS: KerasTraits = KerasTraits::BUILT_AT_ONCE;

    fn traits(&self) -> LayerTraits {
        LayerTraits::dropout(Randomness::Training, self.rate)
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        Ok(inputs[0].clone())
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let x = &call.inputs[0];
        let deviation = (self.rate / (1.0 - self.rate)).sqrt() as f32;
        let noise = plan.noise(x, Noise::Factor { deviation }, false);
        noise.unwrap_or_else(|| x.clone())
    }
}
