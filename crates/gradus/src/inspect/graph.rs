//! From layer to layer of a model.

use crate::data::checks::Where;
use crate::data::{Dataset, Tensor};
use crate::model::layers::{AUGMENTATIONS, Dense, Kind, NOISY};
use crate::model::{LayerEntry, Model, Node, Source};
use crate::train::feeds;

/// A dense layer in its place.
pub(super) struct InPlace<'a> {
    /// Its node's number.
    pub node: usize,
    pub entry: &'a LayerEntry,
    pub dense: &'a Dense,
    /// The class of its activation, its own or that of a layer behind it: `Linear`
    /// where there is none.
    pub activation: &'static str,
    /// Whether its outputs are the model's, in whatever shape and unit.
    pub is_last: bool,
}

/// Layers that change neither the order of magnitude nor the sign of numbers.
const PASSES: [&str; 8] = [
    "Cast",
    "CenterCrop",
    "Concatenate",
    "Flatten",
    "NanToNum",
    "RandomCrop",
    "Reshape",
    "Resizing",
];
const NORMALIZES: [&str; 3] = ["BatchNormalization", "LayerNormalization", "Normalization"];

pub(super) fn class(model: &Model, node: &Node) -> &'static str {
    model.layers[node.layer].rule.class()
}

pub(super) fn passes(class: &str) -> bool {
    PASSES.contains(&class) || is_noise(class)
}

/// Whether the layer is there in training alone, or keeps what passes in its range.
pub(super) fn is_noise(class: &str) -> bool {
    match class {
        // An activation too.
        "RReLU" => false,
        "ActivityRegularization" => true,
        _ => NOISY.contains(&class) || AUGMENTATIONS.contains(&class),
    }
}

pub(super) fn normalizes(class: &str) -> bool {
    NORMALIZES.contains(&class)
}

/// Where a finding about a layer is.
pub(super) fn at(layer: &str) -> Where {
    Where::of(format!("layer {layer}"))
}

/// The nodes that take this node's output.
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
        let Kind::Dense(dense) = &entry.rule.0 else {
            return None;
        };
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

/// The activation that comes next, through normalization and dropout.
fn activation_behind(model: &Model, node: usize) -> &'static str {
    let mut at = node;
    loop {
        let mut next = behind(model, at);
        let (Some(one), None) = (next.next(), next.next()) else {
            return "Linear";
        };
        let entry = &model.layers[model.nodes[one].layer];
        match &entry.rule.0 {
            Kind::Activation(layer) => return layer.activation.class(),
            Kind::ReLU(_) => return "Relu",
            Kind::ELU(_) => return "Elu",
            Kind::LeakyReLU(_) | Kind::PReLU(_) | Kind::RReLU(_) => return "LeakyRelu",
            Kind::Softmax(_) => return "Softmax",
            _ if passes(entry.rule.class()) || normalizes(entry.rule.class()) => at = one,
            _ => return "Linear",
        }
    }
}

/// Whether all that is behind it is the model's output: nothing else is learned there.
fn is_last(model: &Model, node: usize) -> bool {
    let next: Vec<usize> = behind(model, node).collect();
    if model.outputs.contains(&Source::Node(node)) {
        return true;
    }
    let plain = |n: &usize| {
        let class = class(model, &model.nodes[*n]);
        let changes = ["Activation", "Softmax", "Normalization", "Rescaling"].contains(&class);
        (passes(class) || changes) && is_last(model, *n)
    };
    !next.is_empty() && next.iter().all(plain)
}

/// The model's inputs that reach a node as they are.
pub(super) fn raw_inputs(model: &Model, node: usize) -> Vec<usize> {
    let mut found = Vec::new();
    for source in &model.nodes[node].inputs {
        match *source {
            Source::Input(n) => found.push(n),
            Source::Node(n) if passes(class(model, &model.nodes[n])) => {
                found.extend(raw_inputs(model, n));
            }
            Source::Node(_) => {}
        }
    }
    found
}

/// What an output is compared with.
pub(super) fn target_of<'a>(model: &Model, data: &'a Dataset, output: usize) -> Option<&'a Tensor> {
    let mut targets = feeds::targets(model, data).ok()?.into_iter();
    targets
        .find(|(of, _)| *of == output)
        .map(|(_, target)| target)
}
