//! The model: layers, connections, weights.

use super::compiled::Compiled;
use super::dtype::Dtype;
use super::facts::InputFacts;
use super::feeds;
use super::layers::{Layer, VariableSpec};
use super::memory;
use super::parts::Submodel;
use super::tied;
use super::weights::Weight;
use crate::base::names::Names;
use crate::base::shape::Shape;
use crate::base::shown;
use crate::data::Dataset;
use crate::error::{Error, Extent, Result};
use crate::rules::constraints::Constraint;
use crate::rules::regularizers::Regularizer;
use std::sync::atomic::{AtomicU64, Ordering};

/// A layer of a model, with its name and weights.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerEntry {
    /// Unique in the model: `dense_1`.
    pub name: String,
    /// True if training may change its weights. Default yes.
    pub trainable: bool,
    /// The layer's configuration.
    pub rule: Layer,
    /// The weights, in the order of Keras' files; empty before the model is built.
    pub weights: Vec<Weight>,
    /// The least and the largest number of its input, as quantization-aware training
    /// ([`Fit::quantization_aware`](crate::train::Fit::quantization_aware)) has learned them: its input and
    /// its kernel are then rounded as int8 numbers are, in training and in predictions. The least is
    /// above the largest before the first step. `None` of a layer that was not trained so.
    pub input_range: Option<[f32; 2]>,
}

impl LayerEntry {
    /// The range of its input, if that and its kernel are rounded as int8 numbers.
    pub(crate) fn fake_quantized(&self) -> Option<[f32; 2]> {
        self.input_range.filter(|_| self.rule.is_one_product())
    }

    /// The output channels of its kernel, if it is one product: of a convolution of each channel by
    /// itself, the last two axes.
    pub(crate) fn kernel_channels(&self) -> usize {
        let shape = self.weights.first().map_or(&[][..], |kernel| &kernel.shape);
        let axes = if self.rule.is_depthwise() { 2 } else { 1 };
        shape.iter().rev().take(axes).product()
    }

    /// The regularizer of a variable; an error if it does not fit the shape.
    pub(crate) fn regularizer(&self, of: &str, shape: &[usize]) -> Result<Option<Regularizer>> {
        let rule = self.rule.regularizer(of).cloned();
        if let Some(rule) = &rule {
            let check = rule.check_shape(shape);
            check.map_err(|error| error.under(&self.place(of, "regularizer")))?;
        }
        Ok(rule)
    }

    /// The constraint of a variable; an error if it does not fit the shape.
    pub(crate) fn constraint(&self, of: &str, shape: &[usize]) -> Result<Option<Constraint>> {
        let rule = self.rule.constraint(of).cloned();
        if let Some(rule) = &rule {
            let check = rule.check_shape(shape);
            check.map_err(|error| error.under(&self.place(of, "constraint")))?;
        }
        Ok(rule)
    }

    /// Refuses regularizers and constraints that don't fit their variable's shape.
    fn check_rules(&self, of: &VariableSpec) -> Result<()> {
        let check = of.initializer.check_shape(&of.shape);
        check.map_err(|error| error.under(&self.place(of.name, "initializer")))?;
        self.regularizer(of.name, &of.shape)?;
        self.constraint(of.name, &of.shape)?;
        Ok(())
    }

    /// Refuses inputs for which the layer would need variables of other shapes than in its first
    /// use.
    fn check_shared(&self, specs: &[VariableSpec], first: &[Shape], now: &[Shape]) -> Result<()> {
        if self.rule.variables(now) == specs {
            return Ok(());
        }
        let list = |shapes: &[Shape]| shown::list(shapes);
        let expected = "as where it was used first: its weights are shared";
        let expected = format!("{} {expected}", list(first));
        Err(Error::shape(
            &format!("layer {}", self.name),
            list(now),
            expected,
        ))
    }

    fn place(&self, variable: &str, what: &str) -> String {
        format!("layer {}: {variable}_{what}", self.name)
    }
}

