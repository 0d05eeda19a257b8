//! Layers that learn from data as it is, before any training: mean and variance,
//! vocabularies, bins.

use super::evaluate::ROWS;
use crate::data::{Dataset, Tensor, Values};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::model::layers::{Formula, Kind, Normalization, StringLookup};
use crate::model::{Model, Source, Weight};
use std::collections::HashMap;

impl Model {
    /// Learns what layers know of data: mean and variance of every `Normalization`
    /// layer that was not given them and the bins of every `Discretization` layer with
    /// `num_bins`, whose earlier values are forgotten, and the vocabulary of every
    /// lookup layer that has none, from `data` as it reaches the
    /// layer. A NaN does not count.
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
        let built = self.is_built();
        let mut learned = false;
        for number in 0..self.nodes.len() {
            let node = &self.nodes[number];
            let layer = &self.layers[node.layer];
            let wanted = match &layer.rule.0 {
                Kind::Normalization(rule) => {
                    let never = |w: &Weight| w.name == "count" && w.values[0] < 0.0;
                    rule.mean.is_none()
                        && (again || layer.weights.is_empty() || layer.weights.iter().any(never))
                }
                Kind::StringLookup(rule) => rule.vocabulary.is_none(),
                Kind::IntegerLookup(rule) => rule.vocabulary.is_none(),
                Kind::Discretization(rule) => {
                    rule.num_bins.is_some() && (again || rule.bin_boundaries.is_none())
                }
                _ => false,
            };
            if !wanted {
                continue;
            }
            super::check::inputs(self, data)?;
            let reaching = match node.inputs[0] {
                Source::Input(n) => super::feeds::inputs(self, data)?[n].clone(),
                Source::Node(before) => self.before(before)?.predict_on(engine, data)?,
            };
            let place = node.layer;
            let name = format!("layer {}", layer.name);
            learned |= !matches!(layer.rule.0, Kind::Normalization(_));
            self.learn(place, &reaching)
                .map_err(|error| error.under(&name))?;
        }
        // The shapes behind what was learned may be new.
        match built && !learned {
            true => Ok(()),
            false => self.build_for(data),
        }
    }

    /// The model that computes what that node does.
    fn before(&self, node: usize) -> Result<Model> {
        let mut first = self.clone();
        first.nodes.truncate(node + 1);
        first.outputs = vec![Source::Node(node)];
        first.parts.clear();
        first.compiled = None;
        first.finish()?;
        Ok(first)
    }

    /// A layer learns from what reaches it.
    fn learn(&mut self, place: usize, data: &Tensor) -> Result<()> {
        let layer = &mut self.layers[place];
        match &mut layer.rule.0 {
            Kind::Normalization(rule) => {
                let found = statistics(rule, data)?;
                if layer.weights.is_empty() {
                    let specs = rule.variables(std::slice::from_ref(data.shape()));
                    let weights = specs.into_iter().map(|spec| Weight::new(spec, 0, 0));
                    layer.weights = weights.collect();
                }
                let values = [found.0, found.1, vec![0.0]];
                for (weight, values) in layer.weights.iter_mut().zip(values) {
                    weight.set(&values)?;
                }
                Ok(())
            }
            Kind::StringLookup(rule) => learn_texts(rule, data),
            Kind::IntegerLookup(rule) => rule.learn(counted(data.to_f32())),
            Kind::Discretization(rule) => rule.learn(data.to_f32()),
            other => Err(Error::Internal(format!("{other:?} learns nothing"))),
        }
    }
}

/// The vocabulary of all texts.
fn learn_texts(rule: &mut StringLookup, data: &Tensor) -> Result<()> {
    let Values::Text { names, codes } = data.values() else {
        return Err(Error::invalid(data.name(), "numbers", "text"));
    };
    let mut counts: Vec<(&str, u64)> = names.iter().map(|name| (name.as_str(), 0)).collect();
    for &code in codes {
        counts[code as usize].1 += 1;
    }
    // A dictionary that was put together may have a text twice.
    counts.sort_unstable();
    counts.dedup_by(|again, first| {
        let same = again.0 == first.0;
        first.1 += if same { again.1 } else { 0 };
        same
    });
    let counts = counts.into_iter();
    rule.learn(
        counts
            .map(|(text, count)| (text.to_owned(), count))
            .collect(),
    )
}

/// How often each whole number is there; what is behind the point does not count, nor
/// does a NaN.
fn counted(numbers: Vec<f32>) -> Vec<(i64, u64)> {
    let mut counts = HashMap::new();
    for number in numbers.into_iter().filter(|x| !x.is_nan()) {
        *counts.entry(number as i64).or_insert(0) += 1;
    }
    counts.into_iter().collect()
}

/// The mean and the population variance at each place along the layer's axes, of the
/// numbers that are not NaN.
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
    // The sum over numbers that are there, and how many these are.
    let sums = |about: &[f64], power: i32| -> Result<Vec<f64>> {
        let mut sums = vec![(0.0, 0_u64); count];
        let mut values = vec![0.0; ROWS * shape.size()];
        for start in (0..data.rows()).step_by(ROWS) {
            let rows: Vec<u32> = (start..data.rows().min(start + ROWS))
                .map(|row| row as u32)
                .collect();
            let values = &mut values[..rows.len() * shape.size()];
            data.gather(&rows, values)?;
            for row in values.chunks(shape.size().max(1)) {
                for (&place, &value) in places.iter().zip(row) {
                    if !value.is_nan() {
                        let (sum, number) = &mut sums[place];
                        *sum += (f64::from(value) - about[place]).powi(power);
                        *number += 1;
                    }
                }
            }
        }
        if let Some(empty) = sums.iter().position(|&(_, number)| number == 0) {
            return Err(Error::Data {
                source_name: data.name().to_owned(),
                row: None,
                column: (count > 1).then_some(empty),
                found: "no number that is not NaN".into(),
                expected: "at least one, to adapt a Normalization layer to".into(),
            });
        }
        Ok(sums.into_iter().map(|(sum, n)| sum / n as f64).collect())
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
