//! Pictures of predicted classes: which are mistaken for which.

use super::super::figure::{Bars, Cells, Figure, Heat, Measure, Picture, Table, shown};
use super::super::images::Pictures;
use super::super::measures::Confusion;
use super::Uncertainty;

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
pub fn predicted(scores: &[f32], classes: usize) -> Vec<usize> {
    let highest = |row: &[f32]| {
        let higher = |best: usize, i: usize| if row[i] > row[best] { i } else { best };
        (0..row.len()).reduce(higher).unwrap_or(0)
    };
    scores.chunks(classes.max(1)).map(highest).collect()
}
