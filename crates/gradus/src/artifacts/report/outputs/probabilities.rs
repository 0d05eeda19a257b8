//! Pictures of the probabilities of classes: their reliability, thresholds, rejection.

use super::super::figure::{Figure, Lines, Picture, Series, Style, point, shown};
use super::super::measures::{Reliability, Thresholds, accepted};
use super::super::thin::{POINTS, thin};
use super::classes::{Classes, predicted};
use super::{Uncertainty, column, diagonal};

/// Bins of the reliability curve.
const BINS: usize = 10;

impl Classes<'_> {
    /// Of two classes by the second's probability, else by the predicted class'.
    pub fn reliability(&self, said: &[usize]) -> Option<Figure> {
        let size = self.names.len();
        let (probabilities, came_true): (Vec<f64>, Vec<bool>) = match size {
            2 => {
                let second = column(self.scores, 2, 1);
                (second, self.truth.iter().map(|&truth| truth == 1).collect())
            }
            _ => {
                let rows = self.scores.chunks(size).zip(said).zip(self.truth);
                rows.map(|((row, &said), &truth)| (f64::from(row[said]), said == truth))
                    .unzip()
            }
        };
        // Scores that do not add up to 1 are no probabilities.
        let sums = self.scores.chunks(size).map(|row| row.iter().sum::<f32>());
        if size < 2 || sums.into_iter().any(|sum| (sum - 1.0).abs() > 1e-3) {
            return None;
        }
        let found = Reliability::of(&probabilities, &came_true, BINS)?;
        let of = match size {
            2 => format!("the probability of {}", self.names[1]),
            _ => "the predicted class' probability".into(),
        };
        let fewest = found.bins.iter().map(|bin| bin.rows).min().unwrap_or(0);
        let point_of = |values: &dyn Fn(usize) -> f64| {
            let all = 0..found.bins.len();
            all.map(|bin| point(values(bin))).collect::<Vec<_>>()
        };
        Some(Figure {
            title: format!("Reliability: is {of} as often true as it says?"),
            caption: format!(
                "On the diagonal, 70% comes true in 70% of the rows; below it the model is too \
                 sure. Expected calibration error {}. Ten bins; rows in the emptiest one \
                 drawn: {fewest}.",
                shown(found.error)
            ),
            wide: false,
            picture: Picture::Lines(Lines {
                x: "predicted probability".into(),
                y: "observed share".into(),
                series: vec![
                    Series {
                        name: "observed".into(),
                        style: Style::Joined,
                        colour: 0,
                        x: point_of(&|bin| found.bins[bin].predicted),
                        y: point_of(&|bin| found.bins[bin].observed),
                    },
                    diagonal("perfect", 0.0, 1.0),
                ],
                x_range: Some((0.0, 1.0)),
                y_range: Some((0.0, 1.0)),
                ..Lines::default()
            }),
        })
    }

    pub fn thresholds(&self) -> Vec<Figure> {
        let scores = column(self.scores, 2, 1);
        let positive: Vec<bool> = self.truth.iter().map(|&truth| truth == 1).collect();
        let Some(found) = Thresholds::of(&scores, &positive) else {
            return Vec::new();
        };
        let (class, rows) = (&self.names[1], positive.len());
        let share = positive.iter().filter(|&&positive| positive).count() as f64 / rows as f64;
        let thinned = match found.thresholds.len() {
            all if all > POINTS => format!(" Some of the {all} thresholds are drawn."),
            _ => String::new(),
        };
        let curve = |name: &str, x: &[f64], y: &[f64]| {
            let kept = thin(y);
            let of = |values: &[f64]| kept.iter().map(|&i| point(values[i])).collect();
            Series {
                name: name.into(),
                style: Style::Line,
                colour: 0,
                x: of(x),
                y: of(y),
            }
        };
        let lines = |x: &str, y: &str, series: Vec<Series>| {
            Picture::Lines(Lines {
                x: x.into(),
                y: y.into(),
                series,
                x_range: Some((0.0, 1.0)),
                y_range: Some((0.0, 1.0)),
                ..Lines::default()
            })
        };
        let (x, y) = (&found.false_positives, &found.true_positives);
        let roc = Figure {
            title: format!("ROC: {class} found against false alarms, at every threshold"),
            caption: format!(
                "The area under the curve is {}: the chance that a row of {class} scores higher \
                 than another one. The diagonal is chance.{thinned}",
                shown(found.roc_auc)
            ),
            wide: false,
            picture: lines(
                "share of false alarms",
                "share found",
                vec![curve("model", x, y), diagonal("chance", 0.0, 1.0)],
            ),
        };
        let precision = Figure {
            title: format!("Precision and recall of {class}, at every threshold"),
            caption: format!(
                "Average precision {}. The dotted line is the precision of guessing, {}: the \
                 share of {class} among the rows.{thinned}",
                shown(found.average_precision),
                shown(share)
            ),
            wide: false,
            picture: lines(
                "recall",
                "precision",
                vec![
                    curve("model", &found.true_positives, &found.precision),
                    Series {
                        y: vec![point(share); 2],
                        ..diagonal("guessing", 0.0, 1.0)
                    },
                ],
            ),
        };
        vec![roc, precision]
    }

    pub fn rejection(&self, uncertainty: &Uncertainty) -> Option<Figure> {
        let said = predicted(&uncertainty.means, self.names.len());
        let right = said.iter().zip(&uncertainty.rows);
        let right: Vec<f64> = right
            .map(|(&said, &row)| f64::from(u8::from(said == self.truth[row])))
            .collect();
        let kept = accepted(&uncertainty.values, &right);
        (!kept.is_empty()).then(|| Figure {
            title: "Accuracy if the most uncertain rows are rejected".into(),
            caption: format!(
                "Monte Carlo dropout: {} predictions of each of {} rows with dropout on; \
                 uncertain is what has a high {}. A curve that climbs means that the model knows \
                 when it does not know.",
                uncertainty.samples,
                said.len(),
                uncertainty.measure
            ),
            wide: false,
            picture: Picture::Lines(Lines {
                x: "share of rows rejected".into(),
                y: "accuracy of the others".into(),
                series: vec![Series {
                    name: "accuracy".into(),
                    style: Style::Joined,
                    colour: 0,
                    x: kept.iter().map(|kept| point(kept.rejected)).collect(),
                    y: kept.iter().map(|kept| point(kept.mean)).collect(),
                }],
                x_range: Some((0.0, 1.0)),
                ..Lines::default()
            }),
        })
    }
}
