use super::checks::check_dropping;
use super::{Call, KerasTraits, LayerFormula, LayerTraits, Randomness};
use crate::base::registry::Rule;
use crate::base::shape::Shape;
use crate::error::Result;
use crate::plan::lower::{Lowering, Value};
use serde::{Deserialize, Serialize};

/// Dropout (Srivastava et al. 2014): in training, each value is 0 with probability `rate`, else
/// divided by 1 - `rate`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Dropout {
    /// The share set to 0, from 0 to below 1.
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

impl Dropout {
    /// Sets a share `rate` to 0.
    pub fn new(rate: f64) -> Self {
        Dropout { rate, noise_shape: None, seed: None }
    }
}

impl Rule for Dropout {
    fn check(&self) -> Result<()> {
        check_dropping(self.rate, &self.noise_shape)
    }
}

impl LayerFormula for Dropout {
    const KERAS: KerasTraits = KerasTraits::BUILT_AT_ONCE;

    fn traits(&self) -> LayerTraits {
        LayerTraits::dropout(Randomness::Training, self.rate)
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        Ok(inputs[0].clone())
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        plan.dropout(&call.inputs[0], self.rate, false)
    }
}
