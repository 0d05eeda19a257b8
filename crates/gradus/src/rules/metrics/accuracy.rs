use super::{Batch, Better, Metric, MetricFormula, class, largest};
use crate::base::registry::Rule;
use crate::error::{Error, Result};
use crate::rules::losses::Targets;
use serde::{Deserialize, Serialize};

/// The share of right classes: stands for one of the three below, by the kind of targets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Accuracy {}

/// The share of outputs on the right side of a threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct BinaryAccuracy {
    /// Threshold. Default 0.5.
    pub threshold: f64,
}

/// The share of rows whose largest output is that of the largest target.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct CategoricalAccuracy {}

/// The share of rows whose largest output is that of the label.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct SparseCategoricalAccuracy {}

/// The share of rows whose largest target is among the k largest outputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct TopKCategoricalAccuracy {
    /// k. Default 5.
    pub k: u64,
}

/// The share of rows whose label is among the k largest outputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct SparseTopKCategoricalAccuracy {
    /// k. Default 5.
    pub k: u64,
}

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

impl TopKCategoricalAccuracy {
    pub(super) const DEFAULT: Self = TopKCategoricalAccuracy { k: 5 };
}

impl SparseTopKCategoricalAccuracy {
    pub(super) const DEFAULT: Self = SparseTopKCategoricalAccuracy { k: 5 };
}

impl Default for TopKCategoricalAccuracy {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Default for SparseTopKCategoricalAccuracy {
    fn default() -> Self {
        Self::DEFAULT
    }
}

fn check_k(k: u64) -> Result<()> {
    match k {
        0 => Err(Error::invalid("k", k, "a whole number of 1 or more")),
        _ => Ok(()),
    }
}

impl Rule for TopKCategoricalAccuracy {
    fn check(&self) -> Result<()> {
        check_k(self.k)
    }
}

impl Rule for SparseTopKCategoricalAccuracy {
    fn check(&self) -> Result<()> {
        check_k(self.k)
    }
}

impl Rule for Accuracy {}
impl Rule for BinaryAccuracy {}
impl Rule for CategoricalAccuracy {}
impl Rule for SparseCategoricalAccuracy {}

impl MetricFormula for Accuracy {
    const BETTER: Option<Better> = Some(Better::Larger);

    fn resolve(&self, targets: Targets, width: usize) -> Option<Metric> {
        Some(match targets {
            Targets::ClassNumbers => Metric::SparseCategoricalAccuracy,
            Targets::LikeOutputs if width == 1 => Metric::BinaryAccuracy,
            Targets::LikeOutputs => Metric::CategoricalAccuracy,
        })
    }

    fn add(&self, batch: Batch<'_>, gathered: &mut [f64]) {
        if let Some(metric) = self.resolve(batch.targets(), batch.width) {
            metric.add(batch, gathered);
        }
    }
}

impl MetricFormula for BinaryAccuracy {
    const BETTER: Option<Better> = Some(Better::Larger);

    fn add(&self, batch: Batch<'_>, gathered: &mut [f64]) {
        let threshold = self.threshold as f32;
        for (target, output, weight) in batch.positions() {
            let right = target
                .iter()
                .zip(output)
                .filter(|&(&t, &y)| t == f32::from(y > threshold))
                .count();
            gathered[0] += weight * right as f64 / output.len() as f64;
            gathered[1] += weight;
        }
    }
}

impl MetricFormula for CategoricalAccuracy {
    const BETTER: Option<Better> = Some(Better::Larger);

    fn add(&self, batch: Batch<'_>, gathered: &mut [f64]) {
        batch.each_like_outputs(|target, output, weight| {
            gathered[0] += weight * f64::from(largest(target) == largest(output));
            gathered[1] += weight;
        });
    }
}

impl MetricFormula for SparseCategoricalAccuracy {
    const BETTER: Option<Better> = Some(Better::Larger);

    fn add(&self, batch: Batch<'_>, gathered: &mut [f64]) {
        for (target, output, weight) in batch.positions() {
            gathered[0] += weight * f64::from(class(target) == largest(output) as f32);
            gathered[1] += weight;
        }
    }
}

/// True if fewer than k outputs are above that of `place`: ties are all in.
fn in_top(output: &[f32], place: usize, k: u64) -> bool {
    let Some(own) = output.get(place).filter(|own| own.is_finite()) else {
        return false;
    };
    (output.iter().filter(|y| *y > own).count() as u64) < k
}

impl MetricFormula for TopKCategoricalAccuracy {
    const BETTER: Option<Better> = Some(Better::Larger);

    fn add(&self, batch: Batch<'_>, gathered: &mut [f64]) {
        batch.each_like_outputs(|target, output, weight| {
            gathered[0] += weight * f64::from(in_top(output, largest(target), self.k));
            gathered[1] += weight;
        });
    }
}

impl MetricFormula for SparseTopKCategoricalAccuracy {
    const BETTER: Option<Better> = Some(Better::Larger);

    fn add(&self, batch: Batch<'_>, gathered: &mut [f64]) {
        for (target, output, weight) in batch.positions() {
            let found = in_top(output, class(target) as usize, self.k);
            gathered[0] += weight * f64::from(found);
            gathered[1] += weight;
        }
    }
}
