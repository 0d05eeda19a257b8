//! Models inside a model: its nodes and layers hold everything that they hold,
//! and here is noted what was put together where, for names and files.

use super::graph::{Input, Model, Node, Source};
use std::ops::Range;

/// A model that was put into another as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// What its layers' names begin with: `encoder`, or `base/encoder` for a part
    /// of the part `base`.
    pub name: String,
    /// Whether it is Keras' `Sequential`.
    pub chain: bool,
    /// The part that it is in, if not in the model itself.
    pub parent: Option<usize>,
    /// Its inputs.
    pub inputs: Vec<Input>,
    /// Its layers, by their numbers in the model.
    pub layers: Range<usize>,
    /// Its graph, as the model's: sources count in it, layers in the model.
    pub nodes: Vec<Node>,
    /// What comes out of it.
    pub outputs: Vec<Source>,
    /// Where it is used in the graph that it is in.
    pub uses: Vec<Use>,
}

/// One use of a part: a copy of its nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// What it is applied to.
    pub inputs: Vec<Source>,
    /// The number of the first of its nodes; the others follow.
    pub first: usize,
    /// True if all of it computes as in inference even in training.
    pub inference: bool,
}

impl Part {
    /// Its last name: `encoder` of `base/encoder`.
    pub fn own_name(&self) -> &str {
        own_name(&self.name)
    }
}

/// The last name of a path.
pub(crate) fn own_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A layer of a graph, or a part in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Unit {
    /// The layer of that number.
    Layer(usize),
    /// The part of that number.
    Part(usize),
}

/// One use of a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub unit: Unit,
    pub inputs: Vec<Source>,
    /// Its nodes.
    pub nodes: Range<usize>,
    /// True if it computes as in inference even in training.
    pub inference: bool,
}

/// A model's graph, or a part's, as the units that it was made of.
pub(crate) struct Units<'a> {
    model: &'a Model,
    /// Which part's graph it is, if not the model's.
    part: Option<usize>,
}

impl Model {
    /// The units of the model's graph, or of a part's.
    pub(crate) fn units(&self, part: Option<usize>) -> Units<'_> {
        Units { model: self, part }
    }
}

impl<'a> Units<'a> {
    pub fn inputs(&self) -> &'a [Input] {
        self.part
            .map_or(&self.model.inputs, |p| &self.model.parts[p].inputs)
    }

    pub fn outputs(&self) -> &'a [Source] {
        self.part
            .map_or(&self.model.outputs, |p| &self.model.parts[p].outputs)
    }

    pub fn nodes(&self) -> &'a [Node] {
        self.part
            .map_or(&self.model.nodes, |p| &self.model.parts[p].nodes)
    }

    fn layers(&self) -> Range<usize> {
        let all = 0..self.model.layers.len();
        self.part
            .map_or(all, |p| self.model.parts[p].layers.clone())
    }

    /// The units, in the order of their layers.
    pub fn all(&self) -> Vec<Unit> {
        let parts = self.model.parts.iter().enumerate();
        let inside: Vec<(usize, &Part)> = parts.filter(|(_, p)| p.parent == self.part).collect();
        let mut units = Vec::new();
        let mut next = self.layers().start;
        while next < self.layers().end {
            // A part without layers is no unit: it passes its input on.
            let part = inside
                .iter()
                .find(|(_, p)| p.layers.start == next && !p.layers.is_empty());
            match part {
                Some(&(number, part)) => {
                    units.push(Unit::Part(number));
                    next = part.layers.end;
                }
                None => {
                    units.push(Unit::Layer(next));
                    next += 1;
                }
            }
        }
        units
    }

    /// Every use of a unit, in the order of their nodes.
    pub fn calls(&self) -> Vec<Call> {
        let parts = self.model.parts.iter().enumerate();
        let inside = parts.filter(|(_, p)| p.parent == self.part);
        let uses = inside.flat_map(|(number, p)| p.uses.iter().map(move |u| (number, p, u)));
        let mut calls: Vec<Call> = uses
            .map(|(number, part, used)| Call {
                unit: Unit::Part(number),
                inputs: used.inputs.clone(),
                nodes: used.first..used.first + part.nodes.len(),
                inference: used.inference,
            })
            .collect();
        let covered = calls.iter().flat_map(|c| c.nodes.clone());
        let covered: std::collections::HashSet<usize> = covered.collect();
        for (n, node) in self.nodes().iter().enumerate() {
            if !covered.contains(&n) {
                calls.push(Call {
                    unit: Unit::Layer(node.layer),
                    inputs: node.inputs.clone(),
                    nodes: n..n + 1,
                    inference: node.inference,
                });
            }
        }
        calls.sort_by_key(|call| (call.nodes.start, call.nodes.end));
        calls
    }

    /// The name of a unit in its graph.
    pub fn name(&self, unit: Unit) -> &'a str {
        match unit {
            Unit::Layer(l) => own_name(&self.model.layers[l].name),
            Unit::Part(p) => self.model.parts[p].own_name(),
        }
    }

    /// Where a node's output comes from: the call's number, and which of its
    /// outputs it is.
    pub fn maker(&self, calls: &[Call], node: usize) -> Option<(usize, usize)> {
        let call = calls.iter().position(|c| c.nodes.contains(&node))?;
        let output = match calls[call].unit {
            Unit::Layer(_) => 0,
            Unit::Part(p) => {
                let inner = Source::Node(node - calls[call].nodes.start);
                let outputs = &self.model.parts[p].outputs;
                outputs.iter().position(|&o| o == inner)?
            }
        };
        Some((call, output))
    }
}
