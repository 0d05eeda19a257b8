use super::{Batch, Formula, Metric};
use crate::base::registry::Rule;
use crate::rules::losses::Targets;
use serde::{Deserialize, Serialize};

/// The share of right classes: stands for one of the three below, as the
/// targets are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Accuracy {}

/// The share of outputs on the right side of a threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BinaryAccuracy {
    /// Default 0.5.
    pub threshold: f64,
}

/// The share of rows whose largest output is at the largest target.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CategoricalAccuracy {}

/// The share of rows whose largest output is at the target's number.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SparseCategoricalAccuracy {}

impl Accuracy {
    pub(super) const DEFAULT: Self = Accuracy {};
}

impl BinaryAccuracy {
    pub(super) const DEFAULT: Self = BinaryAccuracy { threshold: 0.5 };
}

impl Default for BinaryAccuracy {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl CategoricalAccuracy {
    pub(super) const DEFAULT: Self = CategoricalAccuracy {};
}

impl SparseCategoricalAccuracy {
    pub(super) const DEFAULT: Self = SparseCategoricalAccuracy {};
}

impl Rule for Accuracy {}
impl Rule for BinaryAccuracy {}
impl Rule for CategoricalAccuracy {}
impl Rule for SparseCategoricalAccuracy {}

/// The place of the largest number, the first of equals, as numpy's argmax.
fn largest(numbers: &[f32]) -> usize {
    let mut best = 0;
    for (i, &x) in numbers.iter().enumerate() {
        if x > numbers[best] {
            best = i;
        }
    }
    best
}

impl Formula for Accuracy {
    fn resolve(&self, targets: Targets, width: usize) -> Option<Metric> {
        Some(match targets {
            Targets::ClassNumbers => Metric::SparseCategoricalAccuracy,
            Targets::LikeOutputs if width == 1 => Metric::BinaryAccuracy,
            Targets::LikeOutputs => Metric::CategoricalAccuracy,
        })
    }

    fn add(&self, batch: Batch<'_>, gathered: &mut [f64]) {
        let targets = match batch.target_width == batch.width {
            true => Targets::LikeOutputs,
            false => Targets::ClassNumbers,
        };
        if let Some(metric) = self.resolve(targets, batch.width) {
            metric.add(batch, gathered);
        }
    }
}

impl Formula for BinaryAccuracy {
    fn add(&self, batch: Batch<'_>, gathered: &mut [f64]) {
        let threshold = self.threshold as f32;
        for (target, output) in batch.positions() {
            let right = target
                .iter()
                .zip(output)
                .filter(|&(&t, &y)| t == f32::from(y > threshold))
                .count();
            gathered[0] += right as f64 / output.len() as f64;
            gathered[1] += 1.0;
        }
    }
}

impl Formula for CategoricalAccuracy {
    fn add(&self, batch: Batch<'_>, gathered: &mut [f64]) {
        for (target, output) in batch.positions() {
            gathered[0] += f64::from(largest(target) == largest(output));
            gathered[1] += 1.0;
        }
    }
}

impl Formula for SparseCategoricalAccuracy {
    fn add(&self, batch: Batch<'_>, gathered: &mut [f64]) {
        for (target, output) in batch.positions() {
            gathered[0] += f64::from(target[0] == largest(output) as f32);
            gathered[1] += 1.0;
        }
    }
}
