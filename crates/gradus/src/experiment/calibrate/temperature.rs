//! The temperature that makes what came true likeliest.

use super::last_layer::Kind;
use super::scores::Scores;
use crate::error::{Error, Result};

/// Temperatures between which the best one is looked for.
const LEAST: f64 = 0.01;
const MOST: f64 = 100.0;
/// Halvings of the logarithm of that range: more than a double has digits.
const HALVINGS: usize = 60;
/// Deviations of the 95% interval of a normal distribution.
const DEVIATIONS: f64 = 1.96;

/// A temperature: what logits are divided by. Above 1 the model was too sure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Temperature {
    /// The best one.
    pub value: f64,
    /// Bounds of its 95% interval, by the rows' Fisher information; the upper one may be infinite.
    pub low: f64,
    /// See `low`.
    pub high: f64,
}

impl Temperature {
    /// The temperature with the least negative log-likelihood. That is convex in 1/T, so that its
    /// slope is 0 at one place at most.
    pub fn of(scores: &Scores) -> Result<Self> {
        let refused = |found: &str, expected: &str| Err(Error::invalid("", found, expected));
        if scores.truth.is_empty() {
            return refused("no rows", "rows with targets");
        }
        if slopes(scores, 1.0 / LEAST).0 <= 0.0 {
            let found = "rows whose classes the model all gives the highest probability";
            return refused(found, "more rows, some of which it gets wrong");
        }
        if slopes(scores, 1.0 / MOST).0 >= 0.0 {
            let found = "rows of which the model knows no more than chance";
            return refused(found, "rows like those that it was trained on");
        }
        let (mut low, mut high) = ((1.0 / MOST).ln(), (1.0 / LEAST).ln());
        for _ in 0..HALVINGS {
            let middle = (low + high) / 2.0;
            match slopes(scores, middle.exp()).0 > 0.0 {
                true => high = middle,
                false => low = middle,
            }
        }
        let inverse = ((low + high) / 2.0).exp();
        let deviation = DEVIATIONS / slopes(scores, inverse).1.sqrt();
        Ok(Temperature {
            value: 1.0 / inverse,
            low: 1.0 / (inverse + deviation),
            high: match inverse > deviation {
                true => 1.0 / (inverse - deviation),
                false => f64::INFINITY,
            },
        })
    }

    /// True if the rows do not tell it from 1, by its 95% interval.
    pub fn may_be_one(&self) -> bool {
        (self.low..=self.high).contains(&1.0)
    }
}

/// First and second derivative of the negative log-likelihood by 1/T.
fn slopes(scores: &Scores, inverse: f64) -> (f64, f64) {
    let (mut first, mut second) = (0.0, 0.0);
    for (logits, truth) in scores.rows() {
        let (mean, variance, own) = match scores.kind {
            Kind::Sigmoid => {
                let z = f64::from(logits[0]);
                let yes = 1.0 / (1.0 + (-z * inverse).exp());
                (z * yes, z * z * yes * (1.0 - yes), z * truth as f64)
            }
            Kind::Softmax => {
                let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                // By the distances from the highest, so that large ones lose no digits.
                let (mut sum, mut of_z, mut of_squares) = (0.0, 0.0, 0.0);
                for &logit in logits {
                    let z = f64::from(logit) - f64::from(most);
                    let weight = (z * inverse).exp();
                    sum += weight;
                    of_z += weight * z;
                    of_squares += weight * z * z;
                }
                let mean = of_z / sum;
                let own = f64::from(logits[truth]) - f64::from(most);
                (mean, of_squares / sum - mean * mean, own)
            }
        };
        first += mean - own;
        second += variance;
    }
    (first, second)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows whose truth is drawn from the model's probabilities at this temperature, without
    /// chance: each of two logits as often as its probability says.
    fn drawn(temperature: f64) -> Scores {
        let (mut logits, mut truth) = (Vec::new(), Vec::new());
        for step in 1..=8 {
            let z = f64::from(step) * 0.75;
            let yes = 1.0 / (1.0 + (-z / temperature).exp());
            let rows = 4000;
            for row in 0..rows {
                logits.extend([0.0, z as f32]);
                truth.push(usize::from((row as f64 + 0.5) / f64::from(rows) < yes));
            }
        }
        Scores {
            kind: Kind::Softmax,
            size: 2,
            logits,
            truth,
        }
    }

    #[test]
    fn the_temperature_of_which_rows_were_made_is_found() {
        for wanted in [0.5, 1.0, 1.7, 4.0] {
            let softmax = drawn(wanted);
            let found = Temperature::of(&softmax).unwrap();
            assert!(
                (found.value / wanted - 1.0).abs() < 2e-3,
                "{found:?}, {wanted}"
            );
            assert!(
                found.low < wanted && wanted < found.high,
                "{found:?}, {wanted}"
            );
            assert_eq!(found.may_be_one(), wanted == 1.0);
            // The same as a sigmoid of the second's logit.
            let sigmoid = Scores {
                kind: Kind::Sigmoid,
                size: 1,
                logits: softmax.logits.iter().skip(1).step_by(2).copied().collect(),
                truth: softmax.truth.clone(),
            };
            let same = Temperature::of(&sigmoid).unwrap();
            assert!(
                (same.value - found.value).abs() < 1e-9 * wanted,
                "{same:?}, {found:?}"
            );
        }
    }

    #[test]
    fn rows_that_tell_nothing_are_refused() {
        let mut scores = drawn(1.0);
        scores.truth.fill(1);
        let error = Temperature::of(&scores).unwrap_err().to_string();
        assert!(error.contains("some of which it gets wrong"), "{error}");
        scores.truth.fill(0);
        let error = Temperature::of(&scores).unwrap_err().to_string();
        assert!(error.contains("no more than chance"), "{error}");
        scores.truth.clear();
        scores.logits.clear();
        assert!(Temperature::of(&scores).is_err());
    }
}
