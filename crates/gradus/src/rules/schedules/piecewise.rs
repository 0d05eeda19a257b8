use super::{Progress, ScheduleFormula, StepParameters, check_rate};
use crate::base::registry::Rule;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// A constant rate for each interval of steps; a boundary's own step belongs to the interval before
/// it, as in Keras.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PiecewiseConstantDecay {
    /// Last step of each interval but the last, ascending.
    #[schemars(extend("examples" = [[1000, 5000]]))]
    pub boundaries: Vec<f64>,
    /// Rate of each interval: one more than boundaries.
    #[schemars(extend("examples" = [[0.01, 0.005, 0.001]]))]
    pub values: Vec<f64>,
}

/// A constant rate for each interval of epochs: with boundaries [5, 15] the first for epochs 0 to
/// 4, the second for 5 to 14, the third from 15 on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PiecewiseByEpoch {
    /// First epoch of each interval but the first, ascending.
    #[schemars(extend("examples" = [[5, 15]]))]
    pub boundaries: Vec<u64>,
    /// Rate of each interval: one more than boundaries.
    #[schemars(extend("examples" = [[0.01, 0.005, 0.001]]))]
    pub values: Vec<f64>,
}

fn check(boundaries: usize, rising: bool, values: &[f64]) -> Result<()> {
    if values.len() != boundaries + 1 {
        let found = format!("{} values for {boundaries} boundaries", values.len());
        return Err(Error::invalid("values", found, "one more than boundaries"));
    }
    if !rising {
        return Err(Error::invalid(
            "boundaries",
            "numbers that do not rise",
            "rising numbers",
        ));
    }
    values
        .iter()
        .enumerate()
        .try_for_each(|(i, &rate)| check_rate(&format!("values[{i}]"), rate))
}

impl Rule for PiecewiseConstantDecay {
    fn check(&self) -> Result<()> {
        let rising = self.boundaries.windows(2).all(|w| w[0] < w[1]);
        check(self.boundaries.len(), rising, &self.values)
    }
}

impl Rule for PiecewiseByEpoch {
    fn check(&self) -> Result<()> {
        let rising = self.boundaries.windows(2).all(|w| w[0] < w[1]);
        check(self.boundaries.len(), rising, &self.values)
    }
}

impl ScheduleFormula for PiecewiseConstantDecay {
    fn at(&self, progress: Progress) -> StepParameters {
        let step = progress.iteration as f64;
        let passed = self.boundaries.partition_point(|&b| b < step);
        self.values[passed].into()
    }
}

impl ScheduleFormula for PiecewiseByEpoch {
    const KERAS: bool = false;

    fn at(&self, progress: Progress) -> StepParameters {
        let passed = self.boundaries.partition_point(|&b| b <= progress.epoch());
        self.values[passed].into()
    }
}
