//! `model.weights.h5`: the layers' variables.
//!
//! A layer's path is `layers/<class>[_n]/vars`, numbered by class in the order of the layers; its
//! real name is only an attribute. The variables are numbered from 0.

use super::hdf5::{Array, Attribute, Group, Values};
use crate::base::shape::Shape;
use crate::error::Error;
use crate::model::layers::VariableSpec;
use crate::model::parts::{Unit, own_name};
use crate::model::sequential::snake_case;
use crate::model::{LayerEntry, Model, Source, Weight};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Adds every layer's variables to the tree, in single or in half precision.
pub(crate) fn store(model: &Model, root: &mut Group, half: bool) {
    name(root.child("vars"), &model.name);
    let places = Places::of(model);
    for (part, place) in model.parts.iter().zip(&places.parts) {
        name(group(root, place).child("vars"), part.own_name());
    }
    for (layer, place) in model.layers.iter().zip(&places.layers) {
        let vars = group(root, place).child("vars");
        name(vars, own_name(&layer.name));
        for (i, weight) in layer.weights.iter().enumerate() {
            let array = match weight.name {
                // Keras' only integer variable, which it does not use.
                "count" => Array::whole(0),
                _ if weight.int8 => Array {
                    shape: weight.shape.clone(),
                    values: Values::I8(weight.values.iter().map(|&x| x as i8).collect()),
                },
                _ if half => Array {
                    shape: weight.shape.clone(),
                    values: Values::F16(weight.values.clone()),
                },
                _ => Array::floats(weight.shape.clone(), weight.values.clone()),
            };
            vars.arrays.insert(i.to_string(), array);
        }
    }
}

/// The group of a layer.
fn group<'a>(root: &'a mut Group, place: &[String]) -> &'a mut Group {
    place
        .iter()
        .fold(root, |group, name| group.child("layers").child(name))
}

/// Fills the weights of a model from the tree; without the inputs' shapes it has none yet.
///
/// Weights are allocated layer by layer, from existing arrays only, never by a size that the
/// configuration claims.
pub(crate) fn load(model: &mut Model, root: &mut Group) -> Result<(), String> {
    if !model.is_built() {
        return Ok(());
    }
    let places = Places::of(model);
    let mut shapes: Vec<Shape> = Vec::new();
    let mut loaded = vec![false; model.layers.len()];
    for n in 0..model.nodes.len() {
        let node = &model.nodes[n];
        let inputs = node.inputs.iter().map(|source| match *source {
            Source::Input(i) => model.inputs[i].shape.clone().unwrap_or_default(),
            Source::Node(n) => shapes[n].clone(),
        });
        let inputs: Vec<Shape> = inputs.collect();
        let at = model.place(node);
        let layer = &mut model.layers[node.layer];
        let output = layer.rule.output(&inputs);
        shapes.push(output.map_err(|error| error.under(&at).to_string())?);
        if !std::mem::replace(&mut loaded[node.layer], true) {
            fill(layer, &inputs, root, &places.layers[node.layer])?;
        }
    }
    Ok(())
}

/// The learned vocabularies, by the layers' paths.
pub(crate) fn vocabularies(model: &Model) -> BTreeMap<String, String> {
    let layers = model.layers.iter().zip(Places::of(model).layers);
    let texts = layers.filter_map(|(layer, place)| {
        let text = layer.rule.vocabulary_text()?;
        Some((format!("layers/{}", place.join("/layers/")), text))
    });
    texts.collect()
}

/// Gives lookup layers without a vocabulary the one at their path.
pub(crate) fn take_vocabularies(
    model: &mut Model,
    mut texts: BTreeMap<String, String>,
) -> Result<(), Error> {
    let places = Places::of(model).layers;
    for (layer, place) in model.layers.iter_mut().zip(places) {
        if let Some(text) = texts.remove(&format!("layers/{}", place.join("/layers/"))) {
            let taken = layer.rule.take_vocabulary(&text);
            taken.map_err(|error| error.under(&format!("layer {}", layer.name)))?;
        }
    }
    Ok(())
}

