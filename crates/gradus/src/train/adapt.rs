//! `Normalization` layers learn mean and variance from data.

use super::evaluate::ROWS;
use crate::data::{Dataset, Tensor};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::model::layers::{Kind, Normalization};
use crate::model::{Model, Source};

impl Model {
    /// Learns mean and variance of every `Normalization` layer that was not given
    /// them, from `data` as it reaches the layer. Earlier values are forgotten.
    ///
    /// A `fit` begins with it for the layers that were never adapted, on its
    /// training rows.
    pub fn adapt(&mut self, data: &Dataset) -> Result<()> {
        if !self.is_built() {
            self.build_for(data)?;
        }
        self.adapt_on(crate::engine::default().as_ref(), data, true)
    }

    /// As `adapt`; if not `again`, only layers that were never adapted.
    pub(crate) fn adapt_on(
        &mut self,
        engine: &dyn Engine,
        data: &Dataset,
        again: bool,
    ) -> Result<()> {
        for number in 0..self.nodes.len() {
            let node = &self.nodes[number];
            let layer = &self.layers[node.layer];
            let Kind::Normalization(rule) = &layer.rule.0 else {
                continue;
            };
            let never = |w: &crate::model::Weight| w.name == "count" && w.values[0] < 0.0;
            if layer.weights.is_empty() || !again && !layer.weights.iter().any(never) {
                continue;
            }
            super::check::inputs(&self.inputs, data)?;
            let found = match node.inputs[0] {
                Source::Input(n) => statistics(rule, super::feeds::inputs(&self.inputs, data)?[n])?,
                Source::Node(before) => {
                    let mut first = self.clone();
                    first.nodes.truncate(before + 1);
                    first.outputs = vec![Source::Node(before)];
                    first.parts.clear();
                    first.compiled = None;
                    let reaching = first.predict_on(engine, data)?;
                    statistics(rule, &reaching)?
                }
            };
            let place = self.nodes[number].layer;
            let values = [found.0, found.1, vec![0.0]];
            for (weight, values) in self.layers[place].weights.iter_mut().zip(values) {
                weight.set(&values)?;
            }
        }
        Ok(())
    }
}

/// The mean and the population variance at each place along the layer's axes.
fn statistics(rule: &Normalization, data: &Tensor) -> Result<(Vec<f32>, Vec<f32>)> {
    let shape = data.shape();
    let kept = rule.kept(shape)?;
    // The place of each number of a row.
    let mut places = vec![0; shape.size()];
    let mut stride = 1;
    let mut count = 1;
    let dims = shape.dims();
    for axis in (0..dims.len()).rev() {
        if kept.contains(&axis) {
            for (i, place) in places.iter_mut().enumerate() {
                *place += i / stride % dims[axis] * count;
            }
            count *= dims[axis];
        }
        stride *= dims[axis];
    }
    let each = (data.rows() * shape.size() / count.max(1)) as f64;
    let sums = |about: &[f64], power: i32| -> Result<Vec<f64>> {
        let mut sums = vec![0.0; count];
        let mut values = vec![0.0; ROWS * shape.size()];
        for start in (0..data.rows()).step_by(ROWS) {
            let rows: Vec<u32> = (start..data.rows().min(start + ROWS))
                .map(|row| row as u32)
                .collect();
            let values = &mut values[..rows.len() * shape.size()];
            data.gather(&rows, values)?;
            for row in values.chunks(shape.size().max(1)) {
                for (&place, &value) in places.iter().zip(row) {
                    sums[place] += (f64::from(value) - about[place]).powi(power);
                }
            }
        }
        Ok(sums.into_iter().map(|sum| sum / each).collect())
    };
    let mean = sums(&vec![0.0; count], 1)?;
    let variance = sums(&mean, 2)?;
    if mean.iter().chain(&variance).any(|v| !v.is_finite()) {
        let expected = "finite numbers, to adapt a Normalization layer to";
        return Err(Error::invalid(
            data.name(),
            "a number that is not finite",
            expected,
        ));
    }
    let floats = |all: Vec<f64>| all.into_iter().map(|x| x as f32).collect();
    Ok((floats(mean), floats(variance)))
}
