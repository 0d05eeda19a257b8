//! Losses: what training makes small.

use crate::base::registry::{Rule, defaults, registry};
use crate::rules::activations::Activation;

/// What a loss compares the outputs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Targets {
    /// One class number, from 0, for each position.
    ClassNumbers,
    /// As many numbers as there are outputs.
    LikeOutputs,
}

/// A loss's formula, for one position: one row of the outputs' last axis.
pub trait Formula: Rule {
    /// What it compares the outputs with.
    const TARGETS: Targets = Targets::LikeOutputs;

    /// The loss, and its derivatives by the outputs.
    fn row(&self, target: &[f32], output: &[f32], gradient: &mut [f32]) -> f32;

    /// The same loss as a function of what the activation is computed from, if
    /// the two are stabler and cheaper as one formula.
    fn before(&self, activation: &Activation) -> Option<Loss> {
        let _ = activation;
        None
    }
}

registry! {
    /// What training makes small; the mean over rows is reported.
    Loss("loss", Formula) {
        crossentropy: SparseCategoricalCrossentropy["sparse_categorical_crossentropy"],
            CategoricalCrossentropy["categorical_crossentropy"],
            BinaryCrossentropy["binary_crossentropy"];
        mean_squared_error: MeanSquaredError["mean_squared_error", "mse", "MSE"];
    }
}

defaults!(Loss {
    /// For exclusive classes given by number.
    SparseCategoricalCrossentropy,
    /// For exclusive classes given one-hot.
    CategoricalCrossentropy,
    /// For independent yes/no outputs.
    BinaryCrossentropy,
    /// For numbers.
    MeanSquaredError,
});

impl Loss {
    /// What it compares the outputs with.
    pub fn targets(&self) -> Targets {
        struct Ask;
        impl Visit for Ask {
            type Output = Targets;
            fn visit<R: Formula>(self, _: &R) -> Targets {
                R::TARGETS
            }
        }
        self.visit(Ask)
    }

    /// The same loss as a function of what the activation is computed from.
    pub(crate) fn before(&self, activation: &Activation) -> Option<Loss> {
        struct Ask<'a>(&'a Activation);
        impl Visit for Ask<'_> {
            type Output = Option<Loss>;
            fn visit<R: Formula>(self, rule: &R) -> Option<Loss> {
                rule.before(self.0)
            }
        }
        self.visit(Ask(activation))
    }

    /// The loss of every position, and its derivatives by the outputs.
    ///
    /// `outputs` and `gradients` have `width` numbers for each position.
    pub(crate) fn rows(
        &self,
        width: usize,
        targets: &[f32],
        outputs: &[f32],
        losses: &mut [f32],
        gradients: &mut [f32],
    ) {
        struct Rows<'a>(usize, &'a [f32], &'a [f32], &'a mut [f32], &'a mut [f32]);
        impl Visit for Rows<'_> {
            type Output = ();
            fn visit<R: Formula>(self, rule: &R) {
                let Rows(width, targets, outputs, losses, gradients) = self;
                let target_width = match R::TARGETS {
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
        }
        self.visit(Rows(width, targets, outputs, losses, gradients));
    }
}
