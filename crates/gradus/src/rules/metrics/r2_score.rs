use super::{Batch, Better, MetricFormula};
use crate::base::registry::Rule;
use serde::{Deserialize, Serialize};

/// The averaging of the outputs' scores.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Aggregation {
    /// Their mean.
    #[default]
    UniformAverage,
    /// Their mean weighted by the targets' variances.
    VarianceWeightedAverage,
}

/// The share of the targets' variance that is explained: 1 - Σ(y - t)² /
/// Σ(t - mean t)², for each output, then aggregated.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct R2Score {
    /// Averaging of the outputs' scores. Default their mean.
    pub class_aggregation: Aggregation,
    /// p: above 0, the adjusted score 1 - (1 - R²)(n - 1) / (n - p - 1), n the
    /// number of targets. Default 0.
    pub num_regressors: u64,
}

impl R2Score {
    pub(super) const DEFAULT: Self = R2Score {
        class_aggregation: Aggregation::UniformAverage,
        num_regressors: 0,
    };
}

impl Rule for R2Score {}

impl MetricFormula for R2Score {
    const BETTER: Option<Better> = Some(Better::Larger);

    /// Σ t, Σ t² and Σ (y - t)² of each output, the sum of the weights, and the
    /// number of positions.
    fn gathers(&self, width: usize) -> usize {
        3 * width + 2
    }

    fn add(&self, batch: Batch<'_>, gathered: &mut [f64]) {
        let width = batch.width;
        batch.each_like_outputs(|target, output, weight| {
            for (i, (&t, &y)) in target.iter().zip(output).enumerate() {
                let (t, y) = (f64::from(t), f64::from(y));
                gathered[i] += weight * t;
                gathered[width + i] += weight * t * t;
                gathered[2 * width + i] += weight * (t - y) * (t - y);
            }
            gathered[3 * width] += weight;
            gathered[3 * width + 1] += 1.0;
        });
    }

    fn result(&self, gathered: &[f64]) -> f64 {
        let width = gathered.len() / 3;
        let (weights, rows) = (gathered[3 * width], gathered[3 * width + 1]);
        let variance = |i: usize| gathered[width + i] - gathered[i] * gathered[i] / weights;
        let score = |i: usize| {
            let score = 1.0 - gathered[2 * width + i] / variance(i);
            // As in Keras: a constant target gives 0.
            if score.is_infinite() { 0.0 } else { score }
        };
        let scores = (0..width).map(score);
        let score = match self.class_aggregation {
            Aggregation::UniformAverage => scores.sum::<f64>() / width as f64,
            Aggregation::VarianceWeightedAverage => {
                let weights: f64 = (0..width).map(variance).sum();
                let sum: f64 = scores.enumerate().map(|(i, s)| s * variance(i)).sum();
                sum / weights
            }
        };
        let n = rows * width as f64;
        let p = self.num_regressors as f64;
        if p == 0.0 || p >= n - 1.0 {
            return score;
        }
        1.0 - (1.0 - score) * (n - 1.0) / (n - p - 1.0)
    }
}
