//! Activations of hidden layers.

use crate::data::checks::Finding;
use crate::inspect::PlannedTraining;
use crate::inspect::graph::{Graph, InPlace, all_of, at, called, traits};
use crate::model::layers::Effect;
use crate::rules::activations::Nature;

/// Number of consecutive layers in which gradients vanish.
const DEEP: usize = 5;

pub(super) fn look(planned: &PlannedTraining<'_>) -> Vec<Finding> {
    let model = planned.model;
    let graph = Graph::of(model);
    let hidden: Vec<&InPlace<'_>> = graph
        .products
        .iter()
        .filter(|layer| !layer.is_last)
        .collect();
    let normalized = model
        .nodes
        .iter()
        .any(|node| traits(model, node).effect == Effect::Normalizes);
    let mut findings = Vec::new();
    let flat = hidden.iter().filter(|l| l.nature() == Nature::Saturating);
    let flat: Vec<&&InPlace<'_>> = flat.collect();
    // Pretraining layer by layer needs no gradient from the top.
    if flat.len() >= DEEP && !normalized && !planned.pretrained {
        let found = format!("{} layers with {}", flat.len(), called(&flat[0].activation));
        let advice = "it saturates, and gradients vanish on their way down: `elu` or `relu` with \
                      `he_normal`, or `BatchNormalization` before each";
        let names: Vec<&str> = flat.iter().map(|l| l.entry.name.as_str()).collect();
        findings.push(Finding::warning(
            "saturation",
            all_of(&names),
            found,
            advice,
        ));
    }
    for layer in hidden.iter().filter(|l| l.nature() == Nature::Shares) {
        let found = format!("a {} in a hidden layer", called(&layer.activation));
        let advice = "its outputs add up to 1, so little gets through: `relu` or `elu`";
        let place = at(&layer.entry.name);
        findings.push(Finding::warning("hidden_softmax", place, found, advice));
    }
    findings.extend(linear_stacks(&graph));
    findings
}

/// Two dense layers or convolutions without a nonlinearity between them, unless a narrow one between them is
/// intended as a bottleneck.
fn linear_stacks(graph: &Graph<'_>) -> Vec<Finding> {
    let linear = graph
        .products
        .iter()
        .filter(|l| l.nature() == Nature::Linear && !l.is_last);
    let stacked = linear.filter_map(|layer| {
        let next = graph.after(layer.node).into_iter();
        let next = next.filter_map(|node| graph.product_at(node));
        let next = next.min_by_key(|next| next.node)?;
        if next.entry.weights.first()?.shape == [1, 1] {
            // One number that multiplies all, as in Fixup's branches, is no layer of its own.
            return None;
        }
        let narrow = layer.product.units < layer.inputs()?.min(next.product.units);
        (!narrow).then(|| {
            let name = &layer.entry.name;
            let found = format!("no activation between it and {}", next.entry.name);
            let advice = format!(
                "two linear layers are one: give {name} an activation, such as \
                 `activation = \"relu\"`"
            );
            Finding::warning("linear_stack", at(name), found, advice)
        })
    });
    stacked.collect()
}
