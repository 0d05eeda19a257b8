use super::{Activation, ActivationFormula};
use crate::base::lane::Lane;
use crate::base::registry::Rule;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// ReLU with a slope below 0 (Maas et al. 2013): x above 0, s x below.
///
/// Keras' string `"leaky_relu"` has s = 0.2, its layer LeakyReLU 0.3.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct LeakyRelu {
    /// s, 0 or more. Default 0.2.
    pub negative_slope: f64,
}

/// ReLU with all of Keras' arguments: with slope s, largest value M and
/// threshold θ, x above θ (at most M), s (x - θ) below.
///
/// [`relu`] gives the simplest rule that computes the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct GeneralRelu {
    /// s, 0 or more. Default 0.
    pub negative_slope: f64,
    /// M, 0 or more. Default none.
    #[schemars(extend("examples" = [6.0]))]
    pub max_value: Option<f64>,
    /// θ, 0 or more. Default 0.
    pub threshold: f64,
}

impl LeakyRelu {
    pub(super) const DEFAULT: Self = LeakyRelu {
        negative_slope: 0.2,
    };
}

impl Default for LeakyRelu {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl GeneralRelu {
    pub(super) const DEFAULT: Self = GeneralRelu {
        negative_slope: 0.0,
        max_value: None,
        threshold: 0.0,
    };
}

/// ReLU with Keras' arguments, as the simplest rule that computes it.
pub fn relu(negative_slope: f64, max_value: Option<f64>, threshold: f64) -> Activation {
    match (max_value, threshold == 0.0) {
        (None, true) if negative_slope == 0.0 => Activation::Relu,
        (None, true) => LeakyRelu { negative_slope }.into(),
        (Some(6.0), true) if negative_slope == 0.0 => Activation::Relu6,
        _ => GeneralRelu {
            negative_slope,
            max_value,
            threshold,
        }
        .into(),
    }
}

/// Refuses NaN and numbers below 0.
pub(super) fn check_positive(name: &str, value: f64) -> Result<()> {
    if value >= 0.0 && value.is_finite() {
        Ok(())
    } else {
        Err(Error::invalid(name, value, "a number of 0 or more"))
    }
}

impl Rule for LeakyRelu {
    fn check(&self) -> Result<()> {
        check_positive("negative_slope", self.negative_slope)
    }
}

impl Rule for GeneralRelu {
    fn check(&self) -> Result<()> {
        check_positive("negative_slope", self.negative_slope)?;
        check_positive("max_value", self.max_value.unwrap_or(0.0))?;
        check_positive("threshold", self.threshold)
    }
}

impl ActivationFormula for LeakyRelu {
    #[inline(always)]
    fn value<L: Lane>(&self, x: L) -> L {
        let below = x * L::splat(self.negative_slope as f32);
        L::select(L::zero().lt(x), x, below)
    }

    /// s at 0, as in TensorFlow.
    #[inline(always)]
    fn derivative<L: Lane>(&self, _x: L, y: L) -> L {
        let below = L::splat(self.negative_slope as f32);
        L::select(L::zero().lt(y), L::one(), below)
    }
}

impl GeneralRelu {
    #[inline(always)]
    fn highest<L: Lane>(&self) -> L {
        L::splat(
            self.max_value
                .map_or(f32::INFINITY, |highest| highest as f32),
        )
    }
}

impl ActivationFormula for GeneralRelu {
    const DERIVATIVE_USES_INPUT: bool = true;

    #[inline(always)]
    fn value<L: Lane>(&self, x: L) -> L {
        let threshold = L::splat(self.threshold as f32);
        let above = x.min(self.highest());
        let below = (x - threshold) * L::splat(self.negative_slope as f32);
        L::select(threshold.lt(x), above, below)
    }

    /// s at θ and 0 at M.
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: L, _y: L) -> L {
        let above = L::select(x.lt(self.highest()), L::one(), L::zero());
        let below = L::splat(self.negative_slope as f32);
        L::select(L::splat(self.threshold as f32).lt(x), above, below)
    }
}
