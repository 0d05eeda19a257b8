use super::ActivationFormula;
use crate::base::lane::Lane;
use crate::base::registry::Rule;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// x above a threshold, another value elsewhere. As in Keras, neither has a default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Threshold {
    /// The threshold.
    #[schemars(extend("examples" = [0.5]))]
    pub threshold: f64,
    /// The value at and below the threshold.
    #[schemars(extend("examples" = [0.0]))]
    pub default_value: f64,
}

impl Rule for Threshold {
    fn check(&self) -> Result<()> {
        for (key, value) in [
            ("threshold", self.threshold),
            ("default_value", self.default_value),
        ] {
            if !value.is_finite() {
                return Err(Error::invalid(key, value, "a finite number"));
            }
        }
        Ok(())
    }
}

impl ActivationFormula for Threshold {
    const DERIVATIVE_USES_INPUT: bool = true;

    #[inline(always)]
    fn value<L: Lane>(&self, x: L) -> L {
        let other = L::splat(self.default_value as f32);
        L::select(L::splat(self.threshold as f32).lt(x), x, other)
    }

    #[inline(always)]
    fn derivative<L: Lane>(&self, x: L, _y: L) -> L {
        L::select(L::splat(self.threshold as f32).lt(x), L::one(), L::zero())
    }
}
