//! Metrics: what is reported beside the loss.

mod function;

use super::losses::{Loss, Targets};
use crate::base::registry::{Rule, defaults, forward, registry};

pub use auc::{Curve, Summation};
pub use f_score::Average;
pub use function::Function;
pub use r2_score::Aggregation;

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
    /// How much each row counts; none where all count 1.
    pub weights: &'a [f32],
}

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

/// A position's class: its number, or the place of the one in one-hot targets.
fn class(target: &[f32]) -> f32 {
    match target {
        [number] => *number,
        _ => largest(target) as f32,
    }
}

impl<'a> Batch<'a> {
    /// How the targets are given.
    fn targets(&self) -> Targets {
        match self.target_width == self.width {
            true => Targets::LikeOutputs,
            false => Targets::ClassNumbers,
        }
    }

    /// Calls `f` with each position's targets, outputs and weight, as many targets
    /// as outputs: a class number is spread out one-hot.
    fn each_like_outputs(&self, mut f: impl FnMut(&[f32], &[f32], f64)) {
        match self.targets() {
            Targets::LikeOutputs => self.positions().for_each(|(t, y, w)| f(t, y, w)),
            Targets::ClassNumbers => {
                let mut hot = vec![0.0; self.width];
                for (target, output, weight) in self.positions() {
                    hot.fill(0.0);
                    if let Some(one) = hot.get_mut(target[0] as usize) {
                        *one = 1.0;
                    }
                    f(&hot, output, weight);
                }
            }
        }
    }

    /// The targets, outputs and weight of each position.
    pub fn positions(&self) -> impl Iterator<Item = (&'a [f32], &'a [f32], f64)> + use<'a> {
        let outputs = self.outputs.chunks_exact(self.width);
        let weights = self.weights;
        let per_row = (outputs.len() / weights.len().max(1)).max(1);
        let weight = move |p: usize| weights.get(p / per_row).map_or(1.0, |&w| f64::from(w));
        self.targets
            .chunks_exact(self.target_width)
            .zip(outputs)
            .enumerate()
            .map(move |(p, (target, output))| (target, output, weight(p)))
    }
}

/// Which of two measurements is the better one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// The smaller, as of an error.
    Smaller,
    /// The larger, as of an accuracy.
    Larger,
}

/// A metric's formula: what it gathers from batches, and what comes of it.
pub trait Formula: Rule {
    /// Which of its results is better, as Keras' `_direction`; none where neither is
    /// better in itself.
    const BETTER: Option<Better>;

    /// Keras' name for it in the history, where it isn't the first alias.
    const NAME: Option<&'static str> = None;

