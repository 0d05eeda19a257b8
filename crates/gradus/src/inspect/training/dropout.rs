//! Dropout: its rate, and its place.

use crate::data::checks::Finding;
use crate::inspect::PlannedTraining;
use crate::inspect::graph::{Graph, at, traits};

const NAME: &str = "dropout";
/// Rate from which too little is left to learn from.
const MOST: f64 = 0.8;

pub(super) fn look(planned: &PlannedTraining<'_>) -> Vec<Finding> {
    let model = planned.model;
    let graph = Graph::of(model);
    let mut findings = Vec::new();
    for (number, node) in model.nodes.iter().enumerate() {
        let entry = &model.layers[node.layer];
        let Some(dropout) = traits(model, node).dropout.filter(|d| d.rate > 0.0) else {
            continue;
        };
        let place = || at(&entry.name);
        if graph.is_last(number) {
            let found = "dropout behind the output";
            let advice = "predictions are dropped, and the loss is taken of what is left: put it \
                          before the last dense layer";
            findings.push(Finding::warning(NAME, place(), found, advice));
        }
        if dropout.rate >= MOST {
            let found = format!(
                "a rate of {}: one of {:.0} values is left",
                dropout.rate,
                1.0 / (1.0 - dropout.rate)
            );
            let advice = "the network underfits: 0.1 to 0.5 is usual; to regularize more, make the \
                          layers smaller";
            findings.push(Finding::warning(NAME, place(), found, advice));
        }
    }
    findings
}