/// Fills the weights of one layer.
fn fill(
    layer: &mut LayerEntry,
    inputs: &[Shape],
    root: &mut Group,
    place: &[String],
) -> Result<(), String> {
    let at = format!("layer {}", layer.name);
    let path = format!("layers/{}/vars", place.join("/layers/"));
    let found = place.iter().try_fold(root, |group, name| {
        let layers = group.groups.get_mut("layers")?;
        layers.groups.get_mut(name)
    });
    let vars = found.and_then(|layer| layer.groups.get_mut("vars"));
    let arrays = match vars {
        Some(vars) => std::mem::take(&mut vars.arrays),
        None => Default::default(),
    };
    let specs = layer.rule.variables(inputs);
    if arrays.len() != specs.len() {
        return Err(format!(
            "{at}: {} arrays in {path}, expected {}",
            arrays.len(),
            specs.len()
        ));
    }
    let mut arrays: HashMap<String, Array> = arrays.into_iter().collect();
    layer.weights.clear();
    for (i, spec) in specs.into_iter().enumerate() {
        let at = format!("{at}, {} ({path}/{i})", spec.name);
        let Some(array) = arrays.remove(&i.to_string()) else {
            return Err(format!("{at} is missing"));
        };
        layer.weights.push(Weight {
            values: match spec.name {
                "count" => array.as_whole().map(|_| vec![0.0]).ok_or_else(wrong_count),
                _ if spec.int8 => int8(array, &spec.shape),
                _ => floats(array, &spec.shape),
            }
            .map_err(|problem| format!("{at}: {problem}"))?,
            name: spec.name,
            shape: spec.shape,
            trainable: spec.trainable,
            int8: spec.int8,
        });
    }
    Ok(())
}

/// The tree of a `.keras` file from arrays under the names of layers, or of nested models. All are
/// matched by name; if `by_order`, and there are other names among them, by the order of the layers
/// with weights, as in Keras 2.
pub(crate) fn arranged(
    model: &Model,
    named: Vec<(String, Vec<Array>)>,
    by_order: bool,
) -> Result<Group, String> {
    let units = model.units(None);
    let all = units.all();
    let specs = specs(model)?;
    let layers_of = |unit: &Unit| match *unit {
        Unit::Layer(l) => l..l + 1,
        Unit::Part(p) => model.parts[p].layers.clone(),
    };
    let names: HashSet<&str> = all.iter().map(|unit| units.name(*unit)).collect();
    let is_known = |name: &str| names.contains(name);
    let of_others = |(name, arrays): &(String, Vec<Array>)| !arrays.is_empty() && !is_known(name);
    let mut arrays: BTreeMap<&str, Vec<Array>> = BTreeMap::new();
    if by_order && named.iter().any(of_others) {
        let has_weights = |unit: &&Unit| layers_of(unit).any(|l| !specs[l].is_empty());
        let (weighty, others): (Vec<&Unit>, Vec<&Unit>) = all.iter().partition(has_weights);
        let found: Vec<_> = named.into_iter().filter(|(_, a)| !a.is_empty()).collect();
        if weighty.len() != found.len() {
            return Err(format!(
                "weights of {} layers, expected those of {}",
                found.len(),
                weighty.len()
            ));
        }
        let found = found.into_iter().map(|(_, arrays)| arrays);
        arrays.extend(weighty.iter().map(|unit| units.name(**unit)).zip(found));
        let others = others.into_iter().map(|unit| units.name(*unit));
        arrays.extend(others.map(|name| (name, Vec::new())));
    } else {
        for (name, found) in named {
            match names.get(name.as_str()) {
                Some(name) => {
                    arrays.insert(name, found);
                }
                None if found.is_empty() => {}
                None => {
                    return Err(format!(
                        "weights of a layer {name}, which is not in the model"
                    ));
                }
            }
        }
    }
    let mut root = Group::default();
    let places = Places::of(model).layers;
    for unit in &all {
        let name = units.name(*unit);
        let Some(found) = arrays.remove(name) else {
            return Err(format!("layer {name}: its weights are missing"));
        };
        match unit {
            Unit::Layer(l) => number(group(&mut root, &places[*l]).child("vars"), found),
            Unit::Part(_) => {
                for (layer, own) in dealt(model, &specs, layers_of(unit), found, name)? {
                    number(group(&mut root, &places[layer]).child("vars"), own);
                }
            }
        }
    }
    Ok(root)
}

