//! Weights in half precision.

use super::graph::Model;
use crate::data::numbers::{half, to_half};
use crate::error::{Error, Result};

impl Model {
    /// Rounds every weight to the nearest float16 number, so that
    /// [`Storage`](crate::artifacts::keras::Storage) can keep it in two bytes. Computing goes on in
    /// float32. An error names the layer with a weight beyond ±65504, or not finite: nothing has
    /// changed then.
    ///
    /// ```
    /// use gradus::prelude::*;
    ///
    /// let mut model = Sequential::new().input([1]).add(Dense::new(1)).build()?;
    /// model.layer_mut("dense")?.weights[0].set(&[0.1])?;
    /// model.to_half()?;
    /// assert_eq!(model.layer("dense")?.weights[0].values, [0.099975586]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn to_half(&mut self) -> Result<()> {
        for layer in &self.layers {
            for weight in &layer.weights {
                let mut numbers = weight.values.iter();
                if let Some(x) = numbers.find(|&&x| !half(to_half(x)).is_finite()) {
                    let problem = format!("its {} has {x}, beyond ±65504", weight.name);
                    let at = format!("layer {}", layer.name);
                    return Err(Error::Config { at, problem });
                }
            }
        }
        for weight in self.layers.iter_mut().flat_map(|layer| &mut layer.weights) {
            for x in &mut weight.values {
                *x = half(to_half(*x));
            }
        }
        Ok(())
    }

    /// Refuses weights that are no float16 numbers.
    pub(crate) fn check_half(&self) -> Result<()> {
        for layer in &self.layers {
            for weight in &layer.weights {
                if weight.values.iter().any(|&x| half(to_half(x)) != x) {
                    let problem = format!(
                        "its {} has numbers that are not float16: round them by `to_half`",
                        weight.name
                    );
                    let at = format!("layer {}", layer.name);
                    return Err(Error::Config { at, problem });
                }
            }
        }
        Ok(())
    }
}
