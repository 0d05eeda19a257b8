//! Monte Carlo predictions of a model with dropout.

use super::rows::evenly;
use crate::artifacts::report::Uncertainty;
use crate::data::Dataset;
use crate::model::{LayerEntry, Model};
use crate::train::McPrediction;

/// The predictions of each row.
const SAMPLES: usize = 30;

/// The rows at least that are worth a picture, and at most.
const FEWEST: usize = 40;
const MOST: usize = 2000;

/// Noisy predictions of some rows.
#[derive(Debug, Default)]
pub struct Noisy {
    /// The rows, by their places.
    rows: Vec<usize>,
    /// One for each output; none of a model without dropout.
    outputs: Vec<McPrediction>,
    /// The reason why there are none although the model has dropout.
    pub left_out: Option<String>,
}

impl Noisy {
    /// Predicts as many of the rows as `passes` predictions allow, if the model has dropout.
    pub fn of(model: &Model, data: &Dataset, passes: usize) -> Self {
        let drops = |layer: &LayerEntry| layer.rule.traits().dropout.is_some();
        if !model.layers.iter().any(drops) {
            return Noisy::default();
        }
        let rows = evenly(data.rows(), (passes / SAMPLES).min(MOST));
        let count = rows.len();
        let predict = || model.predict_mc_all(&data.take(&rows)?, SAMPLES);
        let left_out = match count < FEWEST {
            true => format!("it takes {FEWEST} rows at least, and there are {count}."),
            false => match predict() {
                Ok(outputs) => {
                    return Noisy {
                        rows,
                        outputs,
                        left_out: None,
                    };
                }
                Err(problem) => problem.to_string(),
            },
        };
        Noisy {
            left_out: Some(left_out),
            ..Noisy::default()
        }
    }

    /// By the entropy of an output for classes, if its values are probabilities.
    pub fn of_classes(&self, model: &Model, output: usize) -> Option<Uncertainty> {
        let found = self.outputs.get(output)?;
        let entropy = found.predictive_entropy.as_ref()?;
        let (_, means) = model.class_scores(output, &found.mean).ok()??;
        self.uncertainty("predictive entropy", entropy.to_f64(), means)
    }

    /// By the deviation of an output of one number.
    pub fn of_numbers(&self, output: usize) -> Option<Uncertainty> {
        let found = self.outputs.get(output).filter(|o| o.std.size() == 1)?;
        let (values, means) = (found.std.to_f64(), found.mean.to_f32());
        self.uncertainty("standard deviation", values, means)
    }

    fn uncertainty(
        &self,
        measure: &'static str,
        values: Vec<f64>,
        means: Vec<f32>,
    ) -> Option<Uncertainty> {
        (values.len() == self.rows.len()).then(|| Uncertainty {
            rows: self.rows.clone(),
            samples: SAMPLES,
            measure,
            values,
            means,
        })
    }
}
