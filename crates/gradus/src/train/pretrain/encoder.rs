//! The pretrained layers of a model, and the networks around them.

use super::course::{Course, put_back};
use super::options::PretrainOptions;
use crate::base::shape::Shape;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::model::layers::{Dense, DenseTranspose, Layer};
use crate::model::{Model, Sequential};
use crate::rules::activations::Activation;
use std::ops::Range;

/// The first layers of a chain.
pub(super) struct Encoder<'a> {
    model: &'a mut Model,
    /// Number of its layers.
    pub end: usize,
    /// Input shape of each layer of the model.
    shapes: Vec<Shape>,
}

impl<'a> Encoder<'a> {
    /// The layers up to the one named `until`; without a name, all before the
    /// last Dense layer. The model is built for rows of that shape if it is not yet.
    pub fn of(model: &'a mut Model, until: Option<&str>, row: &Shape) -> Result<Self> {
        if !model.chain || !model.parts.is_empty() {
            let expected = "a chain of layers: pretrain a part of a graph before it is put in";
            return Err(Error::invalid("model", "a graph of layers", expected));
        }
        model.build(std::slice::from_ref(row))?;
        let end = match until {
            Some(name) => {
                let names = model.layers.iter().map(|layer| layer.name.as_str());
                let found = model.layers.iter().position(|layer| layer.name == name);
                found.ok_or_else(|| Error::unknown("until", "layer", name, names))? + 1
            }
            None => {
                let mut layers = model.layers.iter();
                let last = layers.rposition(|layer| layer.rule.as_dense().is_some());
                last.unwrap_or(0)
            }
        };
        let shapes = model.shapes()?.into_iter();
        let shapes = shapes.filter_map(|(inputs, _)| inputs.into_iter().next());
        let encoder = Encoder {
            end,
            shapes: shapes.collect(),
            model,
        };
        if encoder.dense(0..end).is_empty() {
            let expected = "at least one Dense layer to pretrain before the output's";
            return Err(Error::invalid("model", "none", expected));
        }
        Ok(encoder)
    }

    /// The model.
    pub fn model(&self) -> &Model {
        self.model
    }

    /// Puts the weights of a copy of the model back into it.
    pub fn put_back(&mut self, copy: &Model) -> Result<()> {
        put_back(self.model, copy)
    }

    /// The seed of the model.
    pub fn seed(&self) -> u64 {
        self.model.seed
    }

    /// The indices of the Dense layers in this range.
    pub fn dense(&self, range: Range<usize>) -> Vec<usize> {
        range
            .filter(|&i| self.model.layers[i].rule.as_dense().is_some())
            .collect()
    }

    /// The shape that layer `i` is applied to.
    pub fn input(&self, i: usize) -> &Shape {
        &self.shapes[i]
    }

    /// Starts a chain with rows of that shape, for these layers and more.
    pub fn chain(&self, input: Shape) -> Sequential {
        Sequential::new().input(input).seed(self.model.seed)
    }

    /// Adds these layers to a chain, unfrozen.
    pub fn add(&self, chain: Sequential, range: Range<usize>) -> Sequential {
        let layers = &self.model.layers[range];
        layers.iter().fold(chain, |chain, layer| {
            chain.add_named(layer.name.clone(), layer.rule.clone(), true)
        })
    }

    /// A separate chain of these layers, with their current weights, for rows of that shape.
    pub fn network(&self, input: Shape, range: Range<usize>) -> Result<Model> {
        let mut network = self.add(self.chain(input), range.clone()).build()?;
        self.give(&mut network, range, 0);
        Ok(network)
    }

    /// The mirror of these layers: for each Dense layer, from the last to the first, one with that
    /// layer's number of inputs as units, and a kernel of its own or `tied` to that layer's. The
    /// last has only the activation `output`.
    pub fn mirror(
        &self,
        range: Range<usize>,
        output: Option<Layer>,
        tied: bool,
    ) -> Result<Vec<Layer>> {
        let mut layers = Vec::new();
        let dense = self.dense(range);
        for (n, &i) in dense.iter().enumerate().rev() {
            let (shape, layer) = (self.input(i), &self.model.layers[i]);
            let Some(dense) = layer.rule.as_dense() else {
                continue;
            };
            if shape.rank() != 1 {
                let at = format!("layer {}", layer.name);
                return Err(Error::shape(
                    &at,
                    shape,
                    "rows of one axis: put a Flatten before it",
                ));
            }
            let activation = match n {
                0 => Activation::Linear,
                _ => dense.activation.clone(),
            };
            let dense = Dense {
                units: shape.size(),
                activation,
                activity_regularizer: None,
                kernel_constraint: None,
                bias_constraint: None,
                ..dense.clone()
            };
            layers.push(match tied {
                false => dense.into(),
                true => DenseTranspose {
                    units: dense.units,
                    tied_to: layer.name.clone(),
                    activation: dense.activation,
                    use_bias: dense.use_bias,
                    bias_initializer: dense.bias_initializer,
                }
                .into(),
            });
        }
        layers.extend(output);
        Ok(layers)
    }

    /// Copies the current weights to a model that begins with these layers (after `skip` others).
    pub fn give(&self, to: &mut Model, range: Range<usize>, skip: usize) {
        for (i, layer) in range.enumerate() {
            to.layers[skip + i].weights = self.model.layers[layer].weights.clone();
        }
    }

    /// Sets the weights of layer `i`, and drops the optimizer's slots of the old ones.
    pub fn set<const N: usize>(&mut self, i: usize, weights: [Vec<f32>; N]) -> Result<()> {
        for (weight, values) in self.model.layers[i].weights.iter_mut().zip(weights) {
            weight.set(&values)?;
        }
        self.model.state = Default::default();
        Ok(())
    }

    /// Takes these layers' weights from a model that begins with them, and drops the optimizer's
    /// slots of the old ones.
    pub fn take(&mut self, from: Model, range: Range<usize>, skip: usize) {
        let trained = from.layers.into_iter().skip(skip);
        for (layer, trained) in self.model.layers[range].iter_mut().zip(trained) {
            layer.weights = trained.weights;
        }
        self.model.state = Default::default();
    }

    /// Trains `graph`, which contains `network` (all layers) as the part `encoder`, each epoch on
    /// newly drawn rows, and takes over the layers' weights.
    pub fn train_part(
        mut self,
        mut network: Model,
        graph: &mut Model,
        (options, course): (&PretrainOptions, &mut Course<'_>),
        draw: impl FnMut(u64) -> Result<Dataset>,
    ) -> Result<()> {
        course.train(graph, options, self.model, true, draw)?;
        for layer in network.layers.iter_mut() {
            let trained = graph.layer(&format!("encoder/{}", layer.name))?;
            layer.weights.clone_from(&trained.weights);
        }
        self.take(network, 0..self.end, 0);
        Ok(())
    }
}
