//! Metrics: what is reported beside the loss.

use super::losses::{Loss, Targets};
use crate::base::registry::{Rule, defaults, registry};

/// A batch's outputs with what they should have been.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// Targets, `target_width` for each position.
    pub targets: &'a [f32],
    /// Outputs, `width` for each position.
    pub outputs: &'a [f32],
    /// Outputs at a position.
    pub width: usize,
    /// Targets at a position: 1 for class numbers.
    pub target_width: usize,
}

impl<'a> Batch<'a> {
    /// The targets and outputs of each position.
    pub fn positions(&self) -> impl Iterator<Item = (&'a [f32], &'a [f32])> + use<'a> {
        self.targets
            .chunks_exact(self.target_width)
            .zip(self.outputs.chunks_exact(self.width))
    }
}

/// A metric's formula: what it gathers from batches, and what comes of it.
pub trait Formula: Rule {
    /// How many numbers it gathers; all start at 0.
    fn gathers(&self) -> usize {
        2
    }

    /// Adds a batch to what was gathered.
    fn add(&self, batch: Batch<'_>, gathered: &mut [f64]);

    /// The metric: by default the first number over the second.
    fn result(&self, gathered: &[f64]) -> f64 {
        gathered[0] / gathered[1]
    }

    /// The metric that this one stands for with such targets and outputs.
    fn resolve(&self, targets: Targets, width: usize) -> Option<Metric> {
        let _ = (targets, width);
        None
    }
}

registry! {
    /// What is reported beside the loss.
    Metric("metric", Formula) {
        accuracy: Accuracy["accuracy", "acc"],
            BinaryAccuracy["binary_accuracy"],
            CategoricalAccuracy["categorical_accuracy"],
            SparseCategoricalAccuracy["sparse_categorical_accuracy"];
        errors: MeanSquaredError["mean_squared_error", "mse", "MSE"],
            MeanAbsoluteError["mean_absolute_error", "mae", "MAE"];
    }
}

defaults!(Metric {
    /// The share of right classes; binary, one-hot or by number as the targets are.
    Accuracy,
    /// The share of outputs on the right side of 0.5.
    BinaryAccuracy,
    /// The share of rows whose largest output is at the one-hot target.
    CategoricalAccuracy,
    /// The share of rows whose largest output is at the target's number.
    SparseCategoricalAccuracy,
    /// The mean of (output - target)².
    MeanSquaredError,
    /// The mean of |output - target|.
    MeanAbsoluteError,
});

impl Metric {
    /// The metric that this one stands for beside `loss`, for outputs of that width.
    pub(crate) fn resolve(&self, loss: &Loss, width: usize) -> Metric {
        struct Ask(Targets, usize);
        impl Visit for Ask {
            type Output = Option<Metric>;
            fn visit<R: Formula>(self, rule: &R) -> Option<Metric> {
                rule.resolve(self.0, self.1)
            }
        }
        self.visit(Ask(loss.targets(), width))
            .unwrap_or_else(|| self.clone())
    }

    /// What it has gathered before the first batch.
    pub(crate) fn start(&self) -> Vec<f64> {
        struct Ask;
        impl Visit for Ask {
            type Output = usize;
            fn visit<R: Formula>(self, rule: &R) -> usize {
                rule.gathers()
            }
        }
        vec![0.0; self.visit(Ask)]
    }

    /// Adds a batch to what was gathered.
    pub(crate) fn add(&self, batch: Batch<'_>, gathered: &mut [f64]) {
        struct Add<'a>(Batch<'a>, &'a mut [f64]);
        impl Visit for Add<'_> {
            type Output = ();
            fn visit<R: Formula>(self, rule: &R) {
                rule.add(self.0, self.1);
            }
        }
        self.visit(Add(batch, gathered));
    }

    /// The metric of what was gathered.
    pub(crate) fn result(&self, gathered: &[f64]) -> f64 {
        struct Of<'a>(&'a [f64]);
        impl Visit for Of<'_> {
            type Output = f64;
            fn visit<R: Formula>(self, rule: &R) -> f64 {
                rule.result(self.0)
            }
        }
        self.visit(Of(gathered))
    }

    /// The name it goes by in the history unless the user gave another:
    /// the first alias.
    pub fn name(&self) -> &'static str {
        let member = Self::MEMBERS.iter().find(|m| m.class == self.class());
        member
            .and_then(|m| m.aliases.first())
            .copied()
            .unwrap_or(self.class())
    }
}
