//! The reader: the tensors that are understood so far, and the layers found.

use super::super::messages::Node;
use super::array::Array;
use super::functions::{self, Known, Samples};
use super::names::name_of;
use super::network::Network;
use super::steps::{Entry, Step, What};
use super::trouble::Trouble;
use crate::base::shape::Shape;
use crate::error::visible;
use crate::model::Source;
use crate::model::layers::Layer;
use std::collections::{HashMap, HashSet};

/// Numbers of weights that may be made of fewer in the file: one for all columns, or none. No
/// honest network needs more.
const ROOM: usize = 1 << 26;

/// A tensor, as far as it is understood.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Constant(Array),
    /// The output of a layer, or an input.
    Symbol(Source),
    /// A function of each number of a symbol.
    Function {
        of: Source,
        samples: Samples,
        depth: usize,
    },
    /// Not understood, for this reason.
    Unknown(String),
}

/// The reader's state.
pub(super) struct Reader {
    pub network: Network,
    pub inputs: Vec<Entry>,
    pub steps: Vec<Step>,
    pub values: HashMap<String, Value>,
    pub problems: Vec<String>,
    /// The problems again, to be told once.
    pub told: HashSet<String>,
    /// The rest of [`ROOM`].
    room: usize,
    /// Symbols with the channels first, each with the same that has them last.
    pub last: HashMap<Source, Source>,
    pub known: Known,
    pub points: Samples,
}

impl Reader {
    pub fn new(mut network: Network, problems: Vec<String>) -> Self {
        let constants = std::mem::take(&mut network.constants).into_iter();
        let inputs = network.inputs.iter().map(|input| Entry {
            name: input.name.clone(),
            shape: Shape::new(input.row.clone()),
        });
        let symbols = network.inputs.iter().enumerate();
        let symbols =
            symbols.map(|(n, input)| (input.name.clone(), Value::Symbol(Source::Input(n))));
        let constants = constants.map(|(name, array)| (name, Value::Constant(array)));
        Reader {
            inputs: inputs.collect(),
            values: symbols.chain(constants).collect(),
            network,
            steps: Vec::new(),
            problems,
            told: HashSet::new(),
            room: ROOM,
            last: HashMap::new(),
            known: Known::new(),
            points: functions::points(),
        }
    }

    /// The problem of a node, with its name.
    pub fn problem(&self, node: &Node, trouble: Trouble) -> String {
        let (name, op) = (visible(&node.name), visible(&node.op_type));
        match trouble {
            Trouble::Here(why) => format!("node `{name}` ({op}): {why}"),
            Trouble::Elsewhere(problem) => problem,
        }
    }

    /// The constant of that name, if it is one.
    pub fn constant(&self, name: &str) -> Option<Array> {
        match self.values.get(name) {
            Some(Value::Constant(array)) => Some(array.clone()),
            _ => None,
        }
    }

    /// A node's n-th input as a constant, if it is given; an error if it is no constant.
    pub fn argument(&self, node: &Node, n: usize) -> Result<Option<Array>, Trouble> {
        match node.input.get(n).filter(|name| !name.is_empty()) {
            None => Ok(None),
            Some(name) => match self.constant(name) {
                Some(array) => Ok(Some(array)),
                None => Err(format!("its input `{}` is no constant", visible(name)).into()),
            },
        }
    }

    /// Asks for room for weights that are not in the file number by number.
    pub fn claim(&mut self, numbers: usize) -> Result<(), Trouble> {
        match self.room.checked_sub(numbers) {
            Some(rest) => {
                self.room = rest;
                Ok(())
            }
            None => Err("its weights would be larger than a network's".into()),
        }
    }

    /// The shape of a row.
    pub fn shape(&self, source: Source) -> &Shape {
        match source {
            Source::Input(n) => &self.inputs[n].shape,
            Source::Node(n) => &self.steps[n].shape,
        }
    }

    /// Adds a layer; before the turns of its inputs' axes, if it does the same there.
    pub fn step(
        &mut self,
        name: String,
        what: What,
        weights: Vec<Vec<f32>>,
        inputs: Vec<Source>,
    ) -> Result<Source, Trouble> {
        if let What::Layer(layer) = &what
            && let Some(made) = self.before_turn(&name, layer, &weights, &inputs)?
        {
            return Ok(made);
        }
        self.push(name, what, weights, inputs)
    }

    /// Adds a layer where it is.
    pub fn push(
        &mut self,
        name: String,
        what: What,
        weights: Vec<Vec<f32>>,
        inputs: Vec<Source>,
    ) -> Result<Source, Trouble> {
        let shapes: Vec<Shape> = inputs
            .iter()
            .map(|&source| self.shape(source).clone())
            .collect();
        let shape = match &what {
            What::Dense(dense) => Layer::from(dense.clone()).output(&shapes),
            What::Layer(layer) => layer.check().and_then(|()| layer.output(&shapes)),
            What::Columns(_) => Ok(shapes[0].clone()),
        };
        self.steps.push(Step {
            name,
            what,
            weights,
            inputs,
            tensor: String::new(),
            shape: shape.map_err(|error| error.to_string())?,
        });
        Ok(Source::Node(self.steps.len() - 1))
    }

    /// Adds a layer without weights, in a node's name.
    pub fn layer(
        &mut self,
        node: &Node,
        layer: impl Into<Layer>,
        inputs: Vec<Source>,
    ) -> Result<Source, Trouble> {
        let layer = layer.into();
        let name = name_of(node, None, layer.class());
        self.step(name, What::Layer(layer), Vec::new(), inputs)
    }
}
