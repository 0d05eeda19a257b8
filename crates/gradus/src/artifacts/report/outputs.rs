//! Plain data of a model's predictions, and the pictures of each kind.

mod classes;
mod labels;
mod numbers;
mod probabilities;

use super::figure::{Figure, Series, Style, point};
use super::images::Pictures;

/// The predictions of one output, row by row.
#[derive(Clone, Debug)]
pub struct OutputPage {
    /// The name of the output, or of its target.
    pub name: String,
    /// The predictions with the truth.
    pub predicted: Predicted,
    /// The Monte Carlo samples of each row, if the model has dropout.
    pub uncertainty: Option<Uncertainty>,
}

/// The uncertainty of the predictions of some rows.
#[derive(Clone, Debug)]
pub struct Uncertainty {
    /// The rows, by their places among all of the output.
    pub rows: Vec<usize>,
    /// The predictions with dropout on that were made of each row.
    pub samples: usize,
    /// The measure, in words.
    pub measure: &'static str,
    /// Its value for each of the rows.
    pub values: Vec<f64>,
    /// The mean of the samples: a probability for each class, or a number for each row.
    pub means: Vec<f32>,
}

/// Predictions and what is true.
#[derive(Clone, Debug)]
pub enum Predicted {
    /// One class of several.
    Classes {
        /// The names of the classes.
        names: Vec<String>,
        /// A value for each class of each row: the highest one is predicted.
        scores: Vec<f32>,
        /// The true class of each row.
        truth: Vec<usize>,
        /// The rows as pictures, if they are images.
        pictures: Option<Pictures>,
    },
    /// Several answers of yes or no.
    Labels {
        /// A value for each answer of each row.
        scores: Vec<f32>,
        /// The true answers.
        truth: Vec<bool>,
        /// The number of answers of a row.
        count: usize,
    },
    /// Numbers.
    Numbers {
        /// The names of a row's numbers.
        names: Vec<String>,
        /// The predicted ones.
        predicted: Vec<f32>,
        /// The true ones.
        truth: Vec<f32>,
    },
}

impl OutputPage {
    /// The pictures.
    pub(super) fn figures(&self) -> Vec<Figure> {
        let uncertainty = self.uncertainty.as_ref();
        match &self.predicted {
            Predicted::Classes {
                names,
                scores,
                truth,
                pictures,
            } => {
                let classes = classes::Classes {
                    names,
                    scores,
                    truth,
                };
                classes.figures(pictures.as_ref(), uncertainty)
            }
            Predicted::Labels {
                scores,
                truth,
                count,
            } => labels::figures(scores, truth, *count),
            Predicted::Numbers {
                names,
                predicted,
                truth,
            } => numbers::figures(names, predicted, truth, uncertainty),
        }
    }
}

/// The n-th value of each row of `size` values.
fn column(values: &[f32], size: usize, n: usize) -> Vec<f64> {
    let column = values.iter().skip(n).step_by(size.max(1));
    column.map(|&x| x.into()).collect()
}

/// A straight line to compare with.
fn diagonal(name: &str, low: f64, high: f64) -> Series {
    Series {
        name: name.into(),
        style: Style::Reference,
        colour: 7,
        x: vec![point(low), point(high)],
        y: vec![point(low), point(high)],
    }
}
