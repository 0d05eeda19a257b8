//! The names of layers.

use super::super::messages::Node;
use crate::model::sequential::snake_case;

/// Words that exporters put behind a layer's name for its weights.
const WEIGHTS: &[&str] = &[
    "weight",
    "kernel",
    "bias",
    "gamma",
    "beta",
    "alpha",
    "scale",
    "running_mean",
    "moving_mean",
];

/// Longest name of a layer.
const LONGEST: usize = 60;

/// The name of a layer: its weights', or its node's folder, else of its class.
pub(super) fn name_of(node: &Node, weight: Option<&str>, class: &str) -> String {
    let of_weight = weight.and_then(|weight| {
        let (layer, last) = weight.rsplit_once(['.', '/'])?;
        WEIGHTS.contains(&last).then_some(layer)
    });
    let folder = node.name.rsplit_once('/').map(|(folder, _)| folder);
    let name = of_weight.or(folder).unwrap_or_default();
    let fine = |c: char| c.is_alphanumeric() || "._-".contains(c);
    let name: String = name
        .trim_matches('/')
        .chars()
        .take(LONGEST)
        .map(|c| if fine(c) { c } else { '_' })
        .collect();
    match name.is_empty() {
        true => snake_case(class),
        false => name,
    }
}
