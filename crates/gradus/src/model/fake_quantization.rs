//! Layers that are trained quantization-aware: their inputs and kernels are rounded as int8 numbers are.

use super::graph::{LayerEntry, Model};
use crate::error::{Error, Result};
use crate::rules::fake_quantization::UNSET;

impl Model {
    /// Gives each layer that is one product a range of its input, which the first batch sets; ranges
    /// that are there stay. An error if there is no such layer, if one is frozen without a range, or if a
    /// layer is quantized already.
    #[cfg_attr(not(feature = "train"), allow(dead_code))]
    pub(crate) fn fake_quantize(&mut self) -> Result<()> {
        self.check_float()?;
        let products = |layer: &&mut LayerEntry| layer.rule.is_one_product();
        let mut found = false;
        for layer in self.layers.iter_mut().filter(products) {
            if !layer.trainable && layer.input_range.is_none() {
                let expected =
                    "layers to be trained: a frozen one would learn no range of its input";
                return Err(Error::invalid(
                    &format!("layer {}", layer.name),
                    "`trainable = false` in quantization-aware training",
                    expected,
                ));
            }
            layer.input_range.get_or_insert(UNSET);
            found = true;
        }
        match found {
            true => Ok(()),
            false => Err(Error::invalid(
                "",
                "a model without a Dense or a convolution",
                "at least one",
            )),
        }
    }

    /// True if a layer's input and kernel are rounded as int8 numbers, since it was trained so.
    pub fn is_quantization_aware(&self) -> bool {
        let mut layers = self.layers.iter();
        layers.any(|layer| layer.fake_quantized().is_some())
    }

    /// The same model in float numbers: without the ranges that quantization-aware training has learned.
    pub(crate) fn in_floats(&self) -> Model {
        let mut model = self.clone();
        for layer in &mut model.layers {
            layer.input_range = None;
        }
        model
    }

    /// The values of all weights, and behind these the learned ranges of inputs.
    pub(crate) fn values(&self) -> Vec<Vec<f32>> {
        let weights = self.weights().map(|weight| weight.values.clone());
        let ranges = self.layers.iter().filter_map(|layer| layer.input_range);
        weights.chain(ranges.map(|range| range.to_vec())).collect()
    }

    /// Replaces the values of all weights, and the learned ranges as far as `values` has some behind them.
    pub(crate) fn set_values(&mut self, values: &[Vec<f32>]) -> Result<()> {
        let mut values = values.iter();
        for weight in self.layers.iter_mut().flat_map(|layer| &mut layer.weights) {
            if let Some(values) = values.next() {
                weight.set(values)?;
            }
        }
        for range in self
            .layers
            .iter_mut()
            .filter_map(|l| l.input_range.as_mut())
        {
            if let Some(&[min, max]) = values.next().map(Vec::as_slice) {
                *range = [min, max];
            }
        }
        Ok(())
    }
}
