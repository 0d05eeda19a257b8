//! Measures of probabilities.

use super::scores::Scores;
use crate::artifacts::report::Reliability;

/// Bins of the expected calibration error, of one width.
pub const BINS: usize = 15;

/// Measures of probabilities, each a mean over rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Confidence {
    /// Negative log-likelihood of what came true, in nats.
    pub loss: f64,
    /// Brier score: the squared distance of the probabilities from what came true, summed over
    /// classes; of yes or no, that of the probability of yes.
    pub brier: f64,
    /// Expected calibration error in 15 bins of one width: of two classes by the second's
    /// probability, else by the predicted class'.
    pub calibration_error: f64,
    /// Share of rows whose highest probability was the true class'.
    pub accuracy: f64,
    /// Each bin with rows: mean probability, share that came true, rows.
    pub curve: Vec<(f64, f64, u64)>,
    /// Number of rows; of several answers of yes or no, that of the answers.
    pub rows: usize,
}

impl Confidence {
    pub(super) fn of(scores: &Scores) -> Self {
        let (mut loss, mut brier, mut right) = (0.0, 0.0, 0);
        let (mut chances, mut came_true) = (Vec::new(), Vec::new());
        let mut each = Vec::new();
        let predictions = scores.predictions();
        for ((logits, truth), &(said, is_right)) in scores.rows().zip(&predictions) {
            scores.probabilities(logits, &mut each);
            // A probability that is 0 as a double has a loss of 745 nats at most.
            loss -= each[truth].max(f64::from_bits(1)).ln();
            let classes = each.iter().enumerate();
            let mut squares =
                classes.map(|(class, p)| (p - f64::from(u8::from(class == truth))).powi(2));
            brier += match scores.size {
                1 => squares.next_back().unwrap_or(0.0),
                _ => squares.sum(),
            };
            right += usize::from(is_right);
            let of_two = each.len() == 2;
            chances.push(if of_two { each[1] } else { said });
            came_true.push(if of_two { truth == 1 } else { is_right });
        }
        let rows = predictions.len();
        let mean = |sum: f64| sum / rows.max(1) as f64;
        let found = Reliability::of(&chances, &came_true, BINS).unwrap_or_default();
        let bins = found.bins.iter();
        Confidence {
            loss: mean(loss),
            brier: mean(brier),
            calibration_error: found.error,
            accuracy: mean(right as f64),
            curve: bins
                .map(|bin| (bin.predicted, bin.observed, bin.rows))
                .collect(),
            rows,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::last_layer::Kind;
    use super::*;

    #[test]
    fn the_measures_are_those_of_their_formulas() {
        let scores = Scores {
            kind: Kind::Softmax,
            size: 3,
            logits: [0.5_f32, 0.3, 0.2, 0.1, 0.1, 0.8].map(f32::ln).to_vec(),
            truth: vec![0, 1],
        };
        let found = Confidence::of(&scores);
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-6, "{a}, {b}");
        close(found.loss, -(0.5_f64.ln() + 0.1_f64.ln()) / 2.0);
        close(found.brier, (0.25 + 0.09 + 0.04 + 0.01 + 0.81 + 0.64) / 2.0);
        close(found.calibration_error, (0.5 + 0.8) / 2.0);
        close(found.accuracy, 0.5);
        let scores = Scores {
            kind: Kind::Sigmoid,
            size: 1,
            logits: vec![0.0, 3_f32.ln()],
            truth: vec![1, 0],
        };
        let found = Confidence::of(&scores);
        close(found.brier, (0.25 + 0.5625) / 2.0);
        close(found.loss, -(0.5_f64.ln() + 0.25_f64.ln()) / 2.0);
        close(found.calibration_error, (0.5 + 0.75) / 2.0);
    }
}
