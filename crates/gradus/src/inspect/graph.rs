//! Traversal of a model's layers.

use crate::data::checks::Where;
use crate::data::{Dataset, Tensor};
use crate::model::layers::{Effect, LayerTraits, Product};
use crate::model::{LayerEntry, Model, Node, Source};
use crate::predict::feeds;
use crate::rules::activations::{Activation, Nature};
use std::collections::{HashMap, HashSet};

/// A dense layer or a convolution in its context.
pub(super) struct InPlace<'a> {
    /// Index of its node.
    pub node: usize,
    pub entry: &'a LayerEntry,
    pub product: Product<'a>,
    /// Its activation, its own or that of a following layer; linear if there is none.
    pub activation: Activation,
    /// True if its outputs are the model's, in whatever shape and unit.
    pub is_last: bool,
}

impl InPlace<'_> {
    /// The kind of its activation.
    pub fn nature(&self) -> Nature {
        self.activation.nature()
    }

    /// The number of inputs of a unit, once it has weights: of a filter, those of its window.
    pub fn inputs(&self) -> Option<usize> {
        let (_, inputs) = self.entry.weights.first()?.shape.split_last()?;
        Some(inputs.iter().product())
    }
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

/// The steps of an epoch and of the whole training.
pub(super) fn steps(rows: usize, batch_size: usize, epochs: usize) -> (u64, u64) {
    let per_epoch = rows.div_ceil(batch_size.max(1)).max(1) as u64;
    (per_epoch, per_epoch.saturating_mul(epochs.max(1) as u64))
}

/// An activation as configurations name it.
pub(super) fn called(activation: &Activation) -> String {
    let class = activation.class();
    let member = Activation::MEMBERS.iter().find(|m| m.class == class);
    let alias = member.and_then(|m| m.aliases.first());
    alias.map_or_else(|| class.to_lowercase(), |alias| (*alias).to_owned())
}

/// The place of a finding about these layers, in their order.
pub(super) fn all_of(layers: &[&str]) -> Where {
    Where::of(match layers {
        [one] => format!("layer {one}"),
        [first, .., last] => format!("layers {first} to {last}"),
        [] => String::new(),
    })
}

/// The place of a finding about a layer.
pub(crate) fn at(layer: &str) -> Where {
    Where::of(format!("layer {layer}"))
}

/// The layers of a model, and what is behind each.
pub(super) struct Graph<'a> {
    model: &'a Model,
    /// The nodes that take each node's output.
    behind: Vec<Vec<usize>>,
    /// The dense layers and convolutions, in the order of the nodes.
    pub products: Vec<InPlace<'a>>,
    /// True for each node that has the model's output alone behind it: nothing else is learned
    /// there.
    last: Vec<bool>,
    /// The place of each node's layer among these.
    places: Vec<Option<usize>>,
}

impl<'a> Graph<'a> {
    pub fn of(model: &'a Model) -> Self {
        let mut graph = Graph {
            model,
            behind: model.takers(),
            products: Vec::new(),
            last: Vec::new(),
            places: vec![None; model.nodes.len()],
        };
        let activations = graph.activations();
        graph.last = graph.last();
        for (node, used) in model.nodes.iter().enumerate() {
            let entry = &model.layers[used.layer];
            let Some(product) = entry.rule.product() else {
                continue;
            };
            graph.places[node] = Some(graph.products.len());
            graph.products.push(InPlace {
                node,
                entry,
                product,
                activation: match product.activation {
                    own if own.nature() == Nature::Linear => activations[node].clone(),
                    own => own.clone(),
                },
                is_last: graph.last[node],
            });
        }
        graph
    }

