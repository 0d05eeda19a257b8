//! Memory that a model's weights will take, looked at before they are made.

use super::graph::Model;
use super::layers::VariableSpec;
use crate::base::memory;
use crate::base::shape::Shape;
use crate::error::Result;

/// Refuses weights that do not fit into memory, by the layer with the largest. `shapes` are those
/// of each node's inputs and output.
pub(super) fn check(model: &Model, shapes: &[(Vec<Shape>, Shape)]) -> Result<()> {
    let mut seen = vec![false; model.layers.len()];
    let mut whole = Some(0_u64);
    let mut largest: Option<(u64, &str, VariableSpec)> = None;
    for (node, (inputs, _)) in model.nodes.iter().zip(shapes) {
        let layer = &model.layers[node.layer];
        if std::mem::replace(&mut seen[node.layer], true) || !layer.weights.is_empty() {
            continue;
        }
        for spec in layer.rule.variables(inputs) {
            let bytes = memory::bytes(size_of::<f32>(), &spec.shape);
            whole = whole.zip(bytes).and_then(|(a, b)| a.checked_add(b));
            let order = bytes.unwrap_or(u64::MAX);
            if largest.as_ref().is_none_or(|(most, ..)| order > *most) {
                largest = Some((order, &layer.name, spec));
            }
        }
    }
    let Some((_, layer, spec)) = largest else {
        return Ok(());
    };
    memory::check(&format!("layer {layer}"), whole, |amount| {
        let largest = format!("{} {:?}", spec.name, spec.shape);
        format!("weights of {amount}, the largest of them {largest}")
    })
}
