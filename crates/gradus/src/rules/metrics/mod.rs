//! Metrics, reported beside the loss.

mod function;

use super::losses::{Loss, Targets};
use crate::base::registry::{Rule, defaults, forward, registry};

pub use auc::{Curve, Summation};
pub use f_score::Average;
pub use function::Function;
pub use r2_score::Aggregation;

/// A batch's outputs and targets.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// Targets, `target_width` for each position.
    pub targets: &'a [f32],
    /// Outputs, `width` for each position.
    pub outputs: &'a [f32],
    /// Outputs at a position.
    pub width: usize,
    /// Targets at a position: 1 for labels.
    pub target_width: usize,
    /// Weight of each row; empty if all are 1.
    pub weights: &'a [f32],
}

/// a / b, and 0 where b is 0, as Keras' means of rows whose weights are all 0.
fn over(a: f64, b: f64) -> f64 {
    if b == 0.0 { 0.0 } else { a / b }
}

/// The index of the largest value, the first of ties, as numpy's argmax.
fn largest(numbers: &[f32]) -> usize {
    let mut best = 0;
    for (i, &x) in numbers.iter().enumerate() {
        if x > numbers[best] {
            best = i;
        }
    }
    best
}

/// A position's class: its label, or the index in one-hot targets.
fn class(target: &[f32]) -> f32 {
    match target {
        [number] => *number,
        _ => largest(target) as f32,
    }
}

impl<'a> Batch<'a> {
    /// The kind of targets.
    fn targets(&self) -> Targets {
        match self.target_width == self.width {
            true => Targets::LikeOutputs,
            false => Targets::ClassNumbers,
        }
    }

    /// Calls `f` with each position's targets, outputs and weight, as many targets as outputs: a
    /// label is expanded to one-hot.
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

/// The better direction of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Smaller is better, as for an error.
    Smaller,
    /// Larger is better, as for an accuracy.
    Larger,
}

/// A metric's formula: accumulation over batches, and the result.
pub(crate) trait MetricFormula: Rule {
    /// Better direction, as Keras' `_direction`; `None` if there is none.
    const BETTER: Option<Better>;

    /// Keras' name in the history, if it isn't the first alias.
    const NAME: Option<&'static str> = None;

    /// The number of accumulated values, for outputs of that width; all start at 0.
    fn gathers(&self, width: usize) -> usize {
        let _ = width;
        2
    }

    /// Accumulates a batch.
    fn add(&self, batch: Batch<'_>, gathered: &mut [f64]);

    /// The result: by default the first accumulated value over the second.
    fn result(&self, gathered: &[f64]) -> f64 {
        over(gathered[0], gathered[1])
    }

    /// The metric that this one stands for with such targets and outputs.
    fn resolve(&self, targets: Targets, width: usize) -> Option<Metric> {
        let _ = (targets, width);
        None
    }
}

registry! {
    /// A metric, reported beside the loss: `Metric::MeanAbsoluteError`, or Keras' string `"mae"`,
    /// which is then its name in the history.
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
    /// The share of right classes; binary, one-hot or by label, according to the targets.
    Accuracy,
    /// The share of outputs on the right side of 0.5.
    BinaryAccuracy,
    /// The share of rows whose largest output is at the one-hot target.
    CategoricalAccuracy,
    /// The share of rows whose largest output is that of the label.
    SparseCategoricalAccuracy,
    /// The share of rows whose one-hot target is among the 5 largest outputs.
    TopKCategoricalAccuracy,
    /// The share of rows whose label is among the 5 largest outputs.
    SparseTopKCategoricalAccuracy,
    /// The area under the ROC curve.
    AUC,
    /// Crossentropy; binary, one-hot or by label, according to the targets.
    Crossentropy,
    /// For independent yes/no outputs.
    BinaryCrossentropy,
    /// For exclusive classes given one-hot.
    CategoricalCrossentropy,
    /// For exclusive classes given as labels.
    SparseCategoricalCrossentropy,
    /// The mean of (output - target)².
    MeanSquaredError,
    /// The root of the mean of (output - target)².
    RootMeanSquaredError,
    /// The mean of |output - target|.
    MeanAbsoluteError,
    /// The mean of |output - target| / |target|, in percent.
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
    /// The shortfall of the margin between the right class and the others.
    CategoricalHinge,
    /// The cosine between target and output.
    CosineSimilarity,
    /// The share of the targets' variance that is explained.
    R2Score,
});

impl From<&str> for Metric {
    /// The metric of this name with default arguments; the history has it under the name. An unknown
    /// name is an error when the model is compiled, which gives the nearest one.
    fn from(name: &str) -> Self {
        let mut metric = Self::from_config("", &name.into()).unwrap_or(Metric::Accuracy);
        if metric.name() != name {
            metric.1 = Some(name.into());
        }
        metric
    }
}

forward!(Metric {
    /// Accumulates a batch.
    pub(crate) fn add(&self, batch: Batch<'_>, gathered: &mut [f64]);
    /// The result of the accumulated values.
    pub(crate) fn result(&self, gathered: &[f64]) -> f64;
    /// The better direction of its results; `None` if there is none, as for a count
    /// (`TruePositives`) or a user's function.
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

    /// True if it is the user's own function, which cannot be saved.
    pub(crate) fn is_own(&self) -> bool {
        matches!(self.0, Kind::Function(_))
    }

    /// The metric that this one stands for beside `loss`, for outputs of that width.
    pub(crate) fn resolve(&self, loss: &Loss, width: usize) -> Metric {
        let targets = loss.targets();
        match_member!(&self.0, rule: R => rule.resolve(targets, width))
            .unwrap_or_else(|| self.clone())
    }

    /// The initial accumulated values, for outputs of that width.
    pub(crate) fn start(&self, width: usize) -> Vec<f64> {
        vec![0.0; match_member!(&self.0, rule: R => rule.gathers(width))]
    }

    /// The name in the history unless the user gave another: Keras' own, most often the first
    /// alias.
    pub fn name(&self) -> &str {
        if let Some(given) = &self.1 {
            return given;
        }
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
