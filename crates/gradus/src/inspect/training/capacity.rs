//! Far more weights than rows; and no trainable weights.

use crate::data::checks::{Finding, Where};
use crate::inspect::PlannedTraining;

/// Weights per row that allow memorization.
const PER_ROW: usize = 25;
/// Number of weights below which there is no warning.
const FEW: usize = 10_000;

pub(super) fn look(planned: &PlannedTraining<'_>) -> Vec<Finding> {
    let model = planned.model;
    let weights = model.layers.iter().filter(|layer| layer.trainable);
    let weights = weights
        .flat_map(|layer| &layer.weights)
        .filter(|w| w.trainable);
    let trained: usize = weights.map(|weight| weight.values.len()).sum();
    if trained == 0 && model.is_built() {
        let advice = "nothing is trained: let `model.trainable` be true for some layers";
        let found = "no layer has weights that are not frozen";
        return vec![Finding::warning(
            "frozen",
            Where::of("model"),
            found,
            advice,
        )];
    }
    let rows = planned.data.train_rows();
    let regularized = model.layers.iter().any(|layer| {
        let rules = [
            "kernel",
            "depthwise_kernel",
            "pointwise_kernel",
            "bias",
            "embeddings",
            "gamma",
            "beta",
            "alpha",
        ];
        layer.rule.traits().regularizes
            || rules.iter().any(|of| {
                layer.rule.regularizer(of).is_some() || layer.rule.constraint(of).is_some()
            })
            || layer.rule.activity_regularizer().is_some()
    });
    let optimizer = model.compiled.as_ref().and_then(|c| c.optimizer.as_ref());
    let decays = optimizer.is_some_and(|o| o.weight_decay.is_some_and(|d| d > 0.0));
    let guarded = regularized || decays || planned.mixup || planned.early_stopping.is_some();
    if trained < FEW || trained / PER_ROW < rows || guarded || planned.epochs < 2 {
        return Vec::new();
    }
    let found = format!(
        "{trained} weights for {rows} training rows, and nothing against learning them by heart"
    );
    let mut advice = "fewer units, `Dropout`, a `kernel_regularizer`, or \
                      `[callbacks] early_stopping`"
        .to_owned();
    if planned.data.validation.is_none() {
        advice += ", for which `data.validation` is needed";
    }
    vec![Finding::warning(
        "overfitting",
        Where::of("model"),
        found,
        advice,
    )]
}
