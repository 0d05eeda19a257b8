//! The model: layers, how they are connected, their weights.

use super::layers::{Layer, VariableSpec};
use super::weights::Weight;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::rules::constraints::Constraint;
use crate::rules::losses::Loss;
use crate::rules::metrics::Metric;
use crate::rules::optimizers::Optimizer;
use crate::rules::regularizers::Regularizer;

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
        let rule = self.rule.regularizer(of);
        if let Some(rule) = &rule {
            let check = rule.check_shape(shape);
            check.map_err(|error| error.under(&self.place(of, "regularizer")))?;
        }
        Ok(rule)
    }

    /// What a variable is kept to; an error if it isn't made for that shape.
    pub(crate) fn constraint(&self, of: &str, shape: &[usize]) -> Result<Option<Constraint>> {
        let rule = self.rule.constraint(of);
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

    fn place(&self, variable: &str, what: &str) -> String {
        format!("layer {}: {variable}_{what}", self.name)
    }
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
}

/// How a model is trained.
#[derive(Clone, Debug, PartialEq)]
pub struct Compiled {
    /// How gradients become steps.
    pub optimizer: Optimizer,
    /// What is made small.
    pub loss: Loss,
    /// What is reported beside it, under these names. Sample and class weights
    /// do not count.
    pub metrics: Vec<(String, Metric)>,
    /// What is reported beside it and counts each row by its weight. A name that
    /// is taken gets `weighted_` before it in the history.
    pub weighted_metrics: Vec<(String, Metric)>,
}

impl Compiled {
    /// All metrics under their names in the history, and whether rows count by
    /// their weights.
    pub fn reported(&self) -> Vec<(String, &Metric, bool)> {
        let mut all: Vec<(String, &Metric, bool)> = Vec::new();
        let lists = [(&self.metrics, false), (&self.weighted_metrics, true)];
        for (list, weighted) in lists {
            for (name, metric) in list {
                let taken = |name: &str| all.iter().any(|(other, ..)| other == name);
                let mut own = name.clone();
                if weighted && taken(&own) {
                    own = format!("weighted_{name}");
                }
                let mut free = own.clone();
                for n in 1.. {
                    if !taken(&free) {
                        break;
                    }
                    free = format!("{own}_{n}");
                }
                all.push((free, metric, weighted));
            }
        }
        all
    }
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
/// Made by [`Sequential`](super::Sequential) or loaded from a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Its name, `sequential` unless given.
    pub name: String,
    /// The shape of one row of each input; none before the data is known.
    pub inputs: Vec<Option<Shape>>,
    /// The layers, in the order in which they were added.
    pub layers: Vec<LayerEntry>,
    /// The uses of the layers, each after those it depends on.
    pub nodes: Vec<Node>,
    /// What comes out.
    pub outputs: Vec<Source>,
    /// Where all random numbers come from. Default 0.
    pub seed: u64,
    /// How it is trained, once it is compiled.
    pub compiled: Option<Compiled>,
    /// What training has left in the optimizer.
    pub state: State,
}

impl Model {
    /// Sets how the model is trained. The optimizer starts afresh.
    pub fn compile(
        &mut self,
        optimizer: impl Into<Optimizer>,
        loss: impl Into<Loss>,
        metrics: &[Metric],
    ) -> Result<()> {
        let named = metrics.iter().map(|m| (m.name().to_owned(), m.clone()));
        self.compile_with(Compiled {
            optimizer: optimizer.into(),
            loss: loss.into(),
            metrics: named.collect(),
            weighted_metrics: Vec::new(),
        })
    }

    /// As [`Model::compile`], with the metrics' names chosen.
    pub fn compile_with(&mut self, compiled: Compiled) -> Result<()> {
        compiled
            .optimizer
            .check()
            .map_err(|e| e.under("optimizer"))?;
        compiled.loss.check().map_err(|e| e.under("loss"))?;
        self.compiled = Some(compiled);
        self.state = State::default();
        Ok(())
    }

