//! Limits of gradients that leave nothing of them, or never act.

use crate::data::checks::{Finding, Severity, Where};
use crate::inspect::PlannedTraining;

const NAME: &str = "clipping";
/// Limit below which hardly anything of a gradient is left.
const LEAST: f64 = 1e-3;
/// Limit that no gradient reaches whose training does well.
const MOST: f64 = 1e4;

pub(super) fn look(planned: &PlannedTraining<'_>) -> Vec<Finding> {
    let Some(optimizer) = planned.optimizer() else {
        return Vec::new();
    };
    let limits = [
        ("clipvalue", optimizer.clipvalue),
        ("clipnorm", optimizer.clipnorm),
        ("global_clipnorm", optimizer.global_clipnorm),
    ];
    let mut findings = Vec::new();
    for (key, limit) in limits {
        let finding = |advice: &str| {
            let found = format!("gradients are clipped at {}", limit.unwrap_or_default());
            let place = Where::of(format!("train.optimizer.{key}"));
            Finding::warning(NAME, place, found, advice)
        };
        match limit {
            Some(limit) if limit <= LEAST => {
                let advice = "hardly anything of them is left to learn from: 1.0 is usual";
                findings.push(finding(advice));
            }
            Some(limit) if limit >= MOST => {
                let advice = "none is so large before a training has blown up: 1.0 is usual";
                findings.push(finding(advice).severity(Severity::Note));
            }
            _ => {}
        }
    }
    findings
}
