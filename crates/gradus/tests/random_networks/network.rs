//! A random graph of random layers.

use crate::arguments::{self, Place};
use crate::random::Random;
use gradus::layers::{Concatenate, Dense, Flatten, Layer, Reshape};
use gradus::model::{Functional, Model, Symbol};
use gradus::rules::activations::Activation;
use gradus::{Result, Shape};

/// The kinds of inputs, by name and in the order of their making.
pub const INPUTS: [&str; 3] = ["numbers", "whole", "texts"];

/// Whole numbers in a row of the input that has them.
pub const WHOLE: usize = 3;

/// A network whose last layer, `last`, has no activation yet.
pub struct Network {
    pub model: Model,
    /// The shape of a row of its numbers.
    pub shape: Vec<usize>,
    /// Outputs.
    pub width: usize,
    /// True if a layer shares another's kernel, for which Keras' files have no place.
    pub is_tied: bool,
}

impl Network {
    /// Draws a network; an error if arguments do not fit each other.
    pub fn draw(random: &mut Random, activation: Option<&str>) -> Result<Self> {
        let rank = 1 + random.below(3);
        let shape: Vec<usize> = (0..rank).map(|_| 1 + random.below(5)).collect();
        let mut graph = Functional::new().seed(random.next());
        let inputs = [
            graph.input_named(INPUTS[0], shape.clone()),
            graph.input_named(INPUTS[1], [WHOLE]),
            graph.text_input(INPUTS[2]),
        ];
        let mut growing = Growing {
            graph,
            inputs,
            end: inputs[0],
            is_tied: false,
        };
        for _ in 0..1 + random.below(6) {
            let class = Layer::MEMBERS[random.below(Layer::MEMBERS.len())].class;
            let (place, layer) = arguments::draw(class, random);
            growing.add(place, layer, random)?;
        }
        let width = 1 + random.below(5);
        let end = growing.flat()?;
        let mut last = Dense::new(width);
        if let Some(name) = activation {
            last = last.activation(Activation::from_config("", &name.into())?);
        }
        let last = growing.graph.layer_named("last", last, end)?;
        let mut model = growing.graph.model(last)?;
        for layer in &mut model.layers {
            layer.trainable = layer.name == "last" || !random.chance(6);
        }
        Ok(Network {
            model,
            shape,
            width,
            is_tied: growing.is_tied,
        })
    }
}

struct Growing {
    graph: Functional,
    inputs: [Symbol; 3],
    /// The layer that the next one is put upon.
    end: Symbol,
    is_tied: bool,
}

impl Growing {
    fn add(&mut self, place: Place, layer: Layer, random: &mut Random) -> Result<()> {
        let [_, whole, texts] = self.inputs;
        self.end = match place {
            Place::Anywhere => self.graph.layer(layer, self.end)?,
            Place::Images => {
                let images = self.images()?;
                self.graph.layer(layer, images)?
            }
            Place::Sequences => {
                let sequences = self.sequences()?;
                self.graph.layer(layer, sequences)?
            }
            Place::Flat => {
                let rows = self.flat()?;
                self.graph.layer(layer, rows)?
            }
            Place::Merge | Place::Vectors => {
                let first = match place {
                    Place::Vectors => self.flat()?,
                    _ => self.end,
                };
                let second = self.beside(first, random)?;
                self.graph.layer(layer, [first, second])?
            }
            Place::WholeNumbers | Place::Texts => {
                let from = if place == Place::Texts { texts } else { whole };
                let known = self.graph.layer(layer, from)?;
                let known = self.graph.layer(Flatten::new(), known)?;
                let end = self.flat()?;
                self.graph.layer(Concatenate::new(), [end, known])?
            }
            Place::Tied if self.is_tied => return Ok(()),
            Place::Tied => {
                self.is_tied = true;
                let end = self.flat()?;
                let five = self.graph.layer(Dense::new(5), end)?;
                let code = self.graph.layer_named("code", Dense::new(3), five)?;
                self.graph.layer(layer, code)?
            }
        };
        Ok(())
    }

    fn dims(&self, symbol: Symbol) -> Vec<usize> {
        self.graph
            .shape(symbol)
            .map(Shape::dims)
            .unwrap_or_default()
            .to_vec()
    }

    /// The end, as rows of one axis.
    fn flat(&mut self) -> Result<Symbol> {
        if self.dims(self.end).len() == 1 {
            return Ok(self.end);
        }
        self.graph.layer(Flatten::new(), self.end)
    }

    /// The end, as images of at least 2 x 2 pixels.
    fn images(&mut self) -> Result<Symbol> {
        if let [height, width, _] = self.dims(self.end)[..]
            && height >= 2
            && width >= 2
        {
            return Ok(self.end);
        }
        let rows = self.flat()?;
        let rows = self.graph.layer(Dense::new(4 * 3 * 2), rows)?;
        self.graph.layer(Reshape::new([4, 3, 2]), rows)
    }

    /// The end, as sequences of at least 2 steps.
    fn sequences(&mut self) -> Result<Symbol> {
        if let [steps, _] = self.dims(self.end)[..]
            && steps >= 2
        {
            return Ok(self.end);
        }
        let rows = self.flat()?;
        let rows = self.graph.layer(Dense::new(5 * 3), rows)?;
        self.graph.layer(Reshape::new([5, 3]), rows)
    }

    /// Another tensor of the shape, or the same one.
    fn beside(&mut self, first: Symbol, random: &mut Random) -> Result<Symbol> {
        if random.chance(4) {
            return Ok(first);
        }
        let dims = self.dims(first);
        let rows = self.graph.layer(Flatten::new(), self.inputs[0])?;
        let rows = self.graph.layer(Dense::new(dims.iter().product()), rows)?;
        let dims: Vec<i64> = dims.into_iter().map(|dim| dim as i64).collect();
        self.graph.layer(Reshape::new(dims), rows)
    }
}
