//! The model: layers, how they are connected, their weights.

use super::compiled::Compiled;
use super::dtype::Dtype;
use super::facts::InputFacts;
use super::feeds;
use super::layers::{Layer, VariableSpec};
use super::parts::Part;
use super::tied;
use super::weights::Weight;
use crate::base::shape::Shape;
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
    /// Whether training may change its weights. Default yes.
    pub trainable: bool,
    /// What it is.
    pub rule: Layer,
    /// Its weights, in the order of Keras' files; none before the model is built.
    pub weights: Vec<Weight>,
}

impl LayerEntry {
    /// What keeps a variable small; an error if it isn't made for that shape.
    pub(crate) fn regularizer(&self, of: &str, shape: &[usize]) -> Result<Option<Regularizer>> {
        let rule = self.rule.regularizer(of).cloned();
        if let Some(rule) = &rule {
            let check = rule.check_shape(shape);
            check.map_err(|error| error.under(&self.place(of, "regularizer")))?;
        }
        Ok(rule)
    }

    /// What a variable is kept to; an error if it isn't made for that shape.
    pub(crate) fn constraint(&self, of: &str, shape: &[usize]) -> Result<Option<Constraint>> {
        let rule = self.rule.constraint(of).cloned();
        if let Some(rule) = &rule {
            let check = rule.check_shape(shape);
            check.map_err(|error| error.under(&self.place(of, "constraint")))?;
        }
        Ok(rule)
    }

    /// Refuses rules that aren't made for the shape of their variable.
    fn check_rules(&self, of: &VariableSpec) -> Result<()> {
        let check = of.initializer.check_shape(&of.shape);
        check.map_err(|error| error.under(&self.place(of.name, "initializer")))?;
        self.regularizer(of.name, &of.shape)?;
        self.constraint(of.name, &of.shape)?;
        Ok(())
    }

    /// Refuses inputs for which the layer would need other variables than for those
    /// that it was first applied to.
    fn check_shared(&self, specs: &[VariableSpec], first: &[Shape], now: &[Shape]) -> Result<()> {
        if self.rule.variables(now) == specs {
            return Ok(());
        }
        let list = |shapes: &[Shape]| {
            let all: Vec<String> = shapes.iter().map(Shape::to_string).collect();
            all.join(", ")
        };
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
    /// Data with several inputs may call it by this.
    pub name: String,
    /// The shape of one row; none before the data is known.
    pub shape: Option<Shape>,
    /// What its numbers are, or text.
    pub dtype: Dtype,
}

/// What a node is applied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The model's n-th input.
    Input(usize),
    /// The output of the n-th node.
    Node(usize),
}

/// One use of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The layer's number.
    pub layer: usize,
    /// What it is applied to.
    pub inputs: Vec<Source>,
    /// True if it computes as in inference even in training, as Keras' `training=False`: no
    /// noise, and batch normalization by the moving statistics. Default no.
    pub inference: bool,
}

/// What training has left in the optimizer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// Steps taken.
    pub iteration: u64,
    /// What the method keeps once.
    pub scalars: Vec<f32>,
    /// The slots of each weight, by layer and weight; empty where it has none.
    pub slots: Vec<Vec<Vec<Vec<f32>>>>,
}

/// A graph of layers with their weights: what is trained, saved and asked.
///
/// Made by [`Sequential`](super::Sequential) or [`Functional`](super::Functional),
/// or loaded from a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Its name, `sequential` or `functional` unless given.
    pub name: String,
    /// Whether it is Keras' `Sequential`, and is called so in files.
    pub chain: bool,
    /// Its inputs.
    pub inputs: Vec<Input>,
    /// The layers, in Keras' order. Those of a model that is a part of this one
    /// have its name in front of theirs: `encoder/dense`.
    pub layers: Vec<LayerEntry>,
    /// The uses of the layers, each after those it depends on.
    pub nodes: Vec<Node>,
    /// What comes out.
    pub outputs: Vec<Source>,
    /// The models that it was put together from, if any.
    pub parts: Vec<Part>,
    /// Where all random numbers come from. Default 0.
    pub seed: u64,
    /// How it is trained, once it is compiled.
    pub compiled: Option<Compiled>,
    /// What training has left in the optimizer.
    pub state: State,
    /// Facts about the data that it was made for.
    pub(crate) facts: InputFacts,
    /// How often it has predicted.
    pub(crate) asked: Asked,
}

