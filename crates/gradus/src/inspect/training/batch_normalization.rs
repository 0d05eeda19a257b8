//! Batch normalization: the layers before it, and its batch size.

use crate::data::checks::Finding;
use crate::inspect::PlannedTraining;
use crate::inspect::graph::{at, traits};
use crate::model::Source;
use crate::model::layers::Kind;

const NAME: &str = "batch_normalization";
/// Batch size below which statistics are noise.
const FEWEST_ROWS: usize = 8;

pub(super) fn look(planned: &PlannedTraining<'_>) -> Vec<Finding> {
    let model = planned.model;
    let nodes = model.nodes.iter();
    let normalizing: Vec<_> = nodes
        .filter(|node| traits(model, node).moves_statistics && model.layers[node.layer].trainable)
        .collect();
    let mut findings = Vec::new();
    for node in &normalizing {
        let Some(Source::Node(before)) = node.inputs.first() else {
            continue;
        };
        let before = &model.layers[model.nodes[*before].layer];
        if let Kind::Dropout(_) | Kind::GaussianDropout(_) = before.rule.0 {
            let name = &model.layers[node.layer].name;
            let found = "dropout right in front of it";
            let advice = "its statistics are those of dropped-out numbers, which there are none \
                          of once it is trained: put the dropout behind it";
            findings.push(Finding::warning(NAME, at(name), found, advice));
        }
    }
    if let (Some(node), 1..FEWEST_ROWS) = (normalizing.first(), planned.batch_size) {
        let name = &model.layers[node.layer].name;
        let found = format!("batches of {} rows", planned.batch_size);
        let advice = "mean and variance of so few are noise: `train.batch_size = 32`, or \
                      `LayerNormalization`";
        findings.push(Finding::warning(NAME, at(name), found, advice));
    }
    findings
}
