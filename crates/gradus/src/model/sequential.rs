//! A chain of layers.

use super::dtype::Dtype;
use super::facts::InputFacts;
use super::graph::{Input, LayerEntry, Model, Node, Source, State};
use super::layers::Layer;
use crate::base::names::Names;
use crate::base::shape::Shape;
use crate::error::Result;
use crate::rules::losses::Loss;
use crate::rules::metrics::Metric;
use crate::rules::optimizers::Optimizer;

/// Builds a model in which each layer is applied to the previous one's output.
///
/// Layers get Keras' names, `dense`, `dense_1`, … The input's shape may be left
/// to the data that the model is first fitted to.
///
/// ```
/// use gradus::prelude::*;
///
/// let mut model = Sequential::new()
///     .add(Flatten::new())
///     .add(Dense::new(50).activation(Activation::Relu))
///     .add(Dense::new(10).activation(Activation::Softmax))
///     .compile(Adam::new(), Loss::SparseCategoricalCrossentropy, &[Metric::Accuracy])?;
/// let history = model.fit(&data::digits(Split::Train)?, Fit::new().epochs(3))?;
/// println!("{}", model.evaluate(&data::digits(Split::Test)?)?);
/// assert!(history.last("accuracy") > Some(0.8));
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Sequential {
    model: Model,
    names: Names,
}

impl Default for Sequential {
    fn default() -> Self {
        Self::new()
    }
}

impl Sequential {
    /// No layers yet.
    pub fn new() -> Self {
        Sequential {
            model: Model {
                name: "sequential".into(),
                chain: true,
                inputs: vec![Input {
                    name: "input_layer".into(),
                    shape: None,
                    dtype: Dtype::Float32,
                }],
                parts: Vec::new(),
                layers: Vec::new(),
                nodes: Vec::new(),
                outputs: vec![Source::Input(0)],
                seed: 0,
                compiled: None,
                state: State::default(),
                facts: InputFacts::default(),
                asked: Default::default(),
            },
            names: Names::default(),
        }
    }

    /// Sets the shape of one input row, without the batch.
    pub fn input(mut self, shape: impl Into<Shape>) -> Self {
        self.model.inputs[0].shape = Some(shape.into());
        self
    }

    /// Sets the seed of all random numbers. Default 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.model.seed = seed;
        self
    }

    /// Adds a layer.
    #[allow(clippy::should_implement_trait)] // Keras' word; nothing is summed
    pub fn add(self, layer: impl Into<Layer>) -> Self {
        let layer = layer.into();
        self.add_named(snake_case(layer.class()), layer, true)
    }

    /// Adds a layer with a name; a taken name gets a number.
    pub fn add_named(
        self,
        name: impl Into<String>,
        layer: impl Into<Layer>,
        trainable: bool,
    ) -> Self {
        self.add_entry(LayerEntry {
            name: name.into(),
            trainable,
            rule: layer.into(),
            weights: Vec::new(),
            input_range: None,
        })
    }

    /// Adds a layer with its weights; a taken name gets a number.
    pub(super) fn add_entry(mut self, entry: LayerEntry) -> Self {
        let name = self.names.free(&entry.name);
        self.names.take(&name);
        let model = &mut self.model;
        if model.layers.is_empty() && entry.rule.traits().takes_only_text() {
            model.inputs[0].dtype = Dtype::String;
        }
        model.layers.push(LayerEntry { name, ..entry });
        model.nodes.push(Node {
            layer: model.layers.len() - 1,
            inputs: vec![model.outputs[0]],
            inference: false,
        });
        model.outputs = vec![Source::Node(model.nodes.len() - 1)];
        self
    }

    /// True if it has no layers yet.
    pub(super) fn is_empty(&self) -> bool {
        self.model.layers.is_empty()
    }

    /// The model as it is, not checked, without weights.
    pub(crate) fn into_model(self) -> Model {
        self.model
    }

    /// The model, not compiled.
    pub fn build(self) -> Result<Model> {
        let mut model = self.model;
        model.finish()?;
        Ok(model)
    }

    /// The compiled model.
    pub fn compile(
        self,
        optimizer: impl Into<Optimizer>,
        loss: impl Into<Loss>,
        metrics: &[Metric],
    ) -> Result<Model> {
        let mut model = self.build()?;
        model.compile(optimizer, loss, metrics)?;
        Ok(model)
    }
}

/// Keras' name for a class: `BatchNormalization` becomes `batch_normalization`.
///
/// A word begins at a capital next to a small letter.
pub(crate) fn snake_case(class: &str) -> String {
    let letters: Vec<char> = class.chars().collect();
    let mut name = String::new();
    for (i, &c) in letters.iter().enumerate() {
        let after_small = i > 0 && letters[i - 1].is_lowercase();
        let starts_word = i > 0 && letters.get(i + 1).is_some_and(|n| n.is_lowercase());
        if c.is_uppercase() && (after_small || starts_word) {
            name.push('_');
        }
        name.extend(c.to_lowercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::snake_case;

    #[test]
    fn class_names_become_keras_names() {
        // Values from keras.src.utils.naming.to_snake_case.
        let pairs = [
            ("BatchNormalization", "batch_normalization"),
            ("PReLU", "p_re_lu"),
            ("LeakyReLU", "leaky_re_lu"),
            ("ELU", "elu"),
            ("RMSprop", "rm_sprop"),
            ("RMSNormalization", "rms_normalization"),
            ("AdamW", "adam_w"),
            ("SGD", "sgd"),
            ("Conv2D", "conv2d"),
            ("Conv2DTranspose", "conv2d_transpose"),
            ("GRUCell", "gru_cell"),
            ("InputLayer", "input_layer"),
            ("A1B", "a1b"),
        ];
        for (class, name) in pairs {
            assert_eq!(snake_case(class), name);
        }
    }
}
