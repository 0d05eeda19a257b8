//! The losses that are metrics too, with the same names and arguments; and metrics derived from
//! them.

use super::{Batch, Better, Metric, MetricFormula, over};
use crate::base::registry::Rule;
use crate::rules::losses::{LossFormula, Targets};
use serde::{Deserialize, Serialize};

pub use crate::rules::losses::{
    BinaryCrossentropy, CategoricalCrossentropy, CategoricalHinge, CosineSimilarity, Hinge,
    KLDivergence, MeanAbsoluteError, MeanAbsolutePercentageError, MeanSquaredError,
    MeanSquaredLogarithmicError, Poisson, SparseCategoricalCrossentropy, SquaredHinge,
};

/// Crossentropy: stands for one of the three, according to the targets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Crossentropy {}

/// The mean of ln cosh(output - target).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct LogCoshError {}

/// The root of the mean of (output - target)².
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct RootMeanSquaredError {}

impl Crossentropy {
    pub(super) const DEFAULT: Self = Crossentropy {};
}

impl LogCoshError {
    pub(super) const DEFAULT: Self = LogCoshError {};
}

impl RootMeanSquaredError {
    pub(super) const DEFAULT: Self = RootMeanSquaredError {};
}

impl Rule for Crossentropy {}
impl Rule for LogCoshError {}
impl Rule for RootMeanSquaredError {}

/// Accumulates the sum of a loss over positions, and their number.
fn add_loss<R: LossFormula>(rule: &R, batch: Batch<'_>, gathered: &mut [f64]) {
    let mut gradient = vec![0.0; batch.width];
    let mut add = |target: &[f32], output: &[f32], weight: f64| {
        gathered[0] += weight * f64::from(rule.row(target, output, &mut gradient));
        gathered[1] += weight;
    };
    match rule.targets() {
        Targets::ClassNumbers => {
            for (target, output, weight) in batch.positions() {
                add(&[super::class(target)], output, weight);
            }
        }
        Targets::LikeOutputs => batch.each_like_outputs(add),
    }
}

/// The mean of the loss of the same name.
macro_rules! mean_of_loss {
    ($($rule:ident),+ $(,)?) => {
        $(
            impl MetricFormula for $rule {
                const BETTER: Option<Better> = Some(Better::Smaller);

                fn add(&self, batch: Batch<'_>, gathered: &mut [f64]) {
                    add_loss(self, batch, gathered);
                }
            }
        )+
    };
}

mean_of_loss!(
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    Hinge,
    KLDivergence,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    SparseCategoricalCrossentropy,
    SquaredHinge,
);

impl MetricFormula for CosineSimilarity {
    const BETTER: Option<Better> = Some(Better::Larger);

    fn add(&self, batch: Batch<'_>, gathered: &mut [f64]) {
        add_loss(self, batch, gathered);
    }

    /// The cosine itself; the loss is minus it.
    fn result(&self, gathered: &[f64]) -> f64 {
        over(-gathered[0], gathered[1])
    }
}

impl MetricFormula for LogCoshError {
    const BETTER: Option<Better> = Some(Better::Smaller);
    const NAME: Option<&'static str> = Some("logcosh");

    fn add(&self, batch: Batch<'_>, gathered: &mut [f64]) {
        add_loss(&crate::rules::losses::LogCosh::DEFAULT, batch, gathered);
    }
}

impl MetricFormula for RootMeanSquaredError {
    const BETTER: Option<Better> = Some(Better::Smaller);

    fn add(&self, batch: Batch<'_>, gathered: &mut [f64]) {
        add_loss(&MeanSquaredError::DEFAULT, batch, gathered);
    }

    fn result(&self, gathered: &[f64]) -> f64 {
        over(gathered[0], gathered[1]).sqrt()
    }
}

impl MetricFormula for Crossentropy {
    const BETTER: Option<Better> = Some(Better::Smaller);

    fn resolve(&self, targets: Targets, width: usize) -> Option<Metric> {
        Some(match targets {
            Targets::LikeOutputs if width == 1 => Metric::BinaryCrossentropy,
            Targets::LikeOutputs => Metric::CategoricalCrossentropy,
            Targets::ClassNumbers => Metric::SparseCategoricalCrossentropy,
        })
    }

    fn add(&self, batch: Batch<'_>, gathered: &mut [f64]) {
        if let Some(metric) = self.resolve(batch.targets(), batch.width) {
            metric.add(batch, gathered);
        }
    }
}