    /// Makes the weights for inputs of these shapes (of one row, without the
    /// batch). Does nothing to weights that are there.
    pub fn build(&mut self, inputs: &[Shape]) -> Result<()> {
        if inputs.len() != self.inputs.len() {
            let expected = format!("{} inputs", self.inputs.len());
            return Err(Error::invalid("input", inputs.len(), expected));
        }
        for (known, given) in self.inputs.iter_mut().zip(inputs) {
            match known {
                Some(known) if known != given => {
                    return Err(Error::shape("input", given, &*known));
                }
                _ => *known = Some(given.clone()),
            }
        }
        let shapes = self.shapes()?;
        let mut number = 0;
        for (i, entry) in self.layers.iter_mut().enumerate() {
            let Some(node) = self.nodes.iter().position(|n| n.layer == i) else {
                continue;
            };
            let specs = entry.rule.variables(&shapes[node].0);
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
                            format!("{:?}", weight.shape),
                            format!("{:?}", spec.shape),
                        ));
                    }
                }
            }
            number += entry.weights.len() as u32;
        }
        Ok(())
    }

    /// Whether the weights are there.
    pub fn is_built(&self) -> bool {
        self.inputs.iter().all(Option::is_some)
    }

    /// The shapes of each node's inputs and output.
    pub fn shapes(&self) -> Result<Vec<(Vec<Shape>, Shape)>> {
        let mut shapes: Vec<(Vec<Shape>, Shape)> = Vec::new();
        for node in &self.nodes {
            let entry = &self.layers[node.layer];
            let inputs = node
                .inputs
                .iter()
                .map(|source| match *source {
                    Source::Node(n) => Ok(shapes[n].1.clone()),
                    Source::Input(n) => self.inputs[n].clone().ok_or_else(|| Error::NotReady {
                        problem: "the model's input shape is not known: give it with \
                                  `Sequential::input`, or call `fit` or `build` first"
                            .into(),
                    }),
                })
                .collect::<Result<Vec<_>>>()?;
            let output = entry
                .rule
                .output(&inputs)
                .map_err(|error| error.under(&format!("layer {}", entry.name)))?;
            shapes.push((inputs, output));
        }
        Ok(shapes)
    }

    /// The shape of one row of each output.
    pub fn output_shapes(&self) -> Result<Vec<Shape>> {
        let shapes = self.shapes()?;
        let of = |source: &Source| match *source {
            Source::Node(n) => Some(shapes[n].1.clone()),
            Source::Input(n) => self.inputs[n].clone(),
        };
        Ok(self.outputs.iter().filter_map(of).collect())
    }

    /// The layer of that name.
    pub fn layer(&self, name: &str) -> Result<&LayerEntry> {
        let found = self.layers.iter().find(|l| l.name == name);
        found.ok_or_else(|| Error::unknown("", "layer", name, self.layers.iter().map(|l| &*l.name)))
    }

    /// The layer of that name, to be changed.
    pub fn layer_mut(&mut self, name: &str) -> Result<&mut LayerEntry> {
        match self.layers.iter().position(|l| l.name == name) {
            Some(i) => Ok(&mut self.layers[i]),
            None => Err(Error::unknown(
                "",
                "layer",
                name,
                self.layers.iter().map(|l| &*l.name),
            )),
        }
    }

    /// Sets `trainable` of every layer whose name matches; `*` stands for
    /// anything. An error if none does.
    pub fn set_trainable(&mut self, pattern: &str, trainable: bool) -> Result<()> {
        let mut any = false;
        for layer in self.layers.iter_mut().filter(|l| matches(pattern, &l.name)) {
            layer.trainable = trainable;
            any = true;
        }
        if any {
            Ok(())
        } else {
            let names = self.layers.iter().map(|l| &*l.name);
            Err(Error::unknown("", "layer", pattern, names))
        }
    }

    /// All weights, in the order of the layers.
    pub fn weights(&self) -> impl Iterator<Item = &Weight> {
        self.layers.iter().flat_map(|l| &l.weights)
    }

    /// What the optimizer has; an error that says what to call if it is not there.
    pub(crate) fn compiled(&self) -> Result<&Compiled> {
        self.compiled.as_ref().ok_or_else(|| Error::NotReady {
            problem: "the model is not compiled: call `compile` with an optimizer and a loss first"
                .into(),
        })
    }
}

/// Whether a name matches a pattern in which `*` stands for anything.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((head, tail)) => name.strip_prefix(head).is_some_and(|rest| {
            (0..=rest.len())
                .filter(|&i| rest.is_char_boundary(i))
                .any(|i| matches(tail, &rest[i..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_anything() {
        assert!(matches("dense*", "dense_1"));
        assert!(matches("*", "x"));
        assert!(matches("*_1", "dense_1"));
        assert!(matches("d*e_*", "dense_10"));
        assert!(!matches("dense", "dense_1"));
        assert!(!matches("*_2", "dense_1"));
    }
}
