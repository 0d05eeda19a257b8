//! Pictures of several answers of yes or no.

use super::super::figure::{Figure, Picture, Table, shown};
use super::super::measures::Thresholds;
use super::column;

/// The answers that are listed.
const MOST: usize = 100;

/// A table of the figures of each answer.
pub fn figures(scores: &[f32], truth: &[bool], count: usize) -> Vec<Figure> {
    let row = |answer: usize| {
        let scores = column(scores, count, answer);
        let truth: Vec<bool> = truth.iter().skip(answer).step_by(count).copied().collect();
        let right = scores.iter().zip(&truth);
        let right = right
            .filter(|&(&score, &truth)| (score > 0.5) == truth)
            .count();
        let found = Thresholds::of(&scores, &truth);
        let auc =
            |of: fn(&Thresholds) -> f64| found.as_ref().map_or("none".into(), |f| shown(of(f)));
        vec![
            answer.to_string(),
            truth.iter().filter(|&&truth| truth).count().to_string(),
            shown(right as f64 / truth.len().max(1) as f64),
            auc(|found| found.roc_auc),
            auc(|found| found.average_precision),
        ]
    };
    let columns = [
        "answer",
        "rows of yes",
        "accuracy at 0.5",
        "ROC AUC",
        "average precision",
    ];
    vec![Figure {
        title: "Each answer of yes or no".into(),
        caption: match count > MOST {
            true => format!("The first {MOST} of {count}, in the output's order, from 0."),
            false => "In the output's order, from 0.".into(),
        },
        wide: false,
        picture: Picture::Table(Table {
            columns: columns.map(String::from).into(),
            rows: (0..count.min(MOST)).map(row).collect(),
        }),
    }]
}
