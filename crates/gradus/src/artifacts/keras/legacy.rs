//! Whole-model `.h5` files, the format before `.keras`: of Keras 2 and 3.
//!
//! The model is JSON in an attribute, weights are stored under the layers' own names, the
//! optimizer's state under names of its variables. All that is converted to the form of a `.keras`
//! file, and then read as one.

use super::config::MAX_JSON;
use super::hdf5::{Array, Attribute, Group};
use super::keras2::{modern, with_shape};
use crate::base::registry::Value;
use serde_json::json;

/// Advice for a file of weights in place of a model.
pub(crate) const ALONE: &str = "holds weights alone, as `save_weights` writes them: load them \
                                into a model (`gradus convert WEIGHTS OUT.keras --model MODEL`)";

/// The first bytes of every HDF5 file.
pub(crate) const MAGIC: [u8; 8] = *b"\x89HDF\r\n\x1a\n";

/// The configuration in Keras 3's form.
pub(crate) fn config(root: &Group) -> Result<String, String> {
    let Some(model) = json(root, "model_config")? else {
        return Err(match holds_weights(root) {
            true => format!("not a model that Keras saved: it {ALONE}"),
            false => "not a model that Keras saved: it has no attribute model_config".to_owned(),
        });
    };
    let mut model = with_shape(modern(model));
    let training = json(root, "training_config")?;
    // A configuration that is no object is refused where it is read.
    if let (Some(training), Some(model)) = (training, model.as_object_mut()) {
        model.insert("compile_config".into(), compile_config(modern(training)));
    }
    Ok(model.to_string())
}

fn json(root: &Group, name: &str) -> Result<Option<Value>, String> {
    match root.attributes.get(name) {
        None => Ok(None),
        Some(Attribute::Text(text)) if text.len() as u64 <= MAX_JSON => serde_json::from_str(text)
            .map(Some)
            .map_err(|error| format!("{name} is not JSON: {error}")),
        Some(Attribute::Text(text)) => {
            let size = text.len();
            Err(format!("{name} has {size} bytes, too much to be a model's"))
        }
        Some(_) => Err(format!("{name} is no text")),
    }
}

/// `training_config` as `compile_config`.
fn compile_config(mut training: Value) -> Value {
    let Some(config) = training.as_object_mut() else {
        return json!({});
    };
    if let Some(mut optimizer) = config.remove("optimizer_config") {
        // Keras 2.11 to 2.15 name their own optimizers this way; gradus knows them by their plain
        // names.
        let class = optimizer["class_name"].as_str();
        if let Some(own) = class.and_then(|class| class.strip_prefix("Custom>")) {
            optimizer["class_name"] = own.to_owned().into();
        }
        config.insert("optimizer".into(), optimizer);
    }
    training
}

/// The arrays of each layer with its name, in the layer's order.
pub(crate) fn layers(root: &mut Group) -> Result<Vec<(String, Vec<Array>)>, String> {
    match root.groups.remove("model_weights") {
        Some(weights) => layers_in(weights, "model_weights/"),
        None => Err("it has no group model_weights".to_owned()),
    }
}

/// True if a file holds only weights, as Keras 2's `save_weights` writes them.
pub(crate) fn is_weights(root: &Group) -> bool {
    let has = |name: &str| root.attributes.contains_key(name);
    (has("layer_names") || has("layer_names0")) && !has("model_config")
}

/// True if it is such a file, or a `.weights.h5` file.
pub(crate) fn holds_weights(root: &Group) -> bool {
    let folders = ["layers", super::weights::OLD_LAYERS];
    let has = |folder: &&str| root.groups.contains_key(*folder);
    is_weights(root) || !root.attributes.contains_key("model_config") && folders.iter().any(has)
}

/// The arrays of each layer of a file of Keras 2's weights.
pub(crate) fn weights(root: Group) -> Result<Vec<(String, Vec<Array>)>, String> {
    layers_in(root, "")
}

fn layers_in(mut weights: Group, at: &str) -> Result<Vec<(String, Vec<Array>)>, String> {
    let names = texts(&weights, "layer_names").into_iter();
    let taken = names.map(|layer| {
        let at = format!("{at}{layer}");
        let mut group = weights.groups.remove(&layer);
        let group = group.as_mut().ok_or_else(|| format!("{at} is missing"))?;
        Ok((layer, listed(group, &at)?))
    });
    taken.collect()
}

/// The optimizer's variables in order; `None` for Keras 2's, which are different and numbered
/// differently: Keras 3 ignores them, too.
pub(crate) fn optimizer(root: &mut Group) -> Result<Option<Vec<Array>>, String> {
    let three = match root.attributes.get("keras_version") {
        Some(Attribute::Text(version)) => version.starts_with("3."),
        _ => false,
    };
    match root.groups.remove("optimizer_weights") {
        Some(mut group) if three => listed(&mut group, "optimizer_weights").map(Some),
        Some(_) => Ok(None),
        None => Ok(Some(Vec::new())),
    }
}

/// The arrays that a group lists in `weight_names`.
fn listed(group: &mut Group, at: &str) -> Result<Vec<Array>, String> {
    let names = texts(group, "weight_names").into_iter();
    let taken = names.map(|path| {
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", &path));
        let folders = folders.split('/').filter(|folder| !folder.is_empty());
        let mut folder = Some(&mut *group);
        for name in folders {
            folder = folder.and_then(|group| group.groups.get_mut(name));
        }
        let array = folder.and_then(|group| group.arrays.remove(name));
        array.ok_or_else(|| format!("{at}/{path} is missing"))
    });
    taken.collect()
}

/// A list of names, which Keras splits into chunks if it is long.
fn texts(group: &Group, name: &str) -> Vec<String> {
    let list = |name: &str| match group.attributes.get(name) {
        Some(Attribute::Texts(texts)) => Some(texts.clone()),
        Some(Attribute::Text(text)) => Some(vec![text.clone()]),
        _ => None,
    };
    list(name).unwrap_or_else(|| {
        let pieces = (0..).map_while(|n| list(&format!("{name}{n}")));
        pieces.flatten().collect()
    })
}
