//! Traversal of a model's layers.

use crate::data::checks::Where;
use crate::data::{Dataset, Tensor};
use crate::model::layers::{Dense, Effect, LayerTraits};
use crate::model::{LayerEntry, Model, Node, Source};
use crate::train::feeds;

/// A dense layer in its context.
pub(super) struct InPlace<'a> {
    /// Index of its node.
    pub node: usize,
    pub entry: &'a LayerEntry,
    pub dense: &'a Dense,
    /// Class of its activation, its own or that of a following layer; `Linear` if there is none.
    pub activation: &'static str,
    /// True if its outputs are the model's, in whatever shape and unit.
    pub is_last: bool,
}

/// The traits of a node's layer.
pub(super) fn traits(model: &Model, node: &Node) -> LayerTraits {
    model.layers[node.layer].rule.traits()
}

/// The effect of a node's layer on the size of numbers.
pub(super) fn effect(model: &Model, node: usize) -> Effect {
    traits(model, &model.nodes[node]).effect
}

/// True if it keeps the size of numbers.
pub(super) fn passes(model: &Model, node: usize) -> bool {
    effect(model, node) == Effect::KeepsScale
}

/// True if it gives numbers mean 0 and deviation 1.
pub(super) fn normalizes(model: &Model, node: usize) -> bool {
    matches!(
        effect(model, node),
        Effect::Normalizes | Effect::Standardizes
    )
}

/// The place of a finding about a layer.
pub(super) fn at(layer: &str) -> Where {
    Where::of(format!("layer {layer}"))
}

/// The nodes that consume this node's output.
pub(super) fn behind(model: &Model, node: usize) -> impl Iterator<Item = usize> {
    let nodes = model.nodes.iter().enumerate();
    let takes = nodes.filter(move |(_, n)| n.inputs.contains(&Source::Node(node)));
    takes.map(|(number, _)| number)
}

/// The dense layers, in the order of the nodes.
pub(super) fn dense_layers(model: &Model) -> Vec<InPlace<'_>> {
    let nodes = model.nodes.iter().enumerate();
    let dense = nodes.filter_map(|(number, node)| {
        let entry = &model.layers[node.layer];
        let dense = entry.rule.as_dense()?;
        let own = dense.activation.class();
        Some(InPlace {
            node: number,
            entry,
            dense,
            activation: match own {
                "Linear" => activation_behind(model, number),
                own => own,
            },
            is_last: is_last(model, number),
        })
    });
    dense.collect()
}

/// The next activation, through normalization and dropout.
fn activation_behind(model: &Model, node: usize) -> &'static str {
    let mut at = node;
    loop {
        let mut next = behind(model, at);
        let (Some(one), None) = (next.next(), next.next()) else {
            return "Linear";
        };
        match effect(model, one) {
            Effect::Activates(function) | Effect::ActivatesLike(function) => {
                return function.class();
            }
            Effect::KeepsScale | Effect::Normalizes | Effect::Standardizes => at = one,
            Effect::Rescales | Effect::Product(_) | Effect::Other => return "Linear",
        }
    }
}

/// True if all that is behind it is the model's output: nothing else is learned there.
fn is_last(model: &Model, node: usize) -> bool {
    let next: Vec<usize> = behind(model, node).collect();
    if model.outputs.contains(&Source::Node(node)) {
        return true;
    }
    let plain = |n: &usize| {
        let plain = matches!(
            effect(model, *n),
            Effect::KeepsScale | Effect::Activates(_) | Effect::Standardizes | Effect::Rescales
        );
        plain && is_last(model, *n)
    };
    !next.is_empty() && next.iter().all(plain)
}

/// The model's inputs that reach a node unchanged.
pub(super) fn raw_inputs(model: &Model, node: usize) -> Vec<usize> {
    let mut found = Vec::new();
    for source in &model.nodes[node].inputs {
        match *source {
            Source::Input(n) => found.push(n),
            Source::Node(n) if passes(model, n) => {
                found.extend(raw_inputs(model, n));
            }
            Source::Node(_) => {}
        }
    }
    found
}

/// The target of an output.
pub(super) fn target_of<'a>(model: &Model, data: &'a Dataset, output: usize) -> Option<&'a Tensor> {
    let mut targets = feeds::targets(model, data).ok()?.into_iter();
    targets
        .find(|(of, _)| *of == output)
        .map(|(_, target)| target)
}
