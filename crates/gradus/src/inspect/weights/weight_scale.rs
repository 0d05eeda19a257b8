//! Kernels far larger or smaller than initializers make them.

use crate::data::checks::Finding;
use crate::inspect::graph::{Graph, at};
use crate::model::Model;

const NAME: &str = "weight_scale";
/// Ratio to an initializer's scale above which a kernel is suspicious.
const LARGE: f64 = 30.0;
/// Ratio below which it is suspicious.
const SMALL: f64 = 0.01;

pub(super) fn look(model: &Model) -> Vec<Finding> {
    let mut findings = Vec::new();
    for layer in Graph::of(model)
        .products
        .iter()
        .filter(|layer| !layer.is_last)
    {
        let Some(kernel) = layer.entry.weights.first() else {
            continue;
        };
        // Whole numbers are divided by the scale of their column, the last weight.
        let scales = layer.entry.weights.last().filter(|_| kernel.int8);
        let scale = |place: usize| scales.map_or(1.0, |s| s.values[place % s.values.len()]);
        let numbers = kernel.values.iter().enumerate();
        let squares = numbers.map(|(place, x)| f64::from(x / scale(place)).powi(2));
        let squares: f64 = squares.sum();
        let size = (squares / kernel.values.len().max(1) as f64).sqrt();
        // LeCun's deviation, which preserves the scale of activations.
        let inputs = layer.inputs().unwrap_or(1).max(1);
        let usual = (1.0 / inputs as f64).sqrt();
        let advice = if size > LARGE * usual {
            "it may have blown up: `clipnorm`, a `MaxNorm` constraint, scaled inputs"
        } else if size > 0.0 && size < SMALL * usual {
            "hardly anything gets through: is it regularized too much?"
        } else {
            continue;
        };
        let found = format!(
            "its weights are {:.3} times as large as what keeps a signal's size ({size:.2e} in the quadratic mean)",
            size / usual
        );
        findings.push(Finding::warning(NAME, at(&layer.entry.name), found, advice));
    }
    findings
}
