use super::InitializerFormula;
use super::variance_scaling::CUT;
use crate::base::random::Sequence;
use crate::base::registry::Rule;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// Normal with a given mean and deviation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct RandomNormal {
    /// The mean. Default 0.
    pub mean: f64,
    /// The standard deviation. Default 0.05.
    pub stddev: f64,
    /// Keras' own seed; ignored, since gradus draws from the model's seed. Default
    /// none.
    #[schemars(extend("examples" = [7]))]
    pub seed: Option<u64>,
}

/// Uniform between two bounds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct RandomUniform {
    /// The lower bound. Default -0.05.
    pub minval: f64,
    /// The upper bound. Default 0.05.
    pub maxval: f64,
    /// Keras' own seed; ignored, since gradus draws from the model's seed. Default
    /// none.
    #[schemars(extend("examples" = [7]))]
    pub seed: Option<u64>,
}

/// Normal, truncated at two deviations from the mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct TruncatedNormal {
    /// The mean. Default 0.
    pub mean: f64,
    /// The standard deviation before the truncation. Default 0.05.
    pub stddev: f64,
    /// Keras' own seed; ignored, since gradus draws from the model's seed. Default
    /// none.
    #[schemars(extend("examples" = [7]))]
    pub seed: Option<u64>,
}

impl Default for RandomNormal {
    fn default() -> Self {
        RandomNormal {
            mean: 0.0,
            stddev: 0.05,
            seed: None,
        }
    }
}

impl Default for RandomUniform {
    fn default() -> Self {
        RandomUniform {
            minval: -0.05,
            maxval: 0.05,
            seed: None,
        }
    }
}

impl Default for TruncatedNormal {
    fn default() -> Self {
        TruncatedNormal {
            mean: 0.0,
            stddev: 0.05,
            seed: None,
        }
    }
}

fn check_deviation(stddev: f64) -> Result<()> {
    if stddev >= 0.0 && stddev.is_finite() {
        Ok(())
    } else {
        Err(Error::invalid("stddev", stddev, "a number of 0 or more"))
    }
}

impl Rule for RandomNormal {
    fn check(&self) -> Result<()> {
        check_deviation(self.stddev)
    }
}

impl Rule for RandomUniform {
    fn check(&self) -> Result<()> {
        if self.maxval >= self.minval {
            Ok(())
        } else {
            let expected = "a number not below `minval`";
            Err(Error::invalid("maxval", self.maxval, expected))
        }
    }
}

impl Rule for TruncatedNormal {
    fn check(&self) -> Result<()> {
        check_deviation(self.stddev)
    }
}

impl InitializerFormula for RandomNormal {
    fn deviation(&self) -> Option<f64> {
        Some(self.stddev)
    }

    fn fill(&self, _: &[usize], random: &mut Sequence, values: &mut [f32]) {
        values.fill_with(|| (self.mean + self.stddev * random.normal()) as f32);
    }
}

impl InitializerFormula for RandomUniform {
    fn deviation(&self) -> Option<f64> {
        Some((self.maxval - self.minval) / 12.0_f64.sqrt())
    }

    fn fill(&self, _: &[usize], random: &mut Sequence, values: &mut [f32]) {
        let width = self.maxval - self.minval;
        values.fill_with(|| (self.minval + width * random.uniform()) as f32);
    }
}

impl InitializerFormula for TruncatedNormal {
    fn deviation(&self) -> Option<f64> {
        Some(self.stddev * CUT)
    }

    fn fill(&self, _: &[usize], random: &mut Sequence, values: &mut [f32]) {
        values.fill_with(|| (self.mean + self.stddev * random.truncated_normal()) as f32);
    }
}
