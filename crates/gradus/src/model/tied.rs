//! Layers that use another one's kernel.

use super::graph::{LayerEntry, Model};
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use std::collections::HashMap;

/// Of each layer, the index of the layer whose kernel it shares, if any.
pub(super) fn owners(model: &Model) -> Result<Vec<Option<usize>>> {
    let layers = &model.layers;
    if layers.iter().all(|layer| layer.rule.tied_to().is_none()) {
        return Ok(vec![None; layers.len()]);
    }
    let names = layers.iter().map(|layer| layer.name.as_str());
    let numbers: HashMap<&str, usize> = names.clone().zip(0..).collect();
    let owner = |entry: &LayerEntry| {
        let Some(owner) = entry.rule.tied_to() else {
            return Ok(None);
        };
        // Layers of a part name each other without the part's name.
        let part = entry.name.rfind('/').map_or("", |end| &entry.name[..=end]);
        let name = format!("{part}{owner}");
        match numbers.get(name.as_str()) {
            Some(&found) => Ok(Some(found)),
            None => {
                let at = format!("layer {}: tied_to", entry.name);
                Err(Error::unknown(&at, "layer", &name, names.clone()))
            }
        }
    };
    layers.iter().map(owner).collect()
}

impl Model {
    /// Names of the layers whose kernel another layer uses.
    pub(crate) fn shared_kernels(&self) -> Result<Vec<String>> {
        let owners = owners(self)?;
        let names = owners.into_iter().flatten().map(|n| &self.layers[n].name);
        Ok(names.cloned().collect())
    }
}

/// Refuses a tied layer that gives and takes something else than its kernel takes and
/// gives.
pub(super) fn check(model: &Model, shapes: &[(Vec<Shape>, Shape)]) -> Result<()> {
    let owners = owners(model)?;
    for (node, (inputs, output)) in model.nodes.iter().zip(shapes) {
        let Some(owner) = owners[node.layer] else {
            continue;
        };
        let (name, owner) = (&model.layers[node.layer].name, &model.layers[owner]);
        let kernel = match (owner.rule.as_dense(), owner.weights.first()) {
            (Some(dense), Some(kernel)) if dense.quantization.is_none() => kernel,
            _ => {
                let at = format!("layer {name}: tied_to");
                let found = format!("{}, a layer {}", owner.name, owner.rule.class());
                let expected = "a Dense layer of the model that is not quantized";
                return Err(Error::invalid(&at, found, expected));
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
