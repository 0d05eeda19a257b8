use super::{Call, Effect, KerasHome, KerasTraits, LayerFormula, LayerTraits, Randomness};
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::plan::lower::{Lowering, Value};
use crate::rules::activations::{Activation, LeakyRelu};
use crate::rules::noise::Noise;
use serde::{Deserialize, Serialize};

/// Randomized leaky ReLU (Xu et al. 2015): x above 0; below, s x with a slope s that in training is
/// drawn for each value, uniformly from `lower` to `upper`, and in inference is their mean. Keras
/// has no such class (`docs/gradus_layers.py` defines it, so that Keras loads files with this
/// layer); the defaults are PyTorch's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct RReLU {
    /// Smallest slope, 0 or more. Default 1/8.
    pub lower: f64,
    /// Largest slope. Default 1/3.
    pub upper: f64,
}

impl Default for RReLU {
    fn default() -> Self {
        RReLU {
            lower: 1.0 / 8.0,
            upper: 1.0 / 3.0,
        }
    }
}

impl RReLU {
    /// Slopes from 1/8 to 1/3.
    pub fn new() -> Self {
        Self::default()
    }
}

setters!(RReLU {
    /// Sets the smallest slope.
    lower(f64);
    /// Sets the largest slope.
    upper(f64);
});

impl Rule for RReLU {
    fn check(&self) -> Result<()> {
        if self.lower < 0.0 || !self.lower.is_finite() {
            return Err(Error::invalid("lower", self.lower, "a number of 0 or more"));
        }
        if self.upper < self.lower || !self.upper.is_finite() {
            let expected = format!("a number of {} (`lower`) or more", self.lower);
            return Err(Error::invalid("upper", self.upper, expected));
        }
        Ok(())
    }
}

impl LayerFormula for RReLU {
    const KERAS: KerasTraits = KerasTraits::of(KerasHome::Gradus);

    fn traits(&self) -> LayerTraits {
        LayerTraits {
            effect: Effect::ActivatesLike(Activation::LeakyRelu),
            ..LayerTraits::random(Randomness::TrainingOnly)
        }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        Ok(inputs[0].clone())
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let x = &call.inputs[0];
        let (lower, upper) = (self.lower as f32, self.upper as f32);
        if plan.training()
            && let Some(y) = plan.noise(x, Noise::Slope { lower, upper }, false)
        {
            return y;
        }
        let negative_slope = (self.lower + self.upper) / 2.0;
        plan.activate(x, &LeakyRelu { negative_slope }.into())
    }
}
