//! Adaptation of layers to data before training: mean and variance, vocabularies, bins.

use super::evaluate::ROWS;
use crate::base::memory;
use crate::data::{Data, Dataset, Tensor, Values};
use crate::error::{Error, Result};
use crate::model::layers::{Adapts, Axes, Seen};
use crate::model::{LayerEntry, Model, Source};
use crate::predict::device::Device;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

impl Model {
    /// Adapts layers to `data`, as it reaches each layer: mean and variance of every
    /// `Normalization` layer that was not given them, and the bins of every `Discretization` layer
    /// with `num_bins`, replacing earlier values; and the vocabulary of every lookup layer without
    /// one. NaN is ignored.
    ///
    /// `fit` begins with it for the layers that were never adapted, on its training rows. A
    /// [`&Stream`](crate::data::Stream) is read once for each layer's vocabulary, twice for its
    /// mean and variance.
    pub fn adapt(&mut self, data: impl Into<Data>) -> Result<()> {
        let data = data.into();
        if !self.is_built() {
            self.build_for(data.sample())?;
        }
        self.adapt_on(&Device::default(), &data, true)
    }

    /// Like `adapt`, only for layers that were never adapted, as `fit` begins.
    pub(crate) fn adapt_new(&mut self, data: &Data) -> Result<()> {
        self.adapt_on(&Device::default(), data, false)
    }

    /// Like `adapt`; without `again`, only for layers that were never adapted.
    pub(crate) fn adapt_on(&mut self, device: &Device, data: &Data, again: bool) -> Result<()> {
        let built = self.is_built();
        // A vocabulary, or bins, may change the shapes behind.
        let mut new_shapes = false;
        for number in 0..self.nodes.len() {
            let node = &self.nodes[number];
            let layer = &self.layers[node.layer];
            let Some(adaptation) = layer.rule.adaptation(&layer.weights) else {
                continue;
            };
            if adaptation.done && !again {
                continue;
            }
            crate::predict::check::inputs(self, data.sample())?;
            let before = match node.inputs[0] {
                Source::Input(_) => None,
                Source::Node(before) => Some(self.before(before)?),
            };
            let reaching = Reaching {
                model: self,
                device,
                input: node.inputs[0],
                before,
                data,
            };
            let (name, place) = (format!("layer {}", layer.name), node.layer);
            new_shapes |= !matches!(adaptation.to, Adapts::Moments(_));
            let seen = reaching.seen(&adaptation.to);
            let seen = seen.map_err(|error| error.under(&name))?;
            let LayerEntry { rule, weights, .. } = &mut self.layers[place];
            rule.adapt(weights, seen)
                .map_err(|error| error.under(&name))?;
        }
        match built && !new_shapes {
            true => Ok(()),
            false => self.build_for(data.sample()),
        }
    }

    /// The model that computes that node.
    fn before(&self, node: usize) -> Result<Model> {
        let mut first = self.clone();
        first.nodes.truncate(node + 1);
        first.outputs = vec![Source::Node(node)];
        first.parts.clear();
        first.compiled = None;
        first.finish()?;
        Ok(first)
    }
}

/// The rows that reach a layer.
struct Reaching<'a> {
    model: &'a Model,
    device: &'a Device,
    input: Source,
    /// The model that computes them, if they are not an input.
    before: Option<Model>,
    data: &'a Data,
}

