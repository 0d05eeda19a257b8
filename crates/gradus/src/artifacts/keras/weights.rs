//! `model.weights.h5`: the layers' variables.
//!
//! A layer's place is `layers/<class>[_n]/vars`, counted by class in the order
//! of the layers; its real name is only an attribute there. The variables are
//! numbered from 0.

use super::hdf5::{Array, Attribute, Group};
use crate::base::shape::Shape;
use crate::model::sequential::snake_case;
use crate::model::{LayerEntry, Model, Weight};
use std::collections::{BTreeMap, HashMap};

/// Puts every layer's variables in the tree.
pub(crate) fn store(model: &Model, root: &mut Group) {
    name(root.child("vars"), &model.name);
    for (layer, place) in model.layers.iter().zip(places(&model.layers)) {
        let vars = root.child("layers").child(&place).child("vars");
        name(vars, &layer.name);
        for (i, weight) in layer.weights.iter().enumerate() {
            let array = match weight.name {
                // Keras' only variable of whole numbers; it has no use for it.
                "count" => Array::whole(0),
                _ => Array::floats(weight.shape.clone(), weight.values.clone()),
            };
            vars.arrays.insert(i.to_string(), array);
        }
    }
}

/// Fills the weights of a chain of layers from the tree.
///
/// Layer by layer, and only from arrays that are there: a size that the
/// configuration merely claims is never allocated.
pub(crate) fn load(
    layers: &mut [LayerEntry],
    input: &Shape,
    root: &mut Group,
) -> Result<(), String> {
    let places = places(layers);
    let mut shape = input.clone();
    for (layer, place) in layers.iter_mut().zip(places) {
        let at = format!("layer {}", layer.name);
        let output = layer.rule.output(std::slice::from_ref(&shape));
        let output = output.map_err(|error| error.under(&at).to_string())?;
        let vars = root
            .groups
            .get_mut("layers")
            .and_then(|layers| layers.groups.get_mut(&place))
            .and_then(|layer| layer.groups.get_mut("vars"));
        let arrays = match vars {
            Some(vars) => std::mem::take(&mut vars.arrays),
            None => Default::default(),
        };
        let specs = layer.rule.variables(std::slice::from_ref(&shape));
        if arrays.len() != specs.len() {
            return Err(format!(
                "{at}: {} arrays in layers/{place}/vars, expected {}",
                arrays.len(),
                specs.len()
            ));
        }
        let mut arrays: HashMap<String, Array> = arrays.into_iter().collect();
        layer.weights.clear();
        for (i, spec) in specs.into_iter().enumerate() {
            let at = format!("{at}, {} (layers/{place}/vars/{i})", spec.name);
            let Some(array) = arrays.remove(&i.to_string()) else {
                return Err(format!("{at} is missing"));
            };
            layer.weights.push(Weight {
                values: match spec.name {
                    "count" => array.as_whole().map(|_| vec![0.0]).ok_or_else(wrong_count),
                    _ => floats(array, &spec.shape),
                }
                .map_err(|problem| format!("{at}: {problem}"))?,
                name: spec.name,
                shape: spec.shape,
                trainable: spec.trainable,
            });
        }
        shape = output;
    }
    Ok(())
}

/// The tree of a `.keras` file, of arrays that were kept under the layers' names.
pub(crate) fn arranged(
    layers: &[LayerEntry],
    mut arrays: BTreeMap<String, Vec<Array>>,
) -> Result<Group, String> {
    let mut root = Group::default();
    for (layer, place) in layers.iter().zip(places(layers)) {
        let Some(arrays) = arrays.remove(&layer.name) else {
            return Err(format!("layer {}: its weights are missing", layer.name));
        };
        fill(root.child("layers").child(&place).child("vars"), arrays);
    }
    match arrays.into_iter().find(|(_, arrays)| !arrays.is_empty()) {
        Some((name, _)) => Err(format!(
            "weights of a layer {name}, which is not in the model"
        )),
        None => Ok(root),
    }
}

/// Puts arrays in a group, numbered from 0.
pub(crate) fn fill(vars: &mut Group, arrays: Vec<Array>) {
    let arrays = arrays.into_iter().enumerate();
    vars.arrays = arrays.map(|(i, array)| (i.to_string(), array)).collect();
}

/// The floats of the tree with their names: the layer's own and the array's
/// number, `dense/0`; in a model inside the model with that one's before it.
pub(crate) fn named(root: Group) -> Vec<(String, Array)> {
    fn collect(group: Group, prefix: &str, found: &mut Vec<(String, Array)>) {
        for (place, mut layer) in group.groups.into_iter() {
            let vars = layer.groups.remove("vars").unwrap_or_default();
            let own = match vars.attributes.get("name") {
                Some(Attribute::Text(name)) => name,
                _ => &place,
            };
            let path = format!("{prefix}{own}");
            for (number, array) in vars.arrays {
                found.push((format!("{path}/{number}"), array));
            }
            if let Some(inner) = layer.groups.remove("layers") {
                collect(inner, &format!("{path}/"), found);
            }
        }
    }
    let mut found = Vec::new();
    let mut root = root;
    if let Some(layers) = root.groups.remove("layers") {
        collect(layers, "", &mut found);
    }
    found
}

fn wrong_count() -> String {
    "expected a single whole number".to_owned()
}

/// An array's numbers, if it has that shape.
pub(crate) fn floats(array: Array, shape: &[usize]) -> Result<Vec<f32>, String> {
    if array.shape != shape {
        return Err(format!("found shape {:?}, expected {shape:?}", array.shape));
    }
    match array.values {
        super::hdf5::Values::F32(values) => Ok(values),
        _ => Err("found whole numbers, expected floats".to_owned()),
    }
}

/// Notes the real name of what a group's arrays belong to.
pub(crate) fn name(vars: &mut Group, name: &str) {
    let name = Attribute::Text(name.to_owned());
    vars.attributes.insert("name".to_owned(), name);
}

/// Each layer's place, `dense`, `dense_1`, ….
fn places(layers: &[LayerEntry]) -> Vec<String> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    layers
        .iter()
        .map(|layer| {
            let class = layer.rule.class();
            let count = counts.entry(class).or_default();
            *count += 1;
            match *count {
                1 => snake_case(class),
                n => format!("{}_{}", snake_case(class), n - 1),
            }
        })
        .collect()
}
