use super::checks::check_dropping;
use super::spatial::{Grid, channels_last};
use super::{Call, DataFormat, KerasTraits, LayerFormula, LayerTraits, Randomness};
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::Result;
use crate::plan::lower::{Lowering, Value};
use serde::{Deserialize, Serialize};

/// Dropout of whole channels of sequences (Tompson et al. 2014): in training, each is 0 with
/// probability `rate`, else divided by 1 - `rate`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SpatialDropout1D {
    /// The share set to 0, from 0 to below 1.
    #[schemars(extend("examples" = [0.2]))]
    pub rate: f64,
    /// Keras' own seed; ignored, since gradus draws from the model's seed. Default
    /// none.
    #[serde(default)]
    #[schemars(extend("examples" = [7]))]
    pub seed: Option<u64>,
}

/// Dropout of whole channels of images (Tompson et al. 2014): in training, each is 0 with
/// probability `rate`, else divided by 1 - `rate`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SpatialDropout2D {
    /// The share set to 0, from 0 to below 1.
    #[schemars(extend("examples" = [0.2]))]
    pub rate: f64,
    /// Keras' own seed; ignored, since gradus draws from the model's seed. Default
    /// none.
    #[serde(default)]
    #[schemars(extend("examples" = [7]))]
    pub seed: Option<u64>,
    /// Order of the axes.
    #[serde(default)]
    pub data_format: DataFormat,
}

impl SpatialDropout1D {
    /// Sets a share `rate` of the channels to 0.
    pub fn new(rate: f64) -> Self {
        SpatialDropout1D { rate, seed: None }
    }
}

impl SpatialDropout2D {
    /// Sets a share `rate` of the channels to 0.
    pub fn new(rate: f64) -> Self {
        SpatialDropout2D {
            rate,
            seed: None,
            data_format: DataFormat::default(),
        }
    }
}

setters!(SpatialDropout2D {
    /// Sets the order of the axes.
    data_format(DataFormat);
});

impl Rule for SpatialDropout1D {
    fn check(&self) -> Result<()> {
        check_dropping(self.rate)
    }
}

impl Rule for SpatialDropout2D {
    fn check(&self) -> Result<()> {
        check_dropping(self.rate)
    }
}

impl LayerFormula for SpatialDropout1D {
    const KERAS: KerasTraits = KerasTraits::BUILT_AT_ONCE;

    fn traits(&self) -> LayerTraits {
        LayerTraits::dropout(Randomness::Training, self.rate)
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        Grid::<1>::of(&inputs[0], DataFormat::ChannelsLast).map(|_| inputs[0].clone())
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        plan.channel_dropout(&call.inputs[0], self.rate)
    }
}

impl LayerFormula for SpatialDropout2D {
    const KERAS: KerasTraits = KerasTraits::BUILT_AT_ONCE;

    fn traits(&self) -> LayerTraits {
        LayerTraits::dropout(Randomness::Training, self.rate)
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        Grid::<2>::of(&inputs[0], self.data_format).map(|_| inputs[0].clone())
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        channels_last::<2>(plan, &call, self.data_format, |plan, x, _| {
            Ok(plan.channel_dropout(x, self.rate))
        })
    }
}
