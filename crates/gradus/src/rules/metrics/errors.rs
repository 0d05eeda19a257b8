use super::{Batch, Formula};
use crate::base::registry::Rule;
use serde::{Deserialize, Serialize};

/// The mean of (output - target)².
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MeanSquaredError {}

/// The mean of |output - target|.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MeanAbsoluteError {}

impl MeanSquaredError {
    pub(super) const DEFAULT: Self = MeanSquaredError {};
}

impl MeanAbsoluteError {
    pub(super) const DEFAULT: Self = MeanAbsoluteError {};
}

impl Rule for MeanSquaredError {}
impl Rule for MeanAbsoluteError {}

/// Gathers the sum over positions of the mean of `error`, and their number.
fn add_mean(batch: Batch<'_>, gathered: &mut [f64], error: impl Fn(f32, f32) -> f32) {
    for (target, output) in batch.positions() {
        let sum: f64 = target
            .iter()
            .zip(output)
            .map(|(&t, &y)| f64::from(error(t, y)))
            .sum();
        gathered[0] += sum / output.len() as f64;
        gathered[1] += 1.0;
    }
}

impl Formula for MeanSquaredError {
    fn add(&self, batch: Batch<'_>, gathered: &mut [f64]) {
        add_mean(batch, gathered, |t, y| (y - t) * (y - t));
    }
}

impl Formula for MeanAbsoluteError {
    fn add(&self, batch: Batch<'_>, gathered: &mut [f64]) {
        add_mean(batch, gathered, |t, y| (y - t).abs());
    }
}