/// How often a model has predicted: layers that are noisy even then draw anew each time.
/// It is no part of what the model is.
#[derive(Debug, Default)]
pub(crate) struct Asked(AtomicU64);

impl Asked {
    /// The number of this call, from 0.
    pub fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
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
    /// Makes the weights for inputs of these shapes (of one row, without the
    /// batch). Does nothing to weights that are there. Where a layer has still to
    /// learn from data what it gives (a vocabulary), they are made after that.
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
        let mut number = 0;
        for (i, entry) in self.layers.iter_mut().enumerate() {
            let Some(node) = self.nodes.iter().position(|n| n.layer == i) else {
                continue;
            };
            let specs = entry.rule.variables(&shapes[node].0);
            let uses = self.nodes.iter().zip(&shapes).filter(|(n, _)| n.layer == i);
            for (_, (inputs, _)) in uses {
                entry.check_shared(&specs, &shapes[node].0, inputs)?;
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

    /// As [`Model::build`], for the inputs of this data.
    pub fn build_for(&mut self, data: &Dataset) -> Result<()> {
        let inputs = data.for_inputs(self.inputs.iter().map(|input| &*input.name))?;
        let shapes = inputs.iter().zip(&self.inputs).map(|(tensor, input)| {
            // One number a row may be written as (None) or as (None, 1).
            let known = input
                .shape
                .as_ref()
                .filter(|s| s.size() == 1 && tensor.size() == 1);
            known.unwrap_or(tensor.shape()).clone()
        });
        let shapes: Vec<Shape> = shapes.collect();
        let texts: Vec<bool> = inputs.iter().map(|tensor| tensor.is_text()).collect();
        for (input, is_text) in self.inputs.iter_mut().zip(texts) {
            // A layer may take either: then the data says what it is.
            if is_text && input.shape.is_none() {
                input.dtype = Dtype::String;
            }
        }
        self.build(&shapes)
    }

    /// What it takes, looks up and gives: the same model without its weights, which may
    /// be large, and without what is known of tables and pictures.
    pub(crate) fn outline(&self) -> Model {
        let layer = |layer: &LayerEntry| LayerEntry {
            name: layer.name.clone(),
            trainable: layer.trainable,
            rule: layer.rule.clone(),
            weights: Vec::new(),
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

    /// Whether the weights are there.
    pub fn is_built(&self) -> bool {
        self.inputs.iter().all(|input| input.shape.is_some()) && self.is_ready()
    }

    /// Whether every layer knows the shape of what it gives, and has not to learn
    /// it from data first.
    pub(crate) fn is_ready(&self) -> bool {
        let mut nodes = self.nodes.iter();
        nodes.all(|node| self.layers[node.layer].rule.traits().ready)
    }

    /// The shapes of each node's inputs and output.
    pub fn shapes(&self) -> Result<Vec<(Vec<Shape>, Shape)>> {
        let inputs = self.inputs.iter().map(|input| input.shape.clone());
        self.shapes_of(&self.nodes, &inputs.collect::<Vec<_>>())
    }

    /// As `shapes`, of a graph of the model's layers with these inputs.
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

    /// The names of the outputs: of the layer, or the part, that makes each. Of
    /// several from one layer, the later ones get a number.
    pub fn output_names(&self) -> Vec<String> {
        let units = self.units(None);
        let calls = units.calls();
        let mut names: Vec<String> = Vec::new();
        for output in &self.outputs {
            let name = match *output {
                Source::Input(n) => &self.inputs[n].name,
                Source::Node(n) => match units.maker(&calls, n) {
                    Some((call, _)) => units.name(calls[call].unit),
                    None => &self.layers[self.nodes[n].layer].name,
                },
            };
            let mut numbered = (1..).map(|n| format!("{name}_{n}"));
            let free = |name: &String| !names.contains(name);
            let name = match free(&name.to_owned()) {
                true => Some(name.to_owned()),
                false => numbered.find(free),
            };
            names.push(name.unwrap_or_default());
        }
        names
    }

    /// Where a node is, for an error's text: its layer, and, if it has several
    /// inputs, their names.
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
                let names: Vec<&str> = several.iter().map(of).collect();
                format!("layer {name} (of {})", names.join(", "))
            }
        }
    }

    /// Checks the layers' arguments, and makes the weights if the inputs' shapes
    /// are known.
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
