//! The preparation before the first step: a built and adapted model, and data that fits it.

use crate::data::classes::class_of;
use crate::data::{Data, Dataset, Pictures, Tensor};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::predict::check;
use crate::predict::device::Device;

impl Model {
    /// Builds the model for the data, checks both, and adapts layers. Returns the training data,
    /// its rows weighted by class. Of streamed rows only the first are examined: the others are
    /// checked and weighted as they are read.
    pub(super) fn prepare(
        &mut self,
        device: &Device,
        train: Data,
        held_out: Option<&Data>,
        class_weight: &[(usize, f64)],
    ) -> Result<Data> {
        let sample = train.sample().clone();
        if !self.is_built() {
            self.build_for(&sample)?;
        }
        if !self.is_built() {
            // Shapes after adapted layers depend on the rows.
            check::finite_inputs(self, &sample)?;
            self.adapt_on(device, &train, false)?;
        }
        check::trainable(self)?;
        check::labelled(self, &sample)?;
        let weighed = weigh_classes(sample, class_weight)?;
        if let Some(held_out) = held_out {
            check::labelled(self, held_out.sample())?;
        }
        let train = match train {
            Data::Memory(_) => Data::Memory(weighed),
            other => other,
        };
        self.adapt_on(device, &train, false)?;
        let known = |pictures: &Pictures| !pictures.classes.is_empty();
        let facts = &mut self.facts;
        facts.classes = match facts.schema.is_some() || facts.pictures.as_ref().is_some_and(known) {
            true => Vec::new(),
            false => train.sample().class_names().to_vec(),
        };
        if self.state.scalars.is_empty() {
            let scalars = self.compiled()?.optimizer()?.method.scalars().to_vec();
            self.state.scalars = scalars;
        }
        Ok(train)
    }
}

/// The data with each row weighted by its class: the number in its target, or the index of the
/// largest of several.
pub(super) fn weigh_classes(data: Dataset, weights: &[(usize, f64)]) -> Result<Dataset> {
    const KEY: &str = "class_weight";
    if weights.is_empty() {
        return Ok(data);
    }
    if data.sample_weight().is_some() {
        let found = "class weights beside sample weights";
        return Err(Error::invalid(KEY, found, "only one of the two"));
    }
    if let Some((_, weight)) = weights.iter().find(|(_, w)| !(*w >= 0.0 && w.is_finite())) {
        return Err(Error::invalid(KEY, weight, "a number of 0 or more"));
    }
    let [target] = data.targets() else {
        let found = format!("{} targets", data.targets().len());
        return Err(Error::invalid(KEY, found, "one: use sample weights"));
    };
    if target.shape().rank() > 1 {
        let expected = "one class for each row";
        return Err(Error::shape(KEY, target.shape(), expected));
    }
    let weight_of = |row: &[f32]| {
        let class = class_of(row);
        let found = weights.iter().find(|(c, _)| *c as f64 == class);
        found.map_or(1.0, |&(_, weight)| weight as f32)
    };
    let rows = target.to_f32();
    let weights = rows.chunks(target.size().max(1)).map(weight_of).collect();
    data.with_sample_weight(Tensor::from_column(weights)?)
}
