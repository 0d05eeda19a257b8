//! Layers that use another one's kernel.

use super::graph::Model;
use crate::base::shape::Shape;
use crate::error::{Error, Result};

/// The index of the layer whose kernel that layer shares, if any.
pub(super) fn owner(model: &Model, layer: usize) -> Result<Option<usize>> {
    let entry = &model.layers[layer];
    let Some(owner) = entry.rule.tied_to() else {
        return Ok(None);
    };
    // Layers of a part name each other without the part's name.
    let part = entry.name.rfind('/').map_or("", |end| &entry.name[..=end]);
    let name = format!("{part}{owner}");
    match model.layers.iter().position(|other| other.name == name) {
        Some(found) => Ok(Some(found)),
        None => {
            let at = format!("layer {}: tied_to", entry.name);
            let names = model.layers.iter().map(|other| other.name.as_str());
            Err(Error::unknown(&at, "layer", &name, names))
        }
    }
}

/// Refuses a tied layer that gives and takes something else than its kernel takes and
/// gives.
pub(super) fn check(model: &Model, shapes: &[(Vec<Shape>, Shape)]) -> Result<()> {
    for (node, (inputs, output)) in model.nodes.iter().zip(shapes) {
        let Some(owner) = owner(model, node.layer)? else {
            continue;
        };
        let (name, owner) = (&model.layers[node.layer].name, &model.layers[owner]);
        let kernel = match (owner.rule.as_dense(), owner.weights.first()) {
            (Some(_), Some(kernel)) => kernel,
            _ => {
                let at = format!("layer {name}: tied_to");
                let found = format!("{}, a layer {}", owner.name, owner.rule.class());
                return Err(Error::invalid(&at, found, "a Dense layer of the model"));
            }
        };
        let found = [output.last(), inputs[0].last()];
        if kernel.shape != found {
            let at = format!("layer {name}");
            let found = format!("{} inputs and {} units", found[1], found[0]);
            let expected = format!(
                "{} inputs and {} units, those of {} the other way round",
                kernel.shape[1], kernel.shape[0], owner.name
            );
            return Err(Error::shape(&at, found, expected));
        }
    }
    Ok(())
}