impl Reaching<'_> {
    /// The part of `data` that reaches the layer.
    fn of<'d>(&self, data: &'d Dataset) -> Result<Cow<'d, Tensor>> {
        match (&self.before, self.input) {
            (None, Source::Input(n)) => Ok(Cow::Borrowed(
                crate::predict::feeds::inputs(self.model, data)?[n],
            )),
            (Some(before), _) => before.predict_on(self.device, data).map(Cow::Owned),
            (None, Source::Node(_)) => Err(Error::Internal("a node without a model".into())),
        }
    }

    /// Calls `visit` with all of them, in their order.
    fn each(&self, visit: &mut dyn FnMut(&Tensor) -> Result<()>) -> Result<()> {
        self.data.each(&mut |data| visit(&*self.of(data)?))
    }

    /// A representative sample.
    fn sample(&self) -> Result<Tensor> {
        let data = self.data.sample();
        Ok(self.of(&data.slice(0..data.rows().min(1))?)?.into_owned())
    }

    fn seen(&self, adapts: &Adapts) -> Result<Seen> {
        match adapts {
            Adapts::Moments(axes) => {
                let sample = self.sample()?;
                let (mean, variance) = statistics(axes, self, &sample)?;
                Ok(Seen::Moments {
                    shape: sample.shape().clone(),
                    mean,
                    variance,
                })
            }
            Adapts::Texts => self.texts().map(Seen::Texts),
            Adapts::Integers => self.counts().map(Seen::Integers),
            Adapts::Values => self.values().map(Seen::Values),
        }
    }

    fn texts(&self) -> Result<BTreeMap<String, u64>> {
        let mut all = BTreeMap::new();
        self.each(&mut |data| {
            let Values::Text { names, codes } = data.values() else {
                return Err(Error::invalid(data.name(), "numbers", "text"));
            };
            let mut counts = vec![0_u64; names.len()];
            for &code in codes {
                counts[code as usize] += 1;
            }
            // A concatenated dictionary may have a text twice.
            for (name, count) in names.iter().zip(counts) {
                match all.get_mut(name) {
                    Some(sum) => *sum += count,
                    None => drop(all.insert(name.clone(), count)),
                }
            }
            Ok(())
        })?;
        Ok(all)
    }

    /// Counts each whole number; what is behind the point does not count,
    /// nor does a NaN.
    fn counts(&self) -> Result<HashMap<i64, u64>> {
        let mut all = HashMap::new();
        self.each(&mut |data| {
            for number in data.to_f32().into_iter().filter(|x| !x.is_nan()) {
                *all.entry(number as i64).or_insert(0) += 1;
            }
            Ok(())
        })?;
        Ok(all)
    }

    /// All values, for the bins.
    fn values(&self) -> Result<Vec<f32>> {
        let Data::Memory(_) = self.data else {
            let found = "rows that are read while the model is trained";
            let expected = "rows in memory, to sort them; or `bin_boundaries`";
            return Err(Error::invalid("num_bins", found, expected));
        };
        let mut all = Vec::new();
        self.each(&mut |data| {
            all.append(&mut data.to_f32());
            Ok(())
        })?;
        Ok(all)
    }
}

/// The mean and the population variance at each place along these axes, of the numbers
/// that are not NaN.
fn statistics(axes: &Axes, rows: &Reaching<'_>, sample: &Tensor) -> Result<(Vec<f32>, Vec<f32>)> {
    let shape = sample.shape();
    let kept = axes.of("axis", shape)?;
    // The statistics' index of each element of a row.
    let bytes = memory::bytes(size_of::<f32>(), &[shape.size(), ROWS + 2]);
    memory::check("", bytes, |amount| {
        format!("{amount} for the statistics of rows of shape {shape}")
    })?;
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
    // The sum over values that are not missing, and their number.
    let sums = |about: &[f64], power: i32| -> Result<Vec<f64>> {
        let mut sums = vec![(0.0, 0_u64); count];
        let mut values = vec![0.0; ROWS * shape.size()];
        rows.each(&mut |data| {
            data.numbers()?;
            for start in (0..data.rows()).step_by(ROWS) {
                let rows = start..data.rows().min(start + ROWS);
                let values = &mut values[..rows.len() * shape.size()];
                data.copy_range(rows, values);
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
            Ok(())
        })?;
        if let Some(empty) = sums.iter().position(|&(_, number)| number == 0) {
            return Err(Error::Data {
                source_name: sample.name().to_owned(),
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
            sample.name(),
            "a number that is not finite",
            expected,
        ));
    }
    let floats = |all: Vec<f64>| all.into_iter().map(|x| x as f32).collect();
    Ok((floats(mean), floats(variance)))
}
