use super::{Call, KerasTraits, LayerFormula, LayerTraits, Randomness};
use crate::base::registry::Rule;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::plan::lower::{Lowering, Value};
use crate::rules::noise::Noise;
use serde::{Deserialize, Serialize};

/// In training, adds a normal number of mean 0 and deviation `stddev` to each value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct GaussianNoise {
    /// The deviation, from 0 to 1.
    #[schemars(extend("examples" = [0.1]))]
    pub stddev: f64,
    /// Keras' own seed; ignored, since gradus draws from the model's seed. Default
    /// none.
    #[serde(default)]
    #[schemars(extend("examples" = [7]))]
    pub seed: Option<u64>,
}

impl GaussianNoise {
    /// With this `stddev`.
    pub fn new(stddev: f64) -> Self {
        GaussianNoise { stddev, seed: None }
    }
}

impl Rule for GaussianNoise {
    fn check(&self) -> Result<()> {
        if !(0.0..=1.0).contains(&self.stddev) {
            return Err(Error::invalid(
                "stddev",
                self.stddev,
                "a number from 0 to 1",
            ));
        }
        Ok(())
    }
}

impl LayerFormula for GaussianNoise {
    const KERAS: KerasTraits = KerasTraits::BUILT_AT_ONCE;

    fn traits(&self) -> LayerTraits {
        LayerTraits::noise(Randomness::Training)
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        Ok(inputs[0].clone())
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let x = &call.inputs[0];
        let deviation = self.stddev as f32;
        let noise = plan.noise(x, Noise::Shift { deviation }, false);
        noise.unwrap_or_else(|| x.clone())
    }
}
