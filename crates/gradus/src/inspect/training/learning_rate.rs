//! Learning rates that blow up, or change nothing.

use crate::data::checks::{Finding, Where};
use crate::inspect::PlannedTraining;
use crate::rules::optimizers::LearningRate;

const NAME: &str = "learning_rate";
/// The rate from which a method's steps blow up, if known; its usual rate.
const MOST: [(&str, f64, &str); 8] = [
    ("SGD", 1.0, "0.01"),
    ("RMSprop", 0.1, "0.001"),
    ("Adam", 0.1, "0.001"),
    ("AdamW", 0.1, "0.001"),
    ("Adamax", 0.2, "0.001"),
    ("Nadam", 0.1, "0.001"),
    ("Lion", 0.01, "0.0001"),
    ("Lamb", 0.5, "0.001"),
];
/// Rate below which float32 weights hardly change.
const LEAST: f64 = 1e-7;

pub(super) fn look(planned: &PlannedTraining<'_>) -> Vec<Finding> {
    let optimizer = planned
        .model
        .compiled
        .as_ref()
        .and_then(|c| c.optimizer.as_ref());
    let Some(optimizer) = optimizer.filter(|_| !planned.scheduled) else {
        return Vec::new();
    };
    let LearningRate::Constant(rate) = optimizer.learning_rate else {
        return Vec::new();
    };
    let place = || Where::of("train.optimizer.learning_rate");
    let class = optimizer.method.class();
    let most = MOST.iter().find(|(name, ..)| *name == class);
    match most {
        _ if rate < LEAST => {
            let advice = "weights hardly move: `gradus lr-find` finds a rate";
            vec![Finding::warning(
                NAME,
                place(),
                format!("a rate of {rate}"),
                advice,
            )]
        }
        Some((_, most, usual)) if rate >= *most => {
            let found = format!("a rate of {rate} for {class}");
            let advice = format!(
                "the loss will probably blow up; {usual} is usual, and `gradus lr-find` finds one"
            );
            vec![Finding::warning(NAME, place(), found, advice)]
        }
        _ => Vec::new(),
    }
}