    /// How many numbers it gathers from outputs of that width; all start at 0.
    fn gathers(&self, width: usize) -> usize {
        let _ = width;
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
    Metric("metric") {
        accuracy: Accuracy["accuracy", "acc"],
            BinaryAccuracy["binary_accuracy"],
            CategoricalAccuracy["categorical_accuracy"],
            SparseCategoricalAccuracy["sparse_categorical_accuracy"],
            TopKCategoricalAccuracy["top_k_categorical_accuracy"],
            SparseTopKCategoricalAccuracy["sparse_top_k_categorical_accuracy"];
        auc: AUC["auc"];
        confusion: Precision["precision"], Recall["recall"],
            TruePositives["true_positives"], TrueNegatives["true_negatives"],
            FalsePositives["false_positives"], FalseNegatives["false_negatives"];
        f_score: F1Score["f1_score"], FBetaScore["f_beta_score"];
        of_losses: Crossentropy["crossentropy", "ce"],
            BinaryCrossentropy["binary_crossentropy", "bce", "BCE"],
            CategoricalCrossentropy["categorical_crossentropy"],
            SparseCategoricalCrossentropy["sparse_categorical_crossentropy"],
            MeanSquaredError["mean_squared_error", "mse", "MSE"],
            RootMeanSquaredError["root_mean_squared_error"],
            MeanAbsoluteError["mean_absolute_error", "mae", "MAE"],
            MeanAbsolutePercentageError["mean_absolute_percentage_error", "mape", "MAPE"],
            MeanSquaredLogarithmicError["mean_squared_logarithmic_error", "msle", "MSLE"],
            LogCoshError["log_cosh_error"], Poisson["poisson"], KLDivergence["kl_divergence"],
            Hinge["hinge"], SquaredHinge["squared_hinge"],
            CategoricalHinge["categorical_hinge"],
            CosineSimilarity["cosine_similarity"];
        r2_score: R2Score["r2_score"];
    } + Function
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
    /// The share of rows whose one-hot target is among the 5 largest outputs.
    TopKCategoricalAccuracy,
    /// The share of rows whose target's number is among the 5 largest outputs.
    SparseTopKCategoricalAccuracy,
    /// The area under the ROC curve.
    AUC,
    /// Cross-entropy; binary, one-hot or by number as the targets are.
    Crossentropy,
    /// For independent yes/no outputs.
    BinaryCrossentropy,
    /// For exclusive classes given one-hot.
    CategoricalCrossentropy,
    /// For exclusive classes given by number.
    SparseCategoricalCrossentropy,
    /// The mean of (output - target)².
    MeanSquaredError,
    /// The root of the mean of (output - target)².
    RootMeanSquaredError,
    /// The mean of |output - target|.
    MeanAbsoluteError,
    /// The mean of |output - target| / |target|, in hundredths.
    MeanAbsolutePercentageError,
    /// The mean of (ln(1 + output) - ln(1 + target))².
    MeanSquaredLogarithmicError,
    /// The mean of ln cosh(output - target).
    LogCoshError,
    /// The mean of output - target · ln(output).
    Poisson,
    /// Σ target · ln(target / output).
    KLDivergence,
    /// The mean of max(1 - target · output, 0).
    Hinge,
    /// The mean of max(1 - target · output, 0)².
    SquaredHinge,
    /// The lack of a margin between the right class and the others.
    CategoricalHinge,
    /// The cosine between target and output.
    CosineSimilarity,
    /// The share of the targets' variance that is explained.
    R2Score,
});

forward!(Metric {
    /// Adds a batch to what was gathered.
    pub(crate) fn add(&self, batch: Batch<'_>, gathered: &mut [f64]);
    /// The metric of what was gathered.
    pub(crate) fn result(&self, gathered: &[f64]) -> f64;
    /// Which of two of its results is better; none where neither is better in itself, as
    /// of a count (`TruePositives`) or a function of the user's own.
    pub fn better(&self) -> Option<Better> = BETTER;
});

impl Metric {
    /// A metric of the user's own: see [`Function`].
    pub fn function(
        name: &str,
        row: impl Fn(&[f32], &[f32]) -> f64 + Send + Sync + 'static,
    ) -> Self {
        Function::new(name, row).into()
    }

    /// Whether it is a function of the user's own, which no file can hold.
    pub(crate) fn is_own(&self) -> bool {
        matches!(self.0, Kind::Function(_))
    }

    /// The metric that this one stands for beside `loss`, for outputs of that width.
    pub(crate) fn resolve(&self, loss: &Loss, width: usize) -> Metric {
        let targets = loss.targets();
        match_member!(&self.0, rule: R => rule.resolve(targets, width))
            .unwrap_or_else(|| self.clone())
    }

    /// What it has gathered before the first batch, for outputs of that width.
    pub(crate) fn start(&self, width: usize) -> Vec<f64> {
        vec![0.0; match_member!(&self.0, rule: R => rule.gathers(width))]
    }

    /// The name it goes by in the history unless the user gave another: Keras'
    /// own, most often the first alias.
    pub fn name(&self) -> &str {
        if let Kind::Function(function) = &self.0 {
            return function.name();
        }
        let member = Self::MEMBERS.iter().find(|m| m.class == self.class());
        let alias = member.and_then(|m| m.aliases.first()).copied();
        let own = match_member!(&self.0, rule: R => R::NAME);
        own.or(alias).unwrap_or(self.class())
    }
}

#[cfg(test)]
mod tests;
