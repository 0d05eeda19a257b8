//! Losses: the quantities that training minimizes.
//!
//! A [`Criterion`] has the arguments and the formula for one row; [`Loss`] adds the reduction over
//! rows.

mod function;
mod loss;

use crate::base::registry::{Rule, by_name, forward, registry};
use crate::error::{Error, Result};
use crate::rules::activations::Activation;

pub use function::Function;
pub use loss::{Loss, Reduction};

/// The kind of a loss's targets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Targets {
    /// One label, from 0, for each position.
    ClassNumbers,
    /// Values in the outputs' shape.
    #[default]
    LikeOutputs,
}

/// A loss's formula, for one position: one row of the outputs' last axis.
pub(crate) trait LossFormula: Rule {
    /// The kind of targets.
    fn targets(&self) -> Targets {
        Targets::LikeOutputs
    }

    /// True if its targets are classes, by label, one-hot or by sign.
    fn of_classes(&self) -> bool {
        self.targets() == Targets::ClassNumbers
    }

    /// The loss, and its derivatives by the outputs.
    fn row(&self, target: &[f32], output: &[f32], gradient: &mut [f32]) -> f32;

    /// The class whose positions are ignored, if there is one.
    fn ignored(&self) -> Option<f32> {
        None
    }

    /// The same loss as a function of the activation's input, if the combined formula is stabler
    /// and cheaper.
    fn before(&self, activation: &Activation) -> Option<Criterion> {
        let _ = activation;
        None
    }
}

/// A loss without arguments.
macro_rules! plain {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(default)]
        pub struct $name {}

        impl $name {
            pub(in crate::rules) const DEFAULT: Self = $name {};
        }

        impl Rule for $name {}
    };
}

/// The mean over the row of `f` of target and output, which returns a value and its derivative by
/// the output.
#[inline(always)]
fn mean(
    target: &[f32],
    output: &[f32],
    gradient: &mut [f32],
    f: impl Fn(f32, f32) -> (f32, f32),
) -> f32 {
    let n = output.len() as f32;
    let mut sum = 0.0;
    for ((g, &y), &t) in gradient.iter_mut().zip(output).zip(target) {
        let (value, slope) = f(t, y);
        sum += value;
        *g = slope / n;
    }
    sum / n
}

fn check_smoothing(smoothing: f64) -> Result<()> {
    if (0.0..=1.0).contains(&smoothing) {
        Ok(())
    } else {
        let expected = "a number from 0 to 1";
        Err(Error::invalid("label_smoothing", smoothing, expected))
    }
}

fn check_positive(name: &str, value: f64) -> Result<()> {
    if value >= 0.0 && value.is_finite() {
        Ok(())
    } else {
        Err(Error::invalid(name, value, "a number of 0 or more"))
    }
}

fn check_above(name: &str, value: f64) -> Result<()> {
    if value > 0.0 && value.is_finite() {
        Ok(())
    } else {
        Err(Error::invalid(name, value, "a number above 0"))
    }
}

registry! {
    /// A loss's own arguments and formula.
    Criterion("loss") {
        cosine_similarity: CosineSimilarity["cosine_similarity"];
        crossentropy: SparseCategoricalCrossentropy["sparse_categorical_crossentropy"],
            CategoricalCrossentropy["categorical_crossentropy"],
            BinaryCrossentropy["binary_crossentropy", "bce", "BCE"];
        errors: MeanSquaredError["mean_squared_error", "mse", "MSE"],
            MeanAbsoluteError["mean_absolute_error", "mae", "MAE"],
            MeanAbsolutePercentageError["mean_absolute_percentage_error", "mape", "MAPE"],
            MeanSquaredLogarithmicError["mean_squared_logarithmic_error", "msle", "MSLE"],
            Huber["huber"], LogCosh["log_cosh"], Poisson["poisson"];
        focal: BinaryFocalCrossentropy["binary_focal_crossentropy"],
            CategoricalFocalCrossentropy["categorical_focal_crossentropy"];
        hinge: Hinge["hinge"], SquaredHinge["squared_hinge"],
            CategoricalHinge["categorical_hinge"];
        kl_divergence: KLDivergence["kl_divergence", "kld", "KLD"];
    } + Function
}

by_name!(Criterion, MeanSquaredError::DEFAULT);

forward!(Criterion {
    /// The kind of targets.
    pub(crate) fn targets(&self) -> Targets;
    /// True if targets are classes.
    pub(crate) fn of_classes(&self) -> bool;
    /// The same loss as a function of the activation's input.
    pub(crate) fn before(&self, activation: &Activation) -> Option<Criterion>;
    /// The class whose positions are ignored, if there is one.
    pub(crate) fn ignored(&self) -> Option<f32>;
});

impl Criterion {
    /// The loss of every position, and its derivatives by the outputs.
    ///
    /// `outputs` and `gradients` have `width` elements per position.
    pub(crate) fn rows(
        &self,
        width: usize,
        targets: &[f32],
        outputs: &[f32],
        losses: &mut [f32],
        gradients: &mut [f32],
    ) {
        match_member!(&self.0, rule: R => rows(rule, width, targets, outputs, losses, gradients));
    }
}

/// The loss of each row, and its gradient.
fn rows<R: LossFormula>(
    rule: &R,
    width: usize,
    targets: &[f32],
    outputs: &[f32],
    losses: &mut [f32],
    gradients: &mut [f32],
) {
    let target_width = match rule.targets() {
        Targets::ClassNumbers => 1,
        Targets::LikeOutputs => width,
    };
    let rows = targets
        .chunks_exact(target_width)
        .zip(outputs.chunks_exact(width))
        .zip(gradients.chunks_exact_mut(width));
    for (loss, ((target, output), gradient)) in losses.iter_mut().zip(rows) {
        *loss = rule.row(target, output, gradient);
    }
}

#[cfg(test)]
mod tests;
