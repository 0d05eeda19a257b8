//! Activations and their initializers and normalization.

use crate::data::checks::{Finding, Where};
use crate::inspect::PlannedTraining;
use crate::inspect::graph::{Graph, InPlace, at, traits};
use crate::model::layers::{Effect, Kind};

/// Number of consecutive layers in which bad initialization makes activations vanish or explode.
const DEEP: usize = 5;
/// Activations that about halve the variance, for which He's initializers compensate.
const HE: [&str; 7] = ["Relu", "Elu", "LeakyRelu", "Gelu", "Silu", "Mish", "Relu6"];
/// Activations that saturate on both sides.
const FLAT: [&str; 4] = ["Sigmoid", "Tanh", "HardSigmoid", "Softsign"];

pub(super) fn look(planned: &PlannedTraining<'_>) -> Vec<Finding> {
    let model = planned.model;
    let graph = Graph::of(model);
    let hidden: Vec<&InPlace<'_>> = graph.dense.iter().filter(|layer| !layer.is_last).collect();
    let normalized = model
        .nodes
        .iter()
        .any(|node| traits(model, node).effect == Effect::Normalizes);
    let mut findings = Vec::new();
    let initializer = |layer: &InPlace<'_>| layer.dense.kernel_initializer.class();
    let names = |layers: &[&&InPlace<'_>]| {
        let names: Vec<&str> = layers
            .iter()
            .map(|layer| layer.entry.name.as_str())
            .collect();
        match names[..] {
            [one] => format!("layer {one}"),
            [first, .., last] => format!("layers {first} to {last}"),
            [] => String::new(),
        }
    };

    let selu: Vec<_> = hidden.iter().filter(|l| l.activation == "Selu").collect();
    let wrong: Vec<_> = selu
        .iter()
        .copied()
        .filter(|l| !initializer(l).starts_with("Lecun") && initializer(l) != "VarianceScaling")
        .collect();
    if let (Some(first), true) = (wrong.first(), planned.fresh) {
        let found = format!("SELU with the initializer {}", initializer(first));
        let advice = "it normalizes itself with `kernel_initializer = \"lecun_normal\"` alone";
        findings.push(Finding::warning(
            "initializer",
            Where::of(names(&wrong)),
            found,
            advice,
        ));
    }
    let he: Vec<_> = hidden
        .iter()
        .filter(|l| HE.contains(&l.activation) && initializer(l).starts_with("Glorot"))
        .collect();
    if he.len() >= DEEP && !normalized && planned.fresh {
        let found = format!("{} layers in a row with Glorot's initializer", he.len());
        let advice = "the signal fades from layer to layer: `kernel_initializer = \"he_normal\"` \
                      goes with their activation, and `BatchNormalization` helps";
        findings.push(Finding::warning(
            "initializer",
            Where::of(names(&he)),
            found,
            advice,
        ));
    }
    let flat: Vec<_> = hidden
        .iter()
        .filter(|l| FLAT.contains(&l.activation))
        .collect();
    // Pretraining layer by layer needs no gradient from the top.
    if flat.len() >= DEEP && !normalized && !planned.pretrained {
        let found = format!(
            "{} layers with {}",
            flat.len(),
            flat[0].activation.to_lowercase()
        );
        let advice = "it saturates, and gradients vanish on their way down: `elu` or `relu` with \
                      `he_normal`, or `BatchNormalization` before each";
        findings.push(Finding::warning(
            "saturation",
            Where::of(names(&flat)),
            found,
            advice,
        ));
    }
    for layer in selu {
        for next in graph.after(layer.node) {
            let layer = &model.layers[model.nodes[next].layer];
            let what = match layer.rule.0 {
                Kind::Dropout(_) | Kind::MCDropout(_) => {
                    "`AlphaDropout` keeps mean and variance, `Dropout` does not"
                }
                Kind::BatchNormalization(_) => "SELU normalizes itself: leave one of the two out",
                _ => continue,
            };
            let found = format!("{} behind SELU", layer.rule.class());
            findings.push(Finding::warning("selu", at(&layer.name), found, what));
        }
    }
    for layer in &hidden {
        if layer.activation == "Softmax" {
            let found = "a softmax in a hidden layer";
            let advice = "its outputs add up to 1, so little gets through: `relu` or `elu`";
            findings.push(Finding::warning(
                "hidden_softmax",
                at(&layer.entry.name),
                found,
                advice,
            ));
        }
    }
    findings.extend(linear_stacks(&graph));
    findings
}

/// Two dense layers without a nonlinearity between them, unless a narrow one between them is
/// intended as a bottleneck.
fn linear_stacks(graph: &Graph<'_>) -> Vec<Finding> {
    let linear = graph
        .dense
        .iter()
        .filter(|l| l.activation == "Linear" && !l.is_last);
    let stacked = linear.filter_map(|layer| {
        let next = graph.after(layer.node).into_iter();
        let next = next.filter_map(|node| graph.dense_at(node));
        let next = next.min_by_key(|next| next.node)?;
        if next.entry.weights.first()?.shape == [1, 1] {
            // One number that multiplies all, as in Fixup's branches, is no layer of its own.
            return None;
        }
        let inputs = layer.entry.weights.first()?.shape.first()?;
        let narrow = layer.dense.units < *inputs.min(&next.dense.units);
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