/// An input of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Name of the input, by which data with several inputs may refer to it.
    pub name: String,
    /// Shape of one row; `None` before the data is known.
    pub shape: Option<Shape>,
    /// Data type.
    pub dtype: Dtype,
}

/// A source of values: an input or another node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// The model's n-th input.
    Input(usize),
    /// The output of the n-th node.
    Node(usize),
}

/// One use of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Index of the layer.
    pub layer: usize,
    /// The inputs.
    pub inputs: Vec<Source>,
    /// True if it computes as in inference even in training, as with Keras' `training=False`: no
    /// noise, and batch normalization by the moving statistics. Default no.
    pub inference: bool,
}

/// The optimizer's state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// Steps taken.
    pub iteration: u64,
    /// Scalars of the method, one set for all weights.
    pub scalars: Vec<f32>,
    /// Slots of each weight, by layer and weight; empty for weights without.
    pub slots: Vec<Vec<Vec<Vec<f32>>>>,
}

/// A graph of layers with their weights, to be trained, saved and used for predictions.
///
/// Made by [`Sequential`](super::Sequential) or [`Functional`](super::Functional),
/// or loaded from a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Name; `sequential` or `functional` by default.
    pub name: String,
    /// True for Keras' `Sequential`, the class it then has in files.
    pub chain: bool,
    /// Its inputs.
    pub inputs: Vec<Input>,
    /// The layers, in Keras' order. The layers of a nested model have its name as a prefix:
    /// `encoder/dense`.
    pub layers: Vec<LayerEntry>,
    /// The uses of the layers, in topological order.
    pub nodes: Vec<Node>,
    /// The outputs.
    pub outputs: Vec<Source>,
    /// The nested models, if any.
    pub parts: Vec<Submodel>,
    /// Seed of all random numbers. Default 0.
    pub seed: u64,
    /// The training configuration, once it is compiled.
    pub compiled: Option<Compiled>,
    /// The optimizer's state.
    pub state: State,
    /// Facts about the data that it was made for.
    pub(crate) facts: InputFacts,
    /// Number of predictions so far.
    pub(crate) asked: Asked,
}

/// The number of predictions made by a model, so that layers that are noisy in inference draw anew
/// each time. Not part of the model's equality or files.
#[derive(Debug, Default)]
pub(crate) struct Asked(AtomicU64);