/// Distributes a nested model's arrays over its layers: Keras stores the trainable ones first, in
/// the order of the layers, then the others.
fn dealt(
    model: &Model,
    specs: &[Vec<VariableSpec>],
    layers: std::ops::Range<usize>,
    arrays: Vec<Array>,
    name: &str,
) -> Result<BTreeMap<usize, Vec<Array>>, String> {
    let of = |trained: bool| {
        let places = layers
            .clone()
            .flat_map(|l| (0..specs[l].len()).map(move |n| (l, n)));
        places
            .filter(move |&(l, n)| (specs[l][n].trainable && model.layers[l].trainable) == trained)
    };
    let order: Vec<(usize, usize)> = of(true).chain(of(false)).collect();
    if order.len() != arrays.len() {
        let found = arrays.len();
        return Err(format!("{name}: {found} arrays, expected {}", order.len()));
    }
    let mut placed: Vec<((usize, usize), Array)> = order.into_iter().zip(arrays).collect();
    placed.sort_by_key(|(place, _)| *place);
    let mut dealt: BTreeMap<usize, Vec<Array>> = BTreeMap::new();
    for ((layer, _), array) in placed {
        dealt.entry(layer).or_default().push(array);
    }
    Ok(dealt)
}

/// The variables of each layer; empty if the inputs' shapes are unknown.
fn specs(model: &Model) -> Result<Vec<Vec<VariableSpec>>, String> {
    let mut specs = vec![Vec::new(); model.layers.len()];
    if model.is_built() {
        let shapes = model.shapes().map_err(|error| error.to_string())?;
        for (node, (inputs, _)) in model.nodes.iter().zip(&shapes) {
            if specs[node.layer].is_empty() {
                specs[node.layer] = model.layers[node.layer].rule.variables(inputs);
            }
        }
    }
    Ok(specs)
}

/// Converts a tree of Keras 2.12 to 2.14 to Keras 3's paths. Its names count a layer with weights
/// twice; on Windows, it used paths as names.
pub(crate) fn modernized(model: &Model, root: Group) -> Result<Group, String> {
    let mut root = unfolded(root)?;
    if let Some(old) = root.groups.remove(OLD_LAYERS) {
        let layers = renumbered(model, None, old);
        root.groups.insert("layers".to_owned(), layers);
    }
    Ok(root)
}

/// Group of the layers in Keras 2.12 to 2.14.
pub(crate) const OLD_LAYERS: &str = "_layer_checkpoint_dependencies";

fn renumbered(model: &Model, part: Option<usize>, mut old: Group) -> Group {
    let (mut counts, mut old_counts) = (HashMap::new(), HashMap::new());
    let mut layers = Group::default();
    for unit in model.units(part).all() {
        let class = snake_case(class_of(model, unit));
        let next = |counts: &mut HashMap<String, usize>, by: usize| {
            let count = counts.entry(class.clone()).or_default();
            *count += by;
            match *count - by {
                0 => class.clone(),
                n => format!("{class}_{n}"),
            }
        };
        let found = old.groups.remove(&next(&mut old_counts, 1));
        let mut found = found.unwrap_or_default();
        if let Unit::Part(p) = unit
            && let Some(inner) = found.groups.remove(OLD_LAYERS)
        {
            let inner = renumbered(model, Some(p), inner);
            found.groups.insert("layers".to_owned(), inner);
        }
        if has_arrays(&found) {
            next(&mut old_counts, 1);
        }
        layers.groups.insert(next(&mut counts, 1), found);
    }
    layers
}

fn has_arrays(group: &Group) -> bool {
    !group.arrays.is_empty() || group.groups.values().any(has_arrays)
}

