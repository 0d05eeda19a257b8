//! Keras' `model.quantize`: weights as whole numbers of 8 bits.

use crate::error::Result;
use crate::model::layers::Quantization;
use crate::model::{LayerEntry, Model};

/// The layers that [`Model::quantize`] quantized, and those that it left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quantized {
    /// Names of the quantized layers, in the model's order.
    pub layers: Vec<String>,
    /// Names of the other layers with weights, each with the reason why it was left.
    pub left: Vec<(String, String)>,
}

impl Model {
    /// Quantizes the layers that have a mode for it, as Keras' `model.quantize("int8")` does:
    /// `Dense` and `Embedding`. Their weights become int8, with a scale for each unit or row, a
    /// quarter of the size in memory of a prediction and in files; `Dense` quantizes its inputs
    /// row by row as they come and multiplies whole numbers. Biases and all other layers stay as
    /// they are. Real Keras loads the saved model and predicts the same.
    ///
    /// A quantized layer is not trained any more: [`Model::fit`] refuses it unless it is frozen.
    /// The optimizer's state for these weights is dropped; loss and metrics stay for
    /// [`Model::evaluate`].
    ///
    /// A layer that shares its kernel with a `DenseTranspose` is left, as is one with a NaN, and
    /// one that was quantized before. An error if the model has no weights yet.
    ///
    /// ```
    /// use gradus::prelude::*;
    /// use gradus::layers::Quantization;
    ///
    /// let mut model = Sequential::new()
    ///     .input([4])
    ///     .add(Dense::new(16).activation(Activation::Relu))
    ///     .add(BatchNormalization::new())
    ///     .add(Dense::new(3))
    ///     .build()?;
    /// let x = Tensor::from_f32([4], vec![0.5, -1.0, 0.25, 2.0])?;
    /// let before = model.predict(x.clone())?.to_f32();
    ///
    /// let quantized = model.quantize(Quantization::Int8)?;
    /// assert_eq!(quantized.layers, ["dense", "dense_1"]);
    /// assert_eq!(quantized.left[0].0, "batch_normalization");
    /// let after = model.predict(x)?.to_f32();
    /// assert!(before.iter().zip(&after).all(|(a, b)| (a - b).abs() < 0.05));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn quantize(&mut self, mode: Quantization) -> Result<Quantized> {
        self.check_built()?;
        let shared = self.shared_kernels()?;
        let mut done = Quantized::default();
        for (n, layer) in self.layers.iter_mut().enumerate() {
            if layer.weights.is_empty() {
                continue;
            }
            let name = layer.name.clone();
            let quantized = match shared.contains(&name) {
                true => Err("another layer shares its kernel".to_owned()),
                false => {
                    let quantized = layer.rule.quantize(mode, &mut layer.weights);
                    quantized.map_err(|error| error.to_string())
                }
            };
            match quantized {
                Ok(()) => {
                    layer.input_range = None;
                    done.layers.push(name);
                    if let Some(slots) = self.state.slots.get_mut(n) {
                        keep_trained(slots, layer);
                    }
                }
                Err(reason) => done.left.push((name, reason)),
            }
        }
        Ok(done)
    }
}

/// Keeps the optimizer's slots of a layer's weights that may still be trained.
fn keep_trained(slots: &mut Vec<Vec<Vec<f32>>>, layer: &LayerEntry) {
    slots.resize(layer.weights.len(), Vec::new());
    for (slots, weight) in slots.iter_mut().zip(&layer.weights) {
        if !weight.trainable {
            slots.clear();
        }
    }
}
