//! Numbers that lie so far from 0, and so near each other, that 32 bits do not tell them
//! apart: seconds since 1970, long numbers of things. The model takes float32; so a constant
//! is subtracted when rows are read.

use super::{Feature, Schema, Summary};
use crate::base::written;
use crate::data::tensor::is_single;
use crate::data::{Dataset, Kind, Scale, Tensor};
use crate::error::Result;
use foldhash::fast::RandomState;
use std::collections::HashSet;

/// So many different numbers of a column are looked at.
const MOST: usize = 1 << 12;
/// The same of columns that have no number yet that 32 bits round.
const FEW: usize = 256;
/// Fewer steps of float32 in a standard deviation are a loss,
const STEPS: f64 = 1000.0;
/// and so is a larger share of the different numbers than one in so many.
const SHARE: usize = 20;

/// Different numbers of a column, before and behind float32.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Different {
    double: HashSet<u64, RandomState>,
    single: HashSet<u32, RandomState>,
    /// True if 32 bits round one of them.
    is_rounded: bool,
    least: f64,
    most: f64,
}

impl Default for Different {
    fn default() -> Self {
        Different {
            double: HashSet::default(),
            single: HashSet::default(),
            is_rounded: false,
            least: f64::INFINITY,
            most: f64::NEG_INFINITY,
        }
    }
}

impl Different {
    pub fn add(&mut self, x: f64) {
        if x.is_nan() {
            return;
        }
        (self.least, self.most) = (self.least.min(x), self.most.max(x));
        self.is_rounded |= !is_single(x);
        let most = if self.is_rounded { MOST } else { FEW };
        // Both zeros are one.
        if self.double.len() < most && self.double.insert((x + 0.0).to_bits()) {
            self.single.insert((x as f32 + 0.0).to_bits());
        }
    }

    /// The distance of neighbouring float32 numbers at the largest of them.
    fn step(&self) -> f64 {
        let most = self.least.abs().max(self.most.abs()) as f32;
        f64::from(most.next_up()) - f64::from(most)
    }

    /// True if float32 loses what they differ by, with this deviation.
    pub fn is_lost(&self, deviation: f64) -> bool {
        let lost = self.double.len() - self.single.len();
        lost > 0 && (lost * SHARE >= self.double.len() || self.step() * STEPS > deviation)
    }

    /// How many different ones there are and become, in words.
    pub fn lost(&self) -> String {
        let among = match self.double.len() {
            MOST => "the first ".to_owned(),
            _ => String::new(),
        };
        format!(
            "{among}{} different numbers are {} in float32 (steps of {} at {})",
            self.double.len(),
            self.single.len(),
            written::double(self.step()),
            written::double(self.most)
        )
    }

    /// A constant behind which float32 tells all of these apart.
    fn offset(&self, mean: f64) -> Option<f64> {
        let offset = mean.round();
        let behind: HashSet<u32> = self
            .double
            .iter()
            .map(|&bits| ((f64::from_bits(bits) - offset) as f32 + 0.0).to_bits())
            .collect();
        (behind.len() == self.double.len()).then_some(offset)
    }
}

impl Schema {
    /// Sets the offsets of features whose numbers float32 does not tell apart in training
    /// rows like these, and says so; and of which columns it loses something all the same.
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
        for (name, offset) in offsets {
            if let Some(feature) = self.features.iter_mut().find(|f| f.name == name) {
                feature.offset = Some(offset);
                train.subtract(&name, offset);
            }
        }
        notes
    }

    /// True if something is subtracted from a feature.
    pub(in crate::data) fn has_offsets(&self) -> bool {
        self.features.iter().any(|feature| feature.offset.is_some())
    }

    /// The rows of these features, with what is to be subtracted from them.
    pub(in crate::data) fn subtracted(&self, data: Dataset) -> Result<Dataset> {
        match self.has_offsets() {
            true => data.map_inputs(|n, tensor| self.features[n].subtracted(tensor)),
            false => Ok(data),
        }
    }
}

impl Feature {
    /// The numbers with the offset that is to be subtracted when they are gathered.
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
