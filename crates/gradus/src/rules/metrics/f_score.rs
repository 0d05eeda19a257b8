use super::{Batch, Better, MetricFormula};
use crate::base::registry::Rule;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// The averaging of scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Average {
    /// One score of all outputs pooled.
    Micro,
    /// The mean of each output's score.
    Macro,
    /// The mean of each output's score, weighted by its number of yes targets.
    Weighted,
}

/// The harmonic mean of precision and recall, for one-hot or yes/no targets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct F1Score {
    /// Averaging. Without it, Keras reports a list; here it is their mean, as
    /// `macro`. Default none.
    pub average: Option<Average>,
    /// Threshold above which outputs say yes. Default: a row's largest output does.
    #[schemars(extend("examples" = [0.5]))]
    pub threshold: Option<f64>,
}

/// The weighted harmonic mean of precision and recall, recall counting β² times: (1 + β²) p r / (β²
/// p + r).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct FBetaScore {
    /// Averaging. Without it, Keras reports a list; here it is their mean, as
    /// `macro`. Default none.
    pub average: Option<Average>,
    /// β. Default 1.
    pub beta: f64,
    /// Threshold above which outputs say yes. Default: a row's largest output does.
    #[schemars(extend("examples" = [0.5]))]
    pub threshold: Option<f64>,
}

impl Default for FBetaScore {
    fn default() -> Self {
        FBetaScore {
            average: None,
            beta: 1.0,
            threshold: None,
        }
    }
}

impl F1Score {
    fn general(&self) -> FBetaScore {
        FBetaScore {
            average: self.average,
            beta: 1.0,
            threshold: self.threshold,
        }
    }
}

impl Rule for F1Score {
    fn check(&self) -> Result<()> {
        self.general().check()
    }
}

impl Rule for FBetaScore {
    fn check(&self) -> Result<()> {
        if !(self.beta > 0.0 && self.beta.is_finite()) {
            return Err(Error::invalid("beta", self.beta, "a number above 0"));
        }
        match self.threshold {
            Some(threshold) if !(threshold > 0.0 && threshold <= 1.0) => {
                let expected = "a number above 0, 1 at most";
                Err(Error::invalid("threshold", threshold, expected))
            }
            _ => Ok(()),
        }
    }
}

/// Keras' epsilon of denominators.
const EPSILON: f64 = 1e-7;

impl FBetaScore {
    fn score(&self, positive: f64, false_positive: f64, false_negative: f64) -> f64 {
        let precision = positive / (positive + false_positive + EPSILON);
        let recall = positive / (positive + false_negative + EPSILON);
        let square = self.beta * self.beta;
        (1.0 + square) * (precision * recall) / (square * precision + recall + EPSILON)
    }
}

impl MetricFormula for FBetaScore {
    const BETTER: Option<Better> = Some(Better::Larger);
    const NAME: Option<&'static str> = Some("fbeta_score");

    /// True positives, false positives and false negatives of each output.
    fn gathers(&self, width: usize) -> usize {
        3 * width
    }

    fn add(&self, batch: Batch<'_>, gathered: &mut [f64]) {
        let width = batch.width;
        batch.each_like_outputs(|target, output, weight| {
            let largest = output.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            for (i, (&t, &y)) in target.iter().zip(output).enumerate() {
                let yes = match self.threshold {
                    Some(threshold) => y > threshold as f32,
                    // A row of zeros has no largest output.
                    None => y >= largest && y.abs() > 1e-9,
                };
                let (yes, t) = (f64::from(yes), f64::from(t));
                gathered[i] += weight * yes * t;
                gathered[width + i] += weight * yes * (1.0 - t);
                gathered[2 * width + i] += weight * (1.0 - yes) * t;
            }
        });
    }

    fn result(&self, gathered: &[f64]) -> f64 {
        let width = gathered.len() / 3;
        let [tp, fp, fnn] = [0, 1, 2].map(|part| &gathered[part * width..(part + 1) * width]);
        let sum = |numbers: &[f64]| numbers.iter().sum::<f64>();
        let scores = (0..width).map(|i| self.score(tp[i], fp[i], fnn[i]));
        match self.average {
            Some(Average::Micro) => self.score(sum(tp), sum(fp), sum(fnn)),
            None | Some(Average::Macro) => scores.sum::<f64>() / width as f64,
            Some(Average::Weighted) => {
                let all = sum(tp) + sum(fnn) + EPSILON;
                let weights = (0..width).map(|i| (tp[i] + fnn[i]) / all);
                scores
                    .zip(weights)
                    .map(|(score, weight)| score * weight)
                    .sum()
            }
        }
    }
}

impl MetricFormula for F1Score {
    const BETTER: Option<Better> = Some(Better::Larger);

    fn gathers(&self, width: usize) -> usize {
        self.general().gathers(width)
    }

    fn add(&self, batch: Batch<'_>, gathered: &mut [f64]) {
        self.general().add(batch, gathered);
    }

    fn result(&self, gathered: &[f64]) -> f64 {
        self.general().result(gathered)
    }
}
