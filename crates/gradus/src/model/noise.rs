//! Split of a model where its noise begins: the part before is the same in every sample.

use super::dtype::Dtype;
use super::graph::{Input, Model, Node, Source};
use super::layers::Randomness;
use crate::base::shape::Shape;
use crate::error::Result;
use std::collections::HashMap;

impl Model {
    /// True if a layer draws random numbers that Monte Carlo predictions leave on: dropout
    /// and its like, noise.
    pub fn is_noisy(&self) -> bool {
        self.nodes.iter().any(|node| draws(self, node))
    }

    /// True if a layer draws random numbers in every prediction.
    pub(crate) fn is_noisy_in_predictions(&self) -> bool {
        let layers = self.nodes.iter().map(|node| &self.layers[node.layer]);
        let mut drawing = layers.map(|layer| layer.rule.traits().randomness);
        drawing.any(|randomness| randomness == Randomness::Always)
    }
}

/// True if a layer draws random numbers there; not where it computes as in inference,
/// unless it does so even then.
fn draws(model: &Model, node: &Node) -> bool {
    match model.layers[node.layer].rule.traits().randomness {
        Randomness::Always => true,
        Randomness::Training => !node.inference,
        Randomness::Never | Randomness::TrainingOnly => false,
    }
}

/// Splits the model before its first noise. The outputs of the first part are the inputs of the
/// second, whose noise is the whole model's. No first part if the noise begins at the inputs,
/// if there is none, or if an input is text.
pub(crate) fn split(model: &Model) -> Result<(Option<Model>, Model)> {
    let mut noisy: Vec<bool> = Vec::new();
    for node in &model.nodes {
        let of = |source: &Source| matches!(*source, Source::Node(n) if noisy[n]);
        let after = node.inputs.iter().any(of);
        noisy.push(after || draws(model, node));
    }
    let after = |source: &Source| matches!(*source, Source::Node(n) if noisy[n]);
    // The values passed from the first to the second part.
    let mut cuts: Vec<Source> = Vec::new();
    let mut places: HashMap<Source, usize> = HashMap::new();
    let used = model.nodes.iter().zip(&noisy);
    let used = used.filter(|(_, noisy)| **noisy);
    let used = used
        .flat_map(|(node, _)| &node.inputs)
        .chain(&model.outputs);
    for source in used.filter(|source| !after(source)) {
        places.entry(*source).or_insert_with(|| {
            cuts.push(*source);
            cuts.len() - 1
        });
    }
    let nothing_before = cuts.iter().all(|cut| matches!(cut, Source::Input(_)));
    let texts = model.inputs.iter().any(|i| i.dtype == Dtype::String);
    if nothing_before || texts || !noisy.contains(&true) {
        return Ok((None, model.clone()));
    }
    // Maps the whole's nodes to those of the second part.
    let mut numbers = vec![0; model.nodes.len()];
    let mut count = 0;
    for (number, noisy) in numbers.iter_mut().zip(&noisy) {
        *number = count;
        count += usize::from(*noisy);
    }
    let moved = |source: &Source| match *source {
        Source::Node(n) if noisy[n] => Source::Node(numbers[n]),
        source => Source::Input(places.get(&source).copied().unwrap_or_default()),
    };
    let nodes = model.nodes.iter().zip(&noisy).filter(|(_, noisy)| **noisy);
    let nodes = nodes.map(|(node, _)| Node {
        layer: node.layer,
        inputs: node.inputs.iter().map(moved).collect(),
        inference: node.inference,
    });
    let shapes = model.shapes()?;
    let shape = |cut: &Source| -> Option<Shape> {
        match *cut {
            Source::Input(n) => model.inputs[n].shape.clone(),
            Source::Node(n) => Some(shapes[n].1.clone()),
        }
    };
    let inputs = cuts.iter().enumerate().map(|(n, cut)| Input {
        name: format!("cut_{n}"),
        shape: shape(cut),
        dtype: Dtype::Float32,
    });
    // Nodes of the first part keep their indices, so noisy ones between them stay: none of
    // those leads to a cut.
    let last = cuts.iter().filter_map(|cut| match *cut {
        Source::Node(n) => Some(n + 1),
        Source::Input(_) => None,
    });
    let until = last.max().unwrap_or(0);
    let before = model.nodes[..until].to_vec();
    let second = part(
        model,
        inputs.collect(),
        nodes.collect(),
        model.outputs.iter().map(moved).collect(),
    );
    Ok((
        Some(part(model, model.inputs.clone(), before, cuts)),
        second,
    ))
}

/// Another graph of the same layers; unused ones lose their weights.
pub(super) fn part(
    model: &Model,
    inputs: Vec<Input>,
    nodes: Vec<Node>,
    outputs: Vec<Source>,
) -> Model {
    let mut part = model.outline();
    for node in &nodes {
        let weights = &model.layers[node.layer].weights;
        part.layers[node.layer].weights.clone_from(weights);
    }
    (part.chain, part.compiled) = (false, None);
    part.parts.clear();
    (part.inputs, part.nodes, part.outputs) = (inputs, nodes, outputs);
    part
}
