use super::checks::check_dropping;
use super::{Call, KerasTraits, LayerFormula, LayerTraits, Randomness};
use crate::base::registry::Rule;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::plan::lower::{Lowering, Value};
use crate::rules::noise::Noise;
use serde::{Deserialize, Serialize};

/// Alpha dropout (Klambauer et al. 2017): in training, a share `rate` of the values becomes SELU's
/// lower limit, -λα; then all are scaled and shifted so that mean 0 and variance 1 stay as they
/// are. For networks of SELU layers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AlphaDropout {
    /// The share, from 0 to below 1.
    #[schemars(extend("examples" = [0.2]))]
    pub rate: f64,
    /// Keras' shape of the mask; only the whole input's shape is supported.
    #[serde(default)]
    #[schemars(skip)]
    pub noise_shape: Option<Vec<Option<usize>>>,
    /// Keras' own seed; ignored, since gradus draws from the model's seed. Default
    /// none.
    #[serde(default)]
    #[schemars(extend("examples" = [7]))]
    pub seed: Option<u64>,
}

impl AlphaDropout {
    /// With this `rate`.
    pub fn new(rate: f64) -> Self {
        AlphaDropout {
            rate,
            noise_shape: None,
            seed: None,
        }
    }
}

impl Rule for AlphaDropout {
    fn check(&self) -> Result<()> {
        check_dropping(self.rate)?;
        match &self.noise_shape {
            None => Ok(()),
            Some(shape) => Err(Error::invalid(
                "noise_shape",
                format!("{shape:?}"),
                "none: masks of alpha dropout that are shared along an axis are not supported",
            )),
        }
    }
}

impl LayerFormula for AlphaDropout {
    const KERAS: KerasTraits = KerasTraits::BUILT_AT_ONCE;

    fn traits(&self) -> LayerTraits {
        LayerTraits::alpha_dropout(Randomness::Training, self.rate)
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        Ok(inputs[0].clone())
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let x = &call.inputs[0];
        let noise = plan.noise(x, Noise::alpha(self.rate), false);
        noise.unwrap_or_else(|| x.clone())
    }
}