    /// The dense layer or convolution of a node.
    pub fn product_at(&self, node: usize) -> Option<&InPlace<'a>> {
        self.places[node].map(|place| &self.products[place])
    }

    /// The next activation behind each node, through normalization and dropout.
    fn activations(&self) -> Vec<Activation> {
        let mut found = vec![Activation::Linear; self.behind.len()];
        for node in (0..found.len()).rev() {
            if let [one] = self.behind[node][..] {
                found[node] = match effect(self.model, one) {
                    Effect::Activates(function) | Effect::ActivatesLike(function) => function,
                    Effect::KeepsScale | Effect::Normalizes | Effect::Standardizes => {
                        found[one].clone()
                    }
                    Effect::Rescales | Effect::Product(_) | Effect::Other => Activation::Linear,
                };
            }
        }
        found
    }

    /// The values of `last`.
    fn last(&self) -> Vec<bool> {
        let mut last = vec![false; self.behind.len()];
        for output in &self.model.outputs {
            if let Source::Node(node) = *output {
                last[node] = true;
            }
        }
        for node in (0..last.len()).rev() {
            let plain = |&n: &usize| {
                let plain = matches!(
                    effect(self.model, n),
                    Effect::KeepsScale
                        | Effect::Activates(_)
                        | Effect::Standardizes
                        | Effect::Rescales
                );
                plain && last[n]
            };
            let behind = &self.behind[node];
            last[node] |= !behind.is_empty() && behind.iter().all(plain);
        }
        last
    }

    /// True if all that is behind a node is the model's output.
    pub fn is_last(&self, node: usize) -> bool {
        self.last[node]
    }

    /// The nodes right behind a node.
    pub fn takers(&self, node: usize) -> &[usize] {
        &self.behind[node]
    }

    /// The nodes that a node's output reaches in any way.
    pub fn reached(&self, node: usize) -> Vec<usize> {
        let (mut found, mut open) = (Vec::new(), vec![node]);
        let mut seen = HashSet::new();
        while let Some(next) = open.pop() {
            let new = self.behind[next].iter().filter(|n| seen.insert(**n));
            let new: Vec<usize> = new.copied().collect();
            found.extend(&new);
            open.extend(new);
        }
        found.sort_unstable();
        found
    }

    /// The activation that a node's input comes from, through layers that keep or normalize numbers;
    /// `None` if it comes from an input, or from something else.
    pub fn activation_before(&self, node: usize) -> Option<Activation> {
        let mut node = node;
        loop {
            node = match self.model.nodes[node].inputs[..] {
                [Source::Node(before)] => before,
                _ => return None,
            };
            match effect(self.model, node) {
                Effect::Activates(of) | Effect::ActivatesLike(of) | Effect::Product(of) => {
                    return Some(of);
                }
                Effect::KeepsScale | Effect::Normalizes => {}
                Effect::Standardizes | Effect::Rescales | Effect::Other => return None,
            }
        }
    }

    /// The nodes behind a node, through pass-through and normalizing layers, including these.
    pub fn after(&self, node: usize) -> Vec<usize> {
        let mut found = Vec::new();
        let mut open: Vec<usize> = self.behind[node].iter().rev().copied().collect();
        while let Some(next) = open.pop() {
            found.push(next);
            let alone = self.model.nodes[next].inputs.len() == 1;
            if passes(self.model, next) && alone || normalizes(self.model, next) {
                open.extend(self.behind[next].iter().rev());
            }
        }
        found
    }

    /// The first dense layer or convolution that inputs of the model reach unchanged, and these.
    pub fn first_on_inputs(&self) -> Option<(&InPlace<'a>, Vec<usize>)> {
        // Of each node, true if an input reaches what it is applied to.
        let mut reached: Vec<bool> = Vec::new();
        for node in &self.model.nodes {
            let unchanged = |source: &Source| match *source {
                Source::Input(_) => true,
                Source::Node(n) => passes(self.model, n) && reached[n],
            };
            let any = node.inputs.iter().any(unchanged);
            reached.push(any);
        }
        let first = self.products.iter().find(|layer| reached[layer.node])?;
        Some((first, self.raw_inputs(first.node)))
    }

    /// The model's inputs that reach a node unchanged, each once.
    fn raw_inputs(&self, node: usize) -> Vec<usize> {
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        let sources = |node: usize| self.model.nodes[node].inputs.iter().rev().copied();
        let mut open: Vec<Source> = sources(node).collect();
        while let Some(source) = open.pop() {
            if !seen.insert(source) {
                continue;
            }
            match source {
                Source::Input(n) => found.push(n),
                Source::Node(n) if passes(self.model, n) => open.extend(sources(n)),
                Source::Node(_) => {}
            }
        }
        found
    }
}

/// The target of each trained output, with the output's index; none that do not fit.
pub(super) fn targets<'a>(model: &Model, data: &'a Dataset) -> HashMap<usize, &'a Tensor> {
    let targets = feeds::targets(model, data).unwrap_or_default();
    targets.into_iter().collect()
}
