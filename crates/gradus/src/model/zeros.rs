//! Tiny weights set to zero.

use super::graph::{LayerEntry, Model};
use super::weights::Weight;
use crate::error::{Error, Result};

/// The variables that are pruned, as TensorFlow's model optimization toolkit prunes them: of few
/// numbers besides, such as biases and batch normalization's, each matters.
pub(super) const PRUNED: [&str; 4] = [
    "kernel",
    "depthwise_kernel",
    "pointwise_kernel",
    "embeddings",
];

/// The zeros among the numbers of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zeros {
    /// The layer's name.
    pub layer: String,
    /// The variable's name: `kernel`, `embeddings`, or a kernel of a separable convolution.
    pub variable: &'static str,
    /// The zeros.
    pub zeros: usize,
    /// All of its numbers.
    pub numbers: usize,
}

impl Zeros {
    /// The share of zeros, from 0 to 1.
    pub fn share(&self) -> f64 {
        self.zeros as f64 / self.numbers.max(1) as f64
    }

    /// The share of zeros in several variables together.
    pub fn total<'a>(all: impl IntoIterator<Item = &'a Zeros>) -> f64 {
        let sums = all.into_iter().fold((0, 0), |(zeros, numbers), of| {
            (zeros + of.zeros, numbers + of.numbers)
        });
        sums.0 as f64 / sums.1.max(1) as f64
    }
}

impl Model {
    /// Sets the weights to zero whose absolute value is below `threshold`: those of kernels and
    /// embeddings. Biases, and the numbers of normalization, stay. Returns the zeros that each of
    /// these variables then has.
    ///
    /// ```
    /// use gradus::prelude::*;
    ///
    /// let mut model = Sequential::new().input([2]).add(Dense::new(2)).build()?;
    /// model.layer_mut("dense")?.weights[0].set(&[0.5, -0.0005, 0.0, -2.0])?;
    /// let zeros = model.zero_below(0.001)?;
    /// assert_eq!((zeros[0].layer.as_str(), zeros[0].zeros), ("dense", 2));
    /// assert_eq!(model.layer("dense")?.weights[0].values, [0.5, 0.0, 0.0, -2.0]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn zero_below(&mut self, threshold: f64) -> Result<Vec<Zeros>> {
        if !(threshold > 0.0 && threshold.is_finite()) {
            return Err(Error::invalid("threshold", threshold, "a number above 0"));
        }
        self.check_built()?;
        self.check_float()?;
        for layer in &mut self.layers {
            let pruned = layer.weights.iter_mut();
            for weight in pruned.filter(|weight| PRUNED.contains(&weight.name)) {
                for number in &mut weight.values {
                    if f64::from(number.abs()) < threshold {
                        *number = 0.0;
                    }
                }
            }
        }
        self.zeros()
    }

    /// The zeros that each kernel and each embedding has. An error if the model has no weights yet.
    pub fn zeros(&self) -> Result<Vec<Zeros>> {
        self.check_built()?;
        let each = |layer: &LayerEntry| {
            let pruned = layer.weights.iter();
            let pruned = pruned.filter(|weight| PRUNED.contains(&weight.name));
            let zeros = |weight: &Weight| Zeros {
                layer: layer.name.clone(),
                variable: weight.name,
                zeros: weight.values.iter().filter(|&&x| x == 0.0).count(),
                numbers: weight.values.len(),
            };
            pruned.map(zeros).collect::<Vec<_>>()
        };
        Ok(self.layers.iter().flat_map(each).collect())
    }
}
