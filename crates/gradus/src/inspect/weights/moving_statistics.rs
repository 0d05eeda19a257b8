//! Batch normalization without statistics.

use crate::data::checks::{Finding, Severity};
use crate::inspect::graph::at;
use crate::model::Model;

const NAME: &str = "moving_statistics";

pub(super) fn look(model: &Model) -> Vec<Finding> {
    let normalizing = model.layers.iter();
    let normalizing = normalizing.filter(|l| l.rule.traits().moves_statistics);
    let mut findings = Vec::new();
    for layer in normalizing {
        let of = |name: &str| layer.weights.iter().find(|weight| weight.name == name);
        let (Some(mean), Some(variance)) = (of("moving_mean"), of("moving_variance")) else {
            continue;
        };
        if variance.values.iter().any(|&x| x < 0.0) {
            let found = "a moving variance below 0";
            let advice = "no training leaves that: is the file damaged?";
            let finding = Finding::warning(NAME, at(&layer.name), found, advice);
            findings.push(finding.severity(Severity::Error));
        } else if mean.values.iter().all(|&x| x == 0.0) && variance.values.iter().all(|&x| x == 1.0)
        {
            let found = "moving mean and variance are those that it began with";
            let advice = "it was never trained, and normalizes nothing yet";
            let finding = Finding::warning(NAME, at(&layer.name), found, advice);
            findings.push(finding.severity(Severity::Note));
        }
    }
    findings
}
