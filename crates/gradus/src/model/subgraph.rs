//! Subgraphs: the part of a graph that leads to some outputs, its layers in Keras' order.

use super::facts::InputFacts;
use super::graph::{LayerEntry, Model, Node, Source, State};
use super::order::{Element, keras_order};
use super::parts::{Calls, Submodel, Unit, Use};
use crate::error::Result;
use std::collections::HashSet;

/// Maps old indices to new; `None` if removed.
type IndexMap = Vec<Option<usize>>;

/// The part of the graph that leads to these outputs, with its weights, in Keras' order;
/// not compiled.
pub(super) fn leading_to(model: &Model, outputs: Vec<Source>) -> Result<Model> {
    let mut whole = model.clone();
    whole.outputs = outputs;
    whole.compiled = None;
    whole.facts = InputFacts::default();
    whole.state = State::default();
    let calls = whole.units(None).calls();
    let order = keras_order(&calls, &whole.outputs);
    let mut model = subgraph(whole, &order, &calls);
    model.finish()?;
    Ok(model)
}

/// The layers and inputs of the order, and the nodes that lead to the outputs.
fn subgraph(model: Model, order: &[Element], calls: &Calls) -> Model {
    let mut layers: IndexMap = vec![None; model.layers.len()];
    let mut placed = 0;
    for place in order {
        let range = match *place {
            Element::Input(_) => continue,
            Element::Unit(Unit::Layer(l)) => l..l + 1,
            Element::Unit(Unit::Part(p)) => model.parts[p].layers.clone(),
        };
        for layer in &mut layers[range] {
            *layer = Some(placed);
            placed += 1;
        }
    }
    // Inputs stay in their own order; parts of kept parts are kept.
    let order: HashSet<Element> = order.iter().copied().collect();
    let inputs = numbered((0..model.inputs.len()).map(|i| order.contains(&Element::Input(i))));
    let root = |mut p: usize| {
        while let Some(parent) = model.parts[p].parent {
            p = parent;
        }
        Element::Unit(Unit::Part(p))
    };
    let parts = numbered((0..model.parts.len()).map(|p| order.contains(&root(p))));
    let kept = leading(&model.outputs, calls);
    let nodes = numbered((0..model.nodes.len()).map(|n| kept[calls.maker(n)]));

    let source = |source: &Source| match *source {
        Source::Input(i) => inputs[i].map(Source::Input),
        Source::Node(n) => nodes[n].map(Source::Node),
    };
    let sources = |all: &[Source]| -> Option<Vec<Source>> { all.iter().map(source).collect() };
    let node = |node: &Node, inputs: Option<Vec<Source>>| {
        Some(Node {
            layer: layers[node.layer]?,
            inputs: inputs?,
            inference: node.inference,
        })
    };
    let part = |part: Submodel, parent: Option<usize>| {
        let start = layers[part.layers.start].unwrap_or_default();
        let own = part.nodes.iter();
        let uses = part.uses.iter().filter_map(|used| match parent {
            None => Some(Use {
                first: nodes[used.first]?,
                inputs: sources(&used.inputs)?,
                inference: used.inference,
            }),
            // Their sources count within the part.
            Some(_) => Some(used.clone()),
        });
        Submodel {
            parent,
            layers: start..start + part.layers.len(),
            uses: uses.collect(),
            nodes: own
                .filter_map(|n| node(n, Some(n.inputs.clone())))
                .collect(),
            ..part
        }
    };

    let new_nodes = model.nodes.iter().zip(&nodes).filter(|(_, n)| n.is_some());
    let new_nodes = new_nodes.filter_map(|(n, _)| node(n, sources(&n.inputs)));
    let new_nodes = new_nodes.collect();
    let outputs = sources(&model.outputs).unwrap_or_default();
    let new_parts = model
        .parts
        .into_iter()
        .zip(&parts)
        .filter(|(_, n)| n.is_some());
    let new_parts = new_parts.map(|(old, _)| {
        let parent = old.parent.and_then(|p| parts[p]);
        part(old, parent)
    });
    let new_inputs = model.inputs.into_iter().zip(&inputs);
    let mut new_layers: Vec<(usize, LayerEntry)> = model
        .layers
        .into_iter()
        .zip(&layers)
        .filter_map(|(layer, place)| Some(((*place)?, layer)))
        .collect();
    new_layers.sort_by_key(|(place, _)| *place);
    Model {
        outputs,
        nodes: new_nodes,
        parts: new_parts.collect(),
        inputs: new_inputs
            .filter(|(_, n)| n.is_some())
            .map(|(i, _)| i)
            .collect(),
        layers: new_layers.into_iter().map(|(_, layer)| layer).collect(),
        name: model.name,
        chain: model.chain,
        seed: model.seed,
        compiled: model.compiled,
        state: model.state,
        facts: model.facts,
        asked: model.asked,
    }
}

/// Of each call, true if it leads to one of the outputs.
fn leading(outputs: &[Source], calls: &Calls) -> Vec<bool> {
    let mut wanted = vec![false; calls.all.len()];
    let mut open = outputs.to_vec();
    while let Some(source) = open.pop() {
        if let Source::Node(n) = source
            && !std::mem::replace(&mut wanted[calls.maker(n)], true)
        {
            open.extend(&calls.all[calls.maker(n)].inputs);
        }
    }
    wanted
}

/// New indices for those that are kept.
fn numbered(kept: impl Iterator<Item = bool>) -> IndexMap {
    let mut next = 0..;
    kept.map(|kept| if kept { next.next() } else { None })
        .collect()
}
