//! Feeds: the roles of the numbers that a plan is given with each batch.

use super::dtype::Dtype;
use super::graph::{Input, Model, Node, Source};
use super::mixup::MixRole;
use crate::error::{Error, Result};
use std::collections::{HashMap, HashSet};

/// Role of a feed of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum FeedRole {
    /// The numbers of this input.
    Input(usize),
    /// The numbers that a layer finds for the texts of an input.
    LookedUp { input: usize, layer: usize },
    /// The target of this output.
    Target(usize),
    /// A weight for each row.
    SampleWeight,
    /// The output of the frozen beginning with this number, computed once.
    Features(usize),
    /// A part of a mixture of two rows.
    Mix(MixRole),
}

/// Source of a feed's numbers in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FeedSource {
    /// The rows of the batch, of the tensor of that number.
    Rows(usize),
    /// The rows that these are mixed with.
    Partners(usize),
    /// The share of the batch's rows in the mixtures.
    Share,
    /// The share of their partners.
    Rest,
}

impl FeedRole {
    /// Its name in a plan.
    pub fn name(self) -> &'static str {
        match self {
            FeedRole::Input(_) | FeedRole::LookedUp { .. } => "input",
            FeedRole::Mix(MixRole::Partner(_)) => "input",
            FeedRole::Target(_) | FeedRole::Mix(MixRole::PartnerTarget(_)) => "target",
            FeedRole::SampleWeight => "sample weight",
            FeedRole::Features(_) => "features",
            FeedRole::Mix(MixRole::Share) => "share",
            FeedRole::Mix(MixRole::Rest) => "rest",
        }
    }

    /// Source of its numbers, if the tensors of the data have these places.
    pub fn source(self, order: &HashMap<FeedRole, usize>) -> Option<FeedSource> {
        let place = |role| order.get(&role).copied();
        match self {
            FeedRole::Mix(MixRole::Partner(input)) => {
                place(FeedRole::Input(input)).map(FeedSource::Partners)
            }
            FeedRole::Mix(MixRole::PartnerTarget(output)) => {
                place(FeedRole::Target(output)).map(FeedSource::Partners)
            }
            FeedRole::Mix(MixRole::Share) => Some(FeedSource::Share),
            FeedRole::Mix(MixRole::Rest) => Some(FeedSource::Rest),
            role => place(role).map(FeedSource::Rows),
        }
    }
}

/// The feeds of a model's inputs. An input of text has one for each layer that is applied
/// to it.
pub(crate) fn of_inputs(model: &Model) -> Vec<FeedRole> {
    let layers = layers_on(model);
    let mut feeds = Vec::new();
    for (input, Input { dtype, .. }) in model.inputs.iter().enumerate() {
        if *dtype != Dtype::String {
            feeds.push(FeedRole::Input(input));
            continue;
        }
        let mut seen = HashSet::new();
        let layers = layers[input].iter().filter(|&&layer| seen.insert(layer));
        feeds.extend(layers.map(|&layer| FeedRole::LookedUp { input, layer }));
    }
    feeds
}

/// The layers that are applied to each input, in the order of their nodes.
fn layers_on(model: &Model) -> Vec<Vec<usize>> {
    let mut layers: Vec<Vec<usize>> = vec![Vec::new(); model.inputs.len()];
    for node in &model.nodes {
        for source in &node.inputs {
            if let Source::Input(input) = *source {
                layers[input].push(node.layer);
            }
        }
    }
    layers
}

/// The order of the tensors that a model's batches are taken from: inputs, then, to
/// measure or train on, the targets of the trained outputs and the rows' weights.
pub(crate) fn order(model: &Model, labelled: bool, weighted: bool) -> Result<Vec<FeedRole>> {
    let mut order = of_inputs(model);
    if labelled {
        let trained = model.compiled()?.trained();
        order.extend(trained.map(|(output, _)| FeedRole::Target(output)));
        order.extend(weighted.then_some(FeedRole::SampleWeight));
    }
    Ok(order)
}

/// True if a node looks texts up.
pub(crate) fn is_lookup(model: &Model, node: &Node) -> bool {
    let is_text = |source: &Source| match *source {
        Source::Input(n) => {
            let input = model.inputs.get(n);
            input.is_some_and(|input| input.dtype == Dtype::String)
        }
        Source::Node(_) => false,
    };
    node.inputs.iter().any(is_text)
}

/// Makes an input of which nothing is known one of text if the node's layer takes only
/// such.
pub(super) fn open_to_text(model: &mut Model, node: &Node) {
    if let [Source::Input(n)] = node.inputs[..]
        && let Some(input) = model.inputs.get_mut(n)
        && input.shape.is_none()
        && model.layers[node.layer].rule.traits().takes_only_text()
    {
        input.dtype = Dtype::String;
    }
}

/// Refuses text inputs to layers that take numbers, and vice versa.
pub(super) fn check_dtypes(model: &Model, node: &Node) -> Result<()> {
    let traits = model.layers[node.layer].rule.traits();
    let (found, expected) = match is_lookup(model, node) {
        true if !traits.takes_text => (
            "text",
            "numbers: a StringLookup or Hashing layer in front makes such of text",
        ),
        false if !traits.takes_numbers => (
            "numbers",
            "an input of text, to which alone the layer can be applied",
        ),
        _ => return Ok(()),
    };
    Err(Error::invalid("", found, expected).under(&model.place(node)))
}

/// The dictionary of each input, if all layers on it have one.
pub(super) fn known_texts(model: &Model) -> Vec<Option<Vec<&String>>> {
    let texts = |layers: Vec<usize>| {
        let known = layers.iter();
        let known = known.map(|&layer| model.layers[layer].rule.known_texts());
        let known = known.collect::<Option<Vec<_>>>()?;
        (!known.is_empty()).then(|| known.into_iter().flatten().collect())
    };
    layers_on(model).into_iter().map(texts).collect()
}

/// The types that Keras gives the outputs of nodes, in a graph of the model's layers with
/// inputs of these types.
pub(crate) fn dtypes_of(model: &Model, nodes: &[Node], inputs: &[Dtype]) -> Vec<Dtype> {
    let mut dtypes: Vec<Dtype> = Vec::new();
    for node in nodes {
        let of = |source: &Source| match *source {
            Source::Input(n) => inputs.get(n).copied().unwrap_or_default(),
            Source::Node(n) => dtypes[n],
        };
        let from: Vec<Dtype> = node.inputs.iter().map(of).collect();
        dtypes.push(model.layers[node.layer].rule.dtype(&from));
    }
    dtypes
}

/// Of each input, true if a NaN in it comes neither out of the model nor to a layer with
/// weights that are trained.
pub(crate) fn takes_nan(model: &Model) -> Vec<bool> {
    // From the outputs back: the sources that may have none.
    let mut inputs = vec![true; model.inputs.len()];
    let mut nodes = vec![true; model.nodes.len()];
    let mut refuse = |source: &Source, nodes: &mut [bool]| match *source {
        Source::Input(n) => inputs[n] = false,
        Source::Node(n) => nodes[n] = false,
    };
    for output in &model.outputs {
        refuse(output, &mut nodes);
    }
    for (n, node) in model.nodes.iter().enumerate().rev() {
        let layer = &model.layers[node.layer];
        let traits = layer.rule.traits();
        let learns = traits.moves_statistics || layer.weights.iter().any(|weight| weight.trainable);
        if learns || !(nodes[n] || traits.stops_nan) {
            for source in &node.inputs {
                refuse(source, &mut nodes);
            }
        }
    }
    inputs
}
