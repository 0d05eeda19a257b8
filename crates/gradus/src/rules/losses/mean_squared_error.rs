use super::Formula;
use crate::base::registry::Rule;
use serde::{Deserialize, Serialize};

/// The mean over the last axis of (output - target)².
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MeanSquaredError {}

impl MeanSquaredError {
    pub(super) const DEFAULT: Self = MeanSquaredError {};
}

impl Rule for MeanSquaredError {}

impl Formula for MeanSquaredError {
    fn row(&self, target: &[f32], output: &[f32], gradient: &mut [f32]) -> f32 {
        let n = output.len() as f32;
        let mut sum = 0.0;
        for ((g, &y), &t) in gradient.iter_mut().zip(output).zip(target) {
            let difference = y - t;
            *g = 2.0 * difference / n;
            sum += difference * difference;
        }
        sum / n
    }
}
