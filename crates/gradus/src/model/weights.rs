//! Weights by layer and name.

use super::graph::Model;
use super::layers::VariableSpec;
use crate::base::random::{Key, Stream};
use crate::error::{Error, Result};

/// One variable of a layer, with its values.
#[derive(Clone, Debug, PartialEq)]
pub struct Weight {
    /// Keras' name for it: `kernel`, `bias`, `gamma`, …
    pub name: &'static str,
    /// Shape: (inputs, units) for a kernel.
    pub shape: Vec<usize>,
    /// True if gradients may change it; false for a moving mean.
    pub trainable: bool,
    /// True for whole numbers from -128 to 127, which files store as such: those of a quantized
    /// layer.
    pub int8: bool,
    /// Values, the last axis innermost.
    pub values: Vec<f32>,
}

impl Weight {
    /// The n-th weight of a model, as its initializer creates it.
    pub(crate) fn new(spec: VariableSpec, seed: u64, number: u32) -> Self {
        let mut random = Key::new(seed, Stream::Initializer(number), 0).sequence();
        Weight {
            name: spec.name,
            values: spec.initializer.values(&spec.shape, &mut random),
            shape: spec.shape,
            trainable: spec.trainable,
            int8: spec.int8,
        }
    }

    /// The bytes of its values in a file.
    pub(crate) fn bytes(&self) -> usize {
        let each = match self.int8 {
            true => size_of::<i8>(),
            false => size_of::<f32>(),
        };
        each * self.values.len()
    }

    /// Replaces its values by as many others.
    pub fn set(&mut self, values: &[f32]) -> Result<()> {
        if values.len() != self.values.len() {
            let expected = format!("{:?} ({} numbers)", self.shape, self.values.len());
            return Err(Error::shape(
                self.name,
                format!("{} numbers", values.len()),
                expected,
            ));
        }
        self.values.copy_from_slice(values);
        Ok(())
    }
}

/// True for a whole number from -128 to 127.
pub(crate) fn is_int8(x: f32) -> bool {
    (-128.0..=127.0).contains(&x) && x.fract() == 0.0
}

impl Model {
    /// Refuses a model with a quantized layer, for what changes floats.
    pub(crate) fn check_float(&self) -> Result<()> {
        let mut layers = self.layers.iter();
        match layers.find(|layer| layer.rule.quantization().is_some()) {
            None => Ok(()),
            Some(layer) => {
                let at = format!("layer {}", layer.name);
                let expected = "floats: a model is quantized last";
                Err(Error::invalid(&at, "quantized weights", expected))
            }
        }
    }

    /// Refuses weights of quantized layers that are no int8.
    pub(crate) fn check_int8(&self) -> Result<()> {
        for layer in &self.layers {
            for weight in layer.weights.iter().filter(|weight| weight.int8) {
                if let Some(found) = weight.values.iter().find(|x| !is_int8(**x)) {
                    let at = format!("layer {}: {}", layer.name, weight.name);
                    let expected = "whole numbers from -128 to 127, since the layer is quantized";
                    return Err(Error::invalid(&at, found, expected));
                }
            }
        }
        Ok(())
    }

    /// The weights with a NaN or infinite value: layers' and weights' names, in the order of the
    /// layers.
    ///
    /// ```
    /// use gradus::prelude::*;
    ///
    /// let mut model = Sequential::new().add(Dense::new(2)).build()?;
    /// model.build(&[[3].into()])?;
    /// assert_eq!(model.not_finite().count(), 0);
    /// model.layer_mut("dense")?.weights[1].values[0] = f32::NAN;
    /// assert_eq!(model.not_finite().next(), Some(("dense", "bias")));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn not_finite(&self) -> impl Iterator<Item = (&str, &str)> {
        self.layers.iter().flat_map(|layer| {
            let weights = layer.weights.iter();
            let bad = weights.filter(|w| w.values.iter().any(|x| !x.is_finite()));
            bad.map(|weight| (layer.name.as_str(), weight.name))
        })
    }
}
