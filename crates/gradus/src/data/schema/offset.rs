//! Offsets for columns whose values are so far from 0, and so near each other, that float32, a
//! model's input type, cannot tell them apart: seconds since 1970, long part numbers. A constant is
//! subtracted when rows are read.

use super::summary::Summary;
use super::{Feature, Schema};
use crate::base::written;
use crate::data::{Dataset, Kind, Scale, Tensor};
use crate::error::Result;
use std::collections::HashMap;

impl Schema {
    /// Sets the offsets of features whose training values float32 does not tell apart, and returns
    /// notes on them and on the columns that lose precision all the same.
    pub fn set_offsets(&mut self, train: &mut Summary) -> Vec<String> {
        let mut notes = Vec::new();
        let mut offsets = Vec::new();
        for (name, moments, different) in train.features() {
            if !different.is_lost(moments.variance.sqrt()) {
                continue;
            }
            let lost = format!("column `{name}`: {}", different.lost());
            match different.offset(moments.mean) {
                Some(offset) => {
                    notes.push(format!(
                        "{lost}: the model's input is the number minus {}, which is subtracted \
                         when rows are read; who feeds the model elsewhere has to do so",
                        written::double(offset)
                    ));
                    offsets.push((name.to_owned(), offset));
                }
                None => notes.push(format!(
                    "warning: {lost}, which is all that the model sees: subtract a constant from \
                     it, split it into two columns, or leave it out (`exclude = [{name:?}]`)"
                )),
            }
        }
        for (target, (moments, different)) in self.targets.iter().zip(train.target_values()) {
            if target.kind == Kind::Number && different.is_lost(moments.variance.sqrt()) {
                notes.push(format!(
                    "warning: target `{}`: {}, in which losses and predictions are computed: \
                     subtract a constant from it",
                    target.name,
                    different.lost()
                ));
            }
        }
        let offsets: HashMap<String, f64> = offsets.into_iter().collect();
        for feature in &mut self.features {
            if let Some(&offset) = offsets.get(&feature.name) {
                feature.offset = Some(offset);
                train.subtract(&feature.name, offset);
            }
        }
        notes
    }

    /// True if a feature has an offset.
    pub(in crate::data) fn has_offsets(&self) -> bool {
        self.features.iter().any(|feature| feature.offset.is_some())
    }

    /// The rows of these features, with their offsets as scales.
    pub(in crate::data) fn subtracted(&self, data: Dataset) -> Result<Dataset> {
        match self.has_offsets() {
            true => data.map_inputs(|n, tensor| self.features[n].subtracted(tensor)),
            false => Ok(data),
        }
    }
}

impl Feature {
    /// The values with the offset as a scale, subtracted when they are gathered.
    fn subtracted(&self, tensor: Tensor) -> Result<Tensor> {
        match self.offset {
            Some(offset) => tensor.scaled(Scale::Standardize {
                mean: vec![offset],
                inverse_deviation: vec![1.0],
            }),
            None => Ok(tensor),
        }
    }
}
