//! Nested models: their nodes and layers are flattened into the model; the nesting is recorded
//! here, for names and files.

use super::graph::{Input, Model, Node, Source};
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// A model nested in another.
#[derive(Clone, Debug, PartialEq)]
pub struct Submodel {
    /// Prefix of its layers' names: `encoder`, or `base/encoder` for a part of the part `base`.
    pub name: String,
    /// True for Keras' `Sequential`.
    pub chain: bool,
    /// Enclosing part; `None` if it is in the model itself.
    pub parent: Option<usize>,
    /// Its inputs.
    pub inputs: Vec<Input>,
    /// Its layers' range in the model.
    pub layers: Range<usize>,
    /// Its graph: sources count within it, layers in the model.
    pub nodes: Vec<Node>,
    /// Its outputs.
    pub outputs: Vec<Source>,
    /// Its uses in the enclosing graph.
    pub uses: Vec<Use>,
}

/// One use of a part: a copy of its nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The inputs.
    pub inputs: Vec<Source>,
    /// Index of its first node; the others follow.
    pub first: usize,
    /// True if all its layers compute as in inference even in training.
    pub inference: bool,
}

impl Submodel {
    /// Last component of its name: `encoder` of `base/encoder`.
    pub fn own_name(&self) -> &str {
        own_name(&self.name)
    }
}

/// The last component of a name.
pub(crate) fn own_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A unit of a graph: a layer or a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Unit {
    /// The layer with this index.
    Layer(usize),
    /// The part with this index.
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

/// The graph of a model, or of a part, in units.
pub(crate) struct Units<'a> {
    model: &'a Model,
    /// The part; `None` for the model.
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

    /// The parts of this graph itself, not those inside of them.
    fn inside(&self) -> impl Iterator<Item = (usize, &'a Submodel)> {
        let parts = self.model.parts.iter().enumerate();
        let own = self.part;
        parts.filter(move |(_, part)| part.parent == own)
    }

    /// The units, in the order of their layers.
    pub fn all(&self) -> Vec<Unit> {
        // An empty part is no unit: it passes its input on.
        let parts = self.inside().filter(|(_, part)| !part.layers.is_empty());
        let parts: HashMap<usize, usize> = parts
            .map(|(number, part)| (part.layers.start, number))
            .collect();
        let mut units = Vec::new();
        let mut next = self.layers().start;
        while next < self.layers().end {
            match parts.get(&next) {
                Some(&number) => {
                    units.push(Unit::Part(number));
                    next = self.model.parts[number].layers.end;
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
    pub fn calls(&self) -> Calls {
        let parts = self.inside();
        let uses = parts.flat_map(|(number, p)| p.uses.iter().map(move |u| (number, p, u)));
        let mut calls: Vec<Call> = uses
            .map(|(number, part, used)| Call {
                unit: Unit::Part(number),
                inputs: used.inputs.clone(),
                nodes: used.first..used.first + part.nodes.len(),
                inference: used.inference,
            })
            .collect();
        let covered = calls.iter().flat_map(|c| c.nodes.clone());
        let covered: HashSet<usize> = covered.collect();
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
        Calls::new(calls, self.nodes().len())
    }

    /// The name of a unit in its graph.
    pub fn name(&self, unit: Unit) -> &'a str {
        match unit {
            Unit::Layer(l) => own_name(&self.model.layers[l].name),
            Unit::Part(p) => self.model.parts[p].own_name(),
        }
    }

    /// The origin of a node's output: the call's index, and the index among its outputs.
    pub fn maker(&self, calls: &Calls, node: usize) -> Option<(usize, usize)> {
        let call = calls.maker(node);
        let Call { unit, nodes, .. } = calls.all.get(call)?;
        let output = match *unit {
            Unit::Layer(_) => 0,
            Unit::Part(p) => {
                let inner = Source::Node(node - nodes.start);
                let outputs = &self.model.parts[p].outputs;
                outputs.iter().position(|&o| o == inner)?
            }
        };
        Some((call, output))
    }
}

/// The uses of a graph's units.
pub(crate) struct Calls {
    /// In the order of their nodes.
    pub all: Vec<Call>,
    /// The call that each node belongs to.
    makers: Vec<usize>,
    /// The calls of each unit.
    of_units: HashMap<Unit, Vec<usize>>,
}

impl Calls {
    fn new(all: Vec<Call>, nodes: usize) -> Self {
        let mut makers = vec![0; nodes];
        let mut of_units: HashMap<Unit, Vec<usize>> = HashMap::new();
        for (number, call) in all.iter().enumerate() {
            makers[call.nodes.clone()].fill(number);
            of_units.entry(call.unit).or_default().push(number);
        }
        Calls {
            all,
            makers,
            of_units,
        }
    }

    /// The index of the call that a node belongs to.
    pub fn maker(&self, node: usize) -> usize {
        self.makers[node]
    }

    /// The calls of a unit.
    pub fn of(&self, unit: Unit) -> impl Iterator<Item = &Call> {
        let numbers = self.of_units.get(&unit).map_or(&[][..], Vec::as_slice);
        numbers.iter().map(|&number| &self.all[number])
    }

    /// The number of calls of the same unit before this one.
    pub fn number(&self, call: usize) -> usize {
        let of_unit = self.of_units.get(&self.all[call].unit);
        of_unit.map_or(0, |numbers| numbers.partition_point(|&other| other < call))
    }
}