/// Turns groups with Windows paths as names into nested groups.
fn unfolded(group: Group) -> Result<Group, String> {
    /// Depth limit, deeper than any nested model.
    const MOST: usize = 64;
    let mut unfolded = Group {
        attributes: group.attributes,
        groups: BTreeMap::new(),
        arrays: group.arrays,
    };
    for (path, child) in group.groups {
        let names: Vec<&str> = path.split('\\').collect();
        if names.len() > MOST {
            return Err(format!("groups nested deeper than {MOST}"));
        }
        let folder = names
            .into_iter()
            .fold(&mut unfolded, |folder, name| folder.child(name));
        let mut child = self::unfolded(child)?;
        folder.attributes.append(&mut child.attributes);
        folder.arrays.append(&mut child.arrays);
        folder.groups.append(&mut child.groups);
    }
    Ok(unfolded)
}

/// Adds arrays to a group, numbered from 0.
pub(crate) fn number(vars: &mut Group, arrays: Vec<Array>) {
    let arrays = arrays.into_iter().enumerate();
    vars.arrays = arrays.map(|(i, array)| (i.to_string(), array)).collect();
}

/// A tree from which [`named`] gives the names of these layers.
pub(crate) fn by_names(named: Vec<(String, Vec<Array>)>) -> Group {
    let mut root = Group::default();
    for (layer, arrays) in named {
        number(root.child("layers").child(&layer).child("vars"), arrays);
    }
    root
}

/// The floats of the tree with their names: the layer's own and the array's number, `dense/0`;
/// within a nested model with its name as a prefix.
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

/// The values of an array of int8, if it has that shape.
fn int8(array: Array, shape: &[usize]) -> Result<Vec<f32>, String> {
    check_shape(&array, shape)?;
    let int8 = |x: &i32| i8::try_from(*x).map(f32::from);
    let values = match &array.values {
        Values::I32(values) => values.iter().map(int8).collect::<Result<_, _>>().ok(),
        _ => None,
    };
    values.ok_or_else(|| "expected whole numbers from -128 to 127 alone".to_owned())
}

fn check_shape(array: &Array, shape: &[usize]) -> Result<(), String> {
    match array.shape == shape {
        true => Ok(()),
        false => Err(format!("found shape {:?}, expected {shape:?}", array.shape)),
    }
}

/// An array's values, if it has that shape.
pub(crate) fn floats(array: Array, shape: &[usize]) -> Result<Vec<f32>, String> {
    check_shape(&array, shape)?;
    match array.values {
        Values::F32(values) => Ok(values),
        _ => Err("found whole numbers, expected floats".to_owned()),
    }
}

/// Stores the real name as an attribute of a group.
pub(crate) fn name(vars: &mut Group, name: &str) {
    let name = Attribute::Text(name.to_owned());
    vars.attributes.insert("name".to_owned(), name);
}

/// Keras' class of a layer, or of a nested model.
fn class_of(model: &Model, unit: Unit) -> &str {
    match unit {
        Unit::Layer(l) => model.layers[l].rule.class(),
        Unit::Part(p) if model.parts[p].chain => "Sequential",
        Unit::Part(_) => "Functional",
    }
}

/// The paths of layers and parts in the file.
struct Places {
    layers: Vec<Vec<String>>,
    parts: Vec<Vec<String>>,
}

impl Places {
    fn of(model: &Model) -> Self {
        let mut places = Places {
            layers: vec![Vec::new(); model.layers.len()],
            parts: vec![Vec::new(); model.parts.len()],
        };
        places.fill(model, None, &[]);
        places
    }

    /// `dense`, `dense_1`, … in the model, or in a part.
    fn fill(&mut self, model: &Model, part: Option<usize>, before: &[String]) {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for unit in model.units(part).all() {
            let class = class_of(model, unit);
            let count = counts.entry(class).or_default();
            *count += 1;
            let name = match *count {
                1 => snake_case(class),
                n => format!("{}_{}", snake_case(class), n - 1),
            };
            let place: Vec<String> = before.iter().cloned().chain([name]).collect();
            match unit {
                Unit::Layer(l) => self.layers[l] = place,
                Unit::Part(p) => {
                    self.fill(model, Some(p), &place);
                    self.parts[p] = place;
                }
            }
        }
    }
}
