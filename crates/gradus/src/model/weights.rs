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
        }
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

impl Model {
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
