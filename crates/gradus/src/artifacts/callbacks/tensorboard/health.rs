//! The health of layers as summaries.

use super::messages::Value;
use super::values::{histogram, scalar};
use crate::train::health::{Distribution, HealthView, LayerHealth};

/// A scalar for each value that a layer has: `gradient_norm/dense`, …
pub fn scalars(health: &HealthView<'_>) -> Vec<Value> {
    let layers = health.layers.iter().zip(&health.sample.layers);
    let values = layers.flat_map(|(name, layer)| {
        let values = named(layer).into_iter();
        values.filter_map(move |(what, value)| Some(scalar(format!("{what}/{name}"), value?)))
    });
    values.collect()
}

/// Histograms of each layer's outputs and gradients: `outputs/dense`, `gradients/dense/kernel`.
pub fn histograms(health: &HealthView<'_>) -> Vec<Value> {
    let layers = health.layers.iter().zip(health.histograms);
    let values = layers.flat_map(|(name, layer)| {
        let outputs = layer.outputs.iter();
        let outputs = outputs.map(move |h| histogram(format!("outputs/{name}"), h));
        let gradients = layer.gradients.iter();
        let gradients =
            gradients.map(move |(weight, h)| histogram(format!("gradients/{name}/{weight}"), h));
        outputs.chain(gradients).flatten()
    });
    values.collect()
}

/// A layer's values, named as the columns of `health.csv`.
fn named(layer: &LayerHealth) -> [(&'static str, Option<f64>); 11] {
    let mean = |d: Option<Distribution>| d.map(|d| d.mean);
    let std = |d: Option<Distribution>| d.map(|d| d.std);
    let max = |d: Option<Distribution>| d.map(|d| d.largest);
    [
        ("output_mean", mean(layer.outputs)),
        ("output_std", std(layer.outputs)),
        ("output_max", max(layer.outputs)),
        ("gradient_mean", mean(layer.gradients)),
        ("gradient_std", std(layer.gradients)),
        ("gradient_max", max(layer.gradients)),
        ("gradient_norm", layer.gradient_norm),
        ("weight_norm", layer.weight_norm),
        ("update_ratio", layer.update_ratio),
        ("dead", layer.dead),
        ("saturated", layer.saturated),
    ]
}
