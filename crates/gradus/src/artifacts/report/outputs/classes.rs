//! Pictures of predicted classes.

use super::super::figure::{
    Bars, Cells, Figure, Heat, Lines, Measure, Picture, Series, Style, Table, point, shown,
};
use super::super::images::Pictures;
use super::super::measures::{Confusion, Reliability, Thresholds, accepted};
use super::super::thin::thin;
use super::{Uncertainty, column};

/// The classes whose bars are drawn, and the mistaken pairs that are listed.
const BARS: usize = 30;
const PAIRS: usize = 20;
/// The images that are shown.
const IMAGES: usize = 24;

/// Predicted classes.
pub struct Classes<'a> {
    pub names: &'a [String],
    /// A value for each class of each row.
    pub scores: &'a [f32],
    pub truth: &'a [usize],
}

impl Classes<'_> {
    /// The pictures.
    pub fn figures(
        &self,
        pictures: Option<&Pictures>,
        uncertainty: Option<&Uncertainty>,
    ) -> Vec<Figure> {
        let said = predicted(self.scores, self.names.len());
        let pairs = self.truth.iter().copied().zip(said.iter().copied());
        let confusion = Confusion::of(self.names.len(), pairs);
        let mut figures = vec![self.matrix(&confusion)];
        figures.push(self.of_each(&confusion));
        figures.extend(self.mistakes(&confusion));
        figures.extend(self.reliability(&said));
        if self.names.len() == 2 {
            figures.extend(self.thresholds());
        }
        figures.extend(uncertainty.and_then(|uncertainty| self.rejection(uncertainty)));
        figures.extend(pictures.map(|pictures| self.worst(pictures, &said)));
        figures
    }

    fn matrix(&self, confusion: &Confusion) -> Figure {
        let counts = confusion.counts.iter();
        let cells = counts.map(|(&(truth, said), &n)| (truth, said, n as f64));
        let accuracy = confusion.accuracy().unwrap_or(0.0);
        Figure {
            title: "Confusion matrix: true classes down, predicted classes across".into(),
            caption: format!(
                "Accuracy {}. The diagonal is right; a coloured cell beside it is a pair of classes \
                 that the model mistakes. Colours are logarithmic.",
                shown(accuracy)
            ),
            wide: self.names.len() > 40,
            picture: Picture::Heat(Heat {
                rows: "true class".into(),
                columns: "predicted class".into(),
                row_names: self.names.to_vec(),
                column_names: self.names.to_vec(),
                square: true,
                measures: vec![Measure {
                    name: "rows".into(),
                    says: String::new(),
                    log: true,
                    cells: Cells::Sparse(cells.collect()),
                }],
            }),
        }
    }

    fn of_each(&self, confusion: &Confusion) -> Figure {
        let figures = confusion.of_classes();
        let mut order: Vec<usize> = (0..figures.len()).collect();
        order.retain(|&class| figures[class].f1.is_some());
        let f1 = |class: usize| figures[class].f1.unwrap_or(0.0);
        order.sort_by(|&a, &b| f1(a).total_cmp(&f1(b)).then(a.cmp(&b)));
        let all = order.len();
        order.truncate(BARS);
        let percent = |x: Option<f64>| x.map_or("none".into(), shown);
        let mut caption = "F1 is the harmonic mean of precision (of the rows predicted as the \
                           class, the share that are) and recall (of the class' rows, the share \
                           that was found). 1 is perfect."
            .to_owned();
        if all > BARS {
            caption += &format!(" The worst {BARS} of {all} classes.");
        }
        if let Some(&worst) = order.first() {
            let figures = figures[worst];
            caption += &format!(
                " Worst: {} with precision {}, recall {}, {} rows.",
                self.names[worst],
                percent(figures.precision),
                percent(figures.recall),
                figures.rows
            );
        }
        Figure {
            title: "F1 of each class, worst first".into(),
            caption,
            wide: false,
            picture: Picture::Bars(Bars {
                names: "class".into(),
                values: "F1".into(),
                items: order
                    .into_iter()
                    .map(|class| (self.names[class].clone(), f1(class), None))
                    .collect(),
            }),
        }
    }

    fn mistakes(&self, confusion: &Confusion) -> Option<Figure> {
        let worst = confusion.worst(PAIRS);
        let row = |&(truth, said, n): &(usize, usize, u64)| {
            vec![
                self.names[truth].clone(),
                self.names[said].clone(),
                n.to_string(),
            ]
        };
        (self.names.len() > 2 && !worst.is_empty()).then(|| Figure {
            title: "Most frequent mistakes".into(),
            caption: format!("Up to {PAIRS} pairs of classes, by their number of rows."),
            wide: false,
            picture: Picture::Table(Table {
                columns: ["true class", "predicted class", "rows"]
                    .map(String::from)
                    .into(),
                rows: worst.iter().map(row).collect(),
            }),
        })
    }

    /// Of two classes by the second's probability, else by the predicted class'.
    fn reliability(&self, said: &[usize]) -> Option<Figure> {
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
        let found = Reliability::of(&probabilities, &came_true)?;
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

    fn thresholds(&self) -> Vec<Figure> {
        let scores = column(self.scores, 2, 1);
        let positive: Vec<bool> = self.truth.iter().map(|&truth| truth == 1).collect();
        let Some(found) = Thresholds::of(&scores, &positive) else {
            return Vec::new();
        };
        let (class, rows) = (&self.names[1], positive.len());
        let share = positive.iter().filter(|&&positive| positive).count() as f64 / rows as f64;
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
                 than another one. The diagonal is chance.",
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
                 share of {class} among the rows.",
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

    fn rejection(&self, uncertainty: &Uncertainty) -> Option<Figure> {
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

    fn worst(&self, pictures: &Pictures, said: &[usize]) -> Figure {
        let size = self.names.len();
        let of_truth = |row: usize| self.scores[row * size + self.truth[row]];
        let mut order: Vec<usize> = (0..self.truth.len().min(pictures.rows())).collect();
        order.sort_by(|&a, &b| of_truth(a).total_cmp(&of_truth(b)).then(a.cmp(&b)));
        order.truncate(IMAGES);
        let image = |&row: &usize| {
            let (truth, said) = (self.truth[row], said[row]);
            let score = self.scores[row * size + said];
            let lines = vec![
                format!("true: {}", self.names[truth]),
                format!("said: {} ({score:.2})", self.names[said]),
            ];
            pictures.image(row, lines)
        };
        Figure {
            title: "Images whose true class got the lowest values".into(),
            caption: "The worst predictions first; the number is that of the predicted class. \
                      Wrong labels are often found here."
                .into(),
            wide: true,
            picture: Picture::Images {
                items: order.iter().map(image).collect(),
            },
        }
    }
}

/// The class with the highest value of each row.
fn predicted(scores: &[f32], classes: usize) -> Vec<usize> {
    let highest = |row: &[f32]| {
        let higher = |best: usize, i: usize| if row[i] > row[best] { i } else { best };
        (0..row.len()).reduce(higher).unwrap_or(0)
    };
    scores.chunks(classes.max(1)).map(highest).collect()
}

/// A straight line to compare with.
pub fn diagonal(name: &str, low: f64, high: f64) -> Series {
    Series {
        name: name.into(),
        style: Style::Reference,
        colour: 7,
        x: vec![point(low), point(high)],
        y: vec![point(low), point(high)],
    }
}