impl Asked {
    /// The number of this call, from 0.
    pub fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }

    /// Goes back to an earlier number.
    pub fn go_back(&self, to: &Asked) {
        self.0
            .store(to.0.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

impl Clone for Asked {
    fn clone(&self) -> Self {
        Asked(self.0.load(Ordering::Relaxed).into())
    }
}

impl PartialEq for Asked {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Model {
    /// Creates the weights for inputs of these shapes (of one row, without the batch), leaving
    /// existing ones alone. Weights behind a layer that must adapt to data first (to a vocabulary)
    /// are created after that.
    pub fn build(&mut self, inputs: &[Shape]) -> Result<()> {
        if inputs.len() != self.inputs.len() {
            let expected = format!("{} inputs", self.inputs.len());
            return Err(Error::invalid("input", inputs.len(), expected));
        }
        for (input, given) in self.inputs.iter_mut().zip(inputs) {
            match &input.shape {
                Some(known) if known != given => {
                    let name = format!("input {}", input.name);
                    return Err(Error::shape(&name, given, known));
                }
                _ => input.shape = Some(given.clone()),
            }
        }
        for node in &self.nodes {
            feeds::check_dtypes(self, node)?;
        }
        if !self.is_ready() {
            return Ok(());
        }
        let shapes = self.shapes()?;
        let uses = self.uses();
        memory::check(self, &shapes)?;
        let mut number = 0;
        for (entry, uses) in self.layers.iter_mut().zip(uses) {
            let Some(&first) = uses.first() else {
                continue;
            };
            let specs = entry.rule.variables(&shapes[first].0);
            for node in uses {
                entry.check_shared(&specs, &shapes[first].0, &shapes[node].0)?;
            }
            for spec in &specs {
                entry.check_rules(spec)?;
            }
            if entry.weights.is_empty() {
                for (n, spec) in specs.into_iter().enumerate() {
                    entry
                        .weights
                        .push(Weight::new(spec, self.seed, number + n as u32));
                }
            } else {
                for (weight, spec) in entry.weights.iter().zip(specs) {
                    if weight.shape != spec.shape {
                        return Err(Error::shape(
                            &format!("{}.{}", entry.name, spec.name),
                            Extent::array(&weight.shape),
                            Extent::array(&spec.shape),
                        ));
                    }
                }
            }
            number += entry.weights.len() as u32;
        }
        tied::check(self, &shapes)
    }

    /// Like [`Model::build`], for the inputs of this data.
    pub fn build_for(&mut self, data: &Dataset) -> Result<()> {
        let inputs = data.for_inputs(self.inputs.iter().map(|input| &*input.name))?;
        let shapes = inputs.iter().zip(&self.inputs).map(|(tensor, input)| {
            // One value per row may be written as (None) or as (None, 1).
            let known = input
                .shape
                .as_ref()
                .filter(|s| s.size() == 1 && tensor.size() == 1);
            known.unwrap_or(tensor.shape()).clone()
        });
        let shapes: Vec<Shape> = shapes.collect();
        let texts: Vec<bool> = inputs.iter().map(|tensor| tensor.is_text()).collect();
        for (input, is_text) in self.inputs.iter_mut().zip(texts) {
            // For a layer that takes both text and numbers the data decides.
            if is_text && input.shape.is_none() {
                input.dtype = Dtype::String;
            }
        }
        self.build(&shapes)
    }

    /// The same model without its weights, which may be large, and without its schema and
    /// preprocessing of pictures: enough for its inputs, lookups and outputs.
    pub(crate) fn outline(&self) -> Model {
        let layer = |layer: &LayerEntry| LayerEntry {
            name: layer.name.clone(),
            trainable: layer.trainable,
            rule: layer.rule.clone(),
            weights: Vec::new(),
            input_range: layer.input_range,
        };
        Model {
            name: self.name.clone(),
            chain: self.chain,
            inputs: self.inputs.clone(),
            layers: self.layers.iter().map(layer).collect(),
            nodes: self.nodes.clone(),
            outputs: self.outputs.clone(),
            parts: self.parts.clone(),
            seed: self.seed,
            compiled: self.compiled.clone(),
            state: State::default(),
            facts: InputFacts::default(),
            asked: self.asked.clone(),
        }
    }

    /// True once the weights exist.
    pub fn is_built(&self) -> bool {
        self.inputs.iter().all(|input| input.shape.is_some()) && self.is_ready()
    }

    /// Refuses a model without weights yet.
    pub(crate) fn check_built(&self) -> Result<()> {
        match self.is_built() {
            true => Ok(()),
            false => Err(Error::NotReady {
                problem: "the model has no weights yet: give its input's shape, or call `build`"
                    .into(),
            }),
        }
    }

    /// True once no layer's output shape depends on `adapt` any more.
    pub(crate) fn is_ready(&self) -> bool {
        let mut nodes = self.nodes.iter();
        nodes.all(|node| self.layers[node.layer].rule.traits().ready)
    }

    /// The nodes of each layer.
    pub(crate) fn uses(&self) -> Vec<Vec<usize>> {
        let mut uses = vec![Vec::new(); self.layers.len()];
        for (number, node) in self.nodes.iter().enumerate() {
            uses[node.layer].push(number);
        }
        uses
    }

    /// The nodes that take each node's output, each named once.
    pub(crate) fn takers(&self) -> Vec<Vec<usize>> {
        let mut takers: Vec<Vec<usize>> = vec![Vec::new(); self.nodes.len()];
        for (number, node) in self.nodes.iter().enumerate() {
            for source in &node.inputs {
                if let Source::Node(from) = *source
                    && takers[from].last() != Some(&number)
                {
                    takers[from].push(number);
                }
            }
        }
        takers
    }

    /// The shapes of each node's inputs and output.
    pub fn shapes(&self) -> Result<Vec<(Vec<Shape>, Shape)>> {
        let inputs = self.inputs.iter().map(|input| input.shape.clone());
        self.shapes_of(&self.nodes, &inputs.collect::<Vec<_>>())
    }

    /// Like `shapes`, for a graph of the model's layers with these inputs.
    pub(crate) fn shapes_of(
        &self,
        nodes: &[Node],
        inputs: &[Option<Shape>],
    ) -> Result<Vec<(Vec<Shape>, Shape)>> {
        let mut shapes: Vec<(Vec<Shape>, Shape)> = Vec::new();
        for node in nodes {
            let of = |source: &Source| match *source {
                Source::Node(n) => Ok(shapes[n].1.clone()),
                Source::Input(n) => inputs[n].clone().ok_or_else(|| Error::NotReady {
                    problem: "the model's input shape is not known: give it with \
                              `Sequential::input`, or call `fit` or `build` first"
                        .into(),
                }),
            };
            let inputs = node.inputs.iter().map(of).collect::<Result<Vec<_>>>()?;
            let output = self.layers[node.layer].rule.output(&inputs);
            let output = output.map_err(|error| error.under(&self.place(node)))?;
            shapes.push((inputs, output));
        }
        Ok(shapes)
    }

    /// The shape of one row of each output.
    pub fn output_shapes(&self) -> Result<Vec<Shape>> {
        let shapes = self.shapes()?;
        let of = |source: &Source| match *source {
            Source::Node(n) => Some(shapes[n].1.clone()),
            Source::Input(n) => self.inputs[n].shape.clone(),
        };
        Ok(self.outputs.iter().filter_map(of).collect())
    }

    /// The names of the outputs: each output's layer or nested model. Further outputs of one layer
    /// get a number.
    pub fn output_names(&self) -> Vec<String> {
        let units = self.units(None);
        let calls = units.calls();
        let mut names = Names::default();
        let name = |output: &Source| {
            let name = match *output {
                Source::Input(n) => &self.inputs[n].name,
                Source::Node(n) => match units.maker(&calls, n) {
                    Some((call, _)) => units.name(calls.all[call].unit),
                    None => &self.layers[self.nodes[n].layer].name,
                },
            };
            let name = names.free(name);
            names.take(&name);
            name
        };
        self.outputs.iter().map(name).collect()
    }

    /// A node's location for an error's text: its layer, and, if it has several inputs, their
    /// names.
    pub(crate) fn place(&self, node: &Node) -> String {
        let name = &self.layers[node.layer].name;
        let of = |source: &Source| match *source {
            Source::Input(n) => self.inputs.get(n).map_or("", |input| &input.name),
            Source::Node(n) => {
                let node = self.nodes.get(n);
                node.map_or("", |node| &self.layers[node.layer].name)
            }
        };
        match &node.inputs[..] {
            [_] => format!("layer {name}"),
            several => {
                format!("layer {name} (of {})", shown::list(several.iter().map(of)))
            }
        }
    }

    /// Checks the layers' arguments, and creates the weights if the inputs' shapes are known.
    pub(crate) fn finish(&mut self) -> Result<()> {
        for layer in &self.layers {
            let checked = layer.rule.check();
            checked.map_err(|error| error.under(&format!("layer {}", layer.name)))?;
        }
        let shapes = self.inputs.iter().map(|input| input.shape.clone());
        match shapes.collect::<Option<Vec<_>>>() {
            Some(shapes) => self.build(&shapes),
            None => Ok(()),
        }
    }

    /// All weights, in the order of the layers.
    pub fn weights(&self) -> impl Iterator<Item = &Weight> {
        self.layers.iter().flat_map(|l| &l.weights)
    }
}
