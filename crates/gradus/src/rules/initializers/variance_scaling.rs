use super::InitializerFormula;
use crate::base::json_schema::also;
use crate::base::random::Sequence;
use crate::base::registry::Rule;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// The number of connections by which the variance is divided.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Inputs of a unit.
    #[default]
    FanIn,
    /// Outputs of a unit.
    FanOut,
    /// The mean of the two.
    FanAvg,
}

/// The deviation of a standard normal truncated at ±2.
pub(super) const CUT: f64 = 0.879_625_661_034_239_8;

/// The form of the distribution.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Distribution {
    /// Normal, truncated at two deviations.
    #[default]
    #[serde(alias = "normal")]
    #[schemars(transform = also("normal"))]
    TruncatedNormal,
    /// Normal.
    UntruncatedNormal,
    /// Uniform.
    Uniform,
}

/// Variance `scale` / n, where n counts a unit's connections by `mode`: activations and gradients
/// keep their size from layer to layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct VarianceScaling {
    /// Scale. Default 1.
    pub scale: f64,
    /// Connections counted. Default fan in.
    pub mode: Mode,
    /// Distribution. Default truncated normal.
    pub distribution: Distribution,
    /// Keras' own seed; ignored, since gradus draws from the model's seed. Default
    /// none.
    #[schemars(extend("examples" = [7]))]
    pub seed: Option<u64>,
}

impl Default for VarianceScaling {
    fn default() -> Self {
        VarianceScaling {
            scale: 1.0,
            mode: Mode::FanIn,
            distribution: Distribution::TruncatedNormal,
            seed: None,
        }
    }
}

impl Rule for VarianceScaling {
    fn check(&self) -> Result<()> {
        if self.scale > 0.0 {
            Ok(())
        } else {
            Err(Error::invalid("scale", self.scale, "a number above 0"))
        }
    }
}

impl InitializerFormula for VarianceScaling {
    fn scaling(&self) -> Option<VarianceScaling> {
        Some(self.clone())
    }

    fn fill(&self, shape: &[usize], random: &mut Sequence, values: &mut [f32]) {
        let (fan_in, fan_out) = fans(shape);
        let n = match self.mode {
            Mode::FanIn => fan_in,
            Mode::FanOut => fan_out,
            Mode::FanAvg => (fan_in + fan_out) / 2.0,
        };
        let variance = self.scale / n.max(1.0);
        match self.distribution {
            Distribution::TruncatedNormal => {
                let stddev = variance.sqrt() / CUT;
                values.fill_with(|| (stddev * random.truncated_normal()) as f32);
            }
            Distribution::UntruncatedNormal => {
                let stddev = variance.sqrt();
                values.fill_with(|| (stddev * random.normal()) as f32);
            }
            Distribution::Uniform => {
                let limit = (3.0 * variance).sqrt();
                values.fill_with(|| (limit * (2.0 * random.uniform() - 1.0)) as f32);
            }
        }
    }
}

/// Inputs and outputs of a unit, as Keras counts them: the last two axes, times the size of the
/// receptive field before them.
fn fans(shape: &[usize]) -> (f64, f64) {
    match *shape {
        [] => (1.0, 1.0),
        [n] => (n as f64, n as f64),
        [ref field @ .., fan_in, fan_out] => {
            let field = field.iter().product::<usize>() as f64;
            (fan_in as f64 * field, fan_out as f64 * field)
        }
    }
}

/// One of the chapter's named initializations.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident, $scale:literal, $mode:ident, $distribution:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(default)]
        pub struct $name {
            /// Keras' own seed; ignored, since gradus draws from the model's seed. Default
            /// none.
            #[schemars(extend("examples" = [7]))]
            pub seed: Option<u64>,
        }

        impl $name {
            pub(super) const DEFAULT: Self = $name { seed: None };

            const RULE: VarianceScaling = VarianceScaling {
                scale: $scale,
                mode: Mode::$mode,
                distribution: Distribution::$distribution,
                seed: None,
            };
        }

        impl Rule for $name {}

        impl InitializerFormula for $name {
            fn scaling(&self) -> Option<VarianceScaling> {
                Some(Self::RULE)
            }

            fn fill(&self, shape: &[usize], random: &mut Sequence, values: &mut [f32]) {
                Self::RULE.fill(shape, random, values);
            }
        }
    };
}

named!(
    /// Variance 2 / (fan in + fan out), truncated normal (Glorot & Bengio 2010).
    GlorotNormal, 1.0, FanAvg, TruncatedNormal
);
named!(
    /// Variance 2 / (fan in + fan out), uniform (Glorot & Bengio 2010).
    GlorotUniform, 1.0, FanAvg, Uniform
);
named!(
    /// Variance 2 / fan in, truncated normal (He et al. 2015).
    HeNormal, 2.0, FanIn, TruncatedNormal
);
named!(
    /// Variance 2 / fan in, uniform (He et al. 2015).
    HeUniform, 2.0, FanIn, Uniform
);
named!(
    /// Variance 1 / fan in, truncated normal (LeCun et al. 1998).
    LecunNormal, 1.0, FanIn, TruncatedNormal
);
named!(
    /// Variance 1 / fan in, uniform (LeCun et al. 1998).
    LecunUniform, 1.0, FanIn, Uniform
);
