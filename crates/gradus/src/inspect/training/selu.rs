//! The conditions under which a network of SELU layers normalizes itself.

use crate::data::checks::Finding;
use crate::inspect::PlannedTraining;
use crate::inspect::graph::{Graph, at, traits};
use crate::model::layers::Effect;
use crate::rules::activations::Nature;
use std::collections::BTreeSet;

const NAME: &str = "selu";

pub(super) fn look(planned: &PlannedTraining<'_>) -> Vec<Finding> {
    let model = planned.model;
    let graph = Graph::of(model);
    let selu = graph.products.iter();
    let selu: Vec<_> = selu
        .filter(|l| !l.is_last && l.nature() == Nature::SelfNormalizing)
        .collect();
    let mut findings = Vec::new();
    let mut merged = BTreeSet::new();
    for layer in &selu {
        for next in graph.after(layer.node) {
            let entry = &model.layers[model.nodes[next].layer];
            let traits = entry.rule.traits();
            let advice = if traits.dropout.is_some_and(|d| !d.keeps_deviation) {
                "`AlphaDropout` keeps mean and variance, `Dropout` does not"
            } else if traits.effect == Effect::Normalizes {
                "SELU normalizes itself: leave one of the two out"
            } else {
                continue;
            };
            let found = format!("{} behind SELU", entry.rule.class());
            findings.push(Finding::warning(NAME, at(&entry.name), found, advice));
        }
        if let Some(penalty) = layer.product.kernel_regularizer {
            let found = format!("SELU with `kernel_regularizer` {}", penalty.class());
            let advice = "smaller weights no longer keep deviation 1, and the network stops \
                          normalizing itself: leave it out, and take `AlphaDropout`";
            findings.push(Finding::warning(NAME, at(&layer.entry.name), found, advice));
        }
        let reached = graph.reached(layer.node).into_iter();
        merged.extend(reached.filter(|&n| model.layers[model.nodes[n].layer].rule.merges()));
    }
    if let Some(&first) = merged.first() {
        let entry = &model.layers[model.nodes[first].layer];
        let found = format!("{} behind SELU", entry.rule.class());
        let advice = "it normalizes itself in a plain chain of layers alone: with skip \
                      connections, `elu` with `he_normal` and `BatchNormalization`";
        findings.push(Finding::warning(NAME, at(&entry.name), found, advice));
    }
    findings.extend(alpha_dropout(planned, &graph, !selu.is_empty()));
    findings
}

/// Dropout that is made for SELU, behind another activation.
fn alpha_dropout(planned: &PlannedTraining<'_>, graph: &Graph<'_>, any_selu: bool) -> Vec<Finding> {
    let model = planned.model;
    let mut findings = Vec::new();
    for (number, node) in model.nodes.iter().enumerate() {
        let entry = &model.layers[node.layer];
        if !traits(model, node)
            .dropout
            .is_some_and(|d| d.keeps_deviation)
        {
            continue;
        }
        let of_selu = match graph.activation_before(number) {
            Some(before) => before.nature() == Nature::SelfNormalizing,
            None => any_selu,
        };
        if !of_selu {
            let found = format!("{} without SELU", entry.rule.class());
            let advice = "it sets values to SELU's lower limit, which other activations don't \
                          have: `Dropout`, or `activation = \"selu\"` with `lecun_normal`";
            findings.push(Finding::warning(NAME, at(&entry.name), found, advice));
        }
    }
    findings
}
