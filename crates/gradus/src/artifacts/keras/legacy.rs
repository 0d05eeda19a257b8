//! Whole-model `.h5` files, the format before `.keras`: of Keras 2 and 3.
//!
//! The model is JSON in an attribute, weights lie under the layers' own names,
//! the optimizer's state under names that say whose it is. Here all that becomes
//! what a `.keras` file would have; what is known of it is decided there.

use super::hdf5::{Array, Attribute, Group};
use crate::base::registry::Value;
use serde_json::{Map, json};
use std::collections::BTreeMap;

/// As for the `config.json` of a `.keras` file.
const MAX_JSON: usize = 4 << 20;

/// The first bytes of every HDF5 file.
pub(crate) const MAGIC: [u8; 8] = *b"\x89HDF\r\n\x1a\n";

/// The configuration in Keras 3's form.
pub(crate) fn config(root: &Group) -> Result<String, String> {
    let Some(model) = json(root, "model_config")? else {
        let found = match root.groups.contains_key("layers") {
            true => "it holds weights alone, as `save_weights` writes them: load them into a model",
            false => "it has no attribute model_config",
        };
        return Err(format!("not a model that Keras saved: {found}"));
    };
    let mut model = modern(model);
    if let Some(config) = model.get_mut("config").and_then(Value::as_object_mut) {
        first_shape(config);
    }
    if let Some(training) = json(root, "training_config")? {
        model["compile_config"] = compile_config(modern(training));
    }
    Ok(model.to_string())
}

fn json(root: &Group, name: &str) -> Result<Option<Value>, String> {
    match root.attributes.get(name) {
        None => Ok(None),
        Some(Attribute::Text(text)) if text.len() <= MAX_JSON => serde_json::from_str(text)
            .map(Some)
            .map_err(|error| format!("{name} is not JSON: {error}")),
        Some(Attribute::Text(text)) => {
            let size = text.len();
            Err(format!("{name} has {size} bytes, too much to be a model's"))
        }
        Some(_) => Err(format!("{name} is no text")),
    }
}

/// Objects with what Keras 3 writes of them, where Keras 2 left it away.
fn modern(value: Value) -> Value {
    match value {
        Value::Object(mut object) => {
            let class = object.get("class_name").and_then(Value::as_str);
            let class = class.map(str::to_owned);
            if let Some(class) = &class
                && object.get("config").is_some_and(Value::is_object)
            {
                object.entry("module").or_insert("keras".into());
                object.entry("registered_name").or_insert(Value::Null);
                if class == "Model" {
                    object.insert("class_name".into(), "Functional".into());
                }
                if let Some(Value::Object(config)) = object.get_mut("config") {
                    rename(class, config);
                }
            }
            let fields = object.into_iter();
            fields.map(|(key, value)| (key, modern(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(modern).collect(),
        plain => plain,
    }
}

/// Arguments that Keras 3 calls otherwise, or no longer has.
fn rename(class: &str, config: &mut Map<String, Value>) {
    let mut renamed = |class_has: bool, old: &str, new: &str| {
        if class_has
            && !config.contains_key(new)
            && let Some(value) = config.remove(old)
        {
            config.insert(new.to_owned(), value);
        }
    };
    renamed(class == "LeakyReLU", "alpha", "negative_slope");
    renamed(true, "lr", "learning_rate");
    renamed(true, "batch_input_shape", "batch_shape");
    // Not a layer's own business: the one that is first says it for the model.
    if class != "InputLayer"
        && class != "Sequential"
        && let Some(shape) = config.remove("batch_shape")
    {
        config.insert(FIRST.to_owned(), shape);
    }
    if class == "BatchNormalization"
        && let Some(Value::Array(axes)) = config.get("axis")
        && let [axis] = axes.as_slice()
    {
        let axis = axis.clone();
        config.insert("axis".into(), axis);
    }
    // What changes nothing at these values, and Keras 3 never writes.
    let neutral = [
        ("decay", json!(0.0)),
        ("jit_compile", json!(false)),
        ("jit_compile", json!(true)),
        ("is_legacy_optimizer", json!(false)),
        ("sparse", json!(false)),
        ("ragged", json!(false)),
    ];
    for (name, value) in neutral {
        if config.get(name) == Some(&value) {
            config.remove(name);
        }
    }
    if config.get("reduction") == Some(&"auto".into()) {
        config.insert("reduction".into(), "sum_over_batch_size".into());
    }
}

/// Where the first layer's shape is kept until the model has it.
const FIRST: &str = "\0batch_shape";

/// Gives the model the input shape that Keras 2 noted on its first layer.
fn first_shape(config: &mut Map<String, Value>) {
    let mut first = None;
    if let Some(Value::Array(layers)) = config.get_mut("layers") {
        for layer in layers {
            let config = layer.get_mut("config").and_then(Value::as_object_mut);
            if let Some(shape) = config.and_then(|config| config.remove(FIRST)) {
                first.get_or_insert(shape);
            }
        }
    }
    if let Some(shape) = first {
        config.entry("build_input_shape").or_insert(shape);
    }
}

/// `training_config` as `compile_config`.
fn compile_config(mut training: Value) -> Value {
    let Some(config) = training.as_object_mut() else {
        return json!({});
    };
    if let Some(mut optimizer) = config.remove("optimizer_config") {
        // Keras 2.11 to 2.15 write their own so; what it is, gradus knows by its name.
        let class = optimizer["class_name"].as_str();
        if let Some(own) = class.and_then(|class| class.strip_prefix("Custom>")) {
            optimizer["class_name"] = own.to_owned().into();
        }
        config.insert("optimizer".into(), optimizer);
    }
    for key in ["metrics", "weighted_metrics"] {
        if let Some(metrics) = config.get_mut(key) {
            *metrics = named(metrics.take());
        }
    }
    training
}

/// Keras 2 wraps a metric that was given by its name.
fn named(metrics: Value) -> Value {
    match metrics {
        Value::Array(items) => items.into_iter().map(named).collect(),
        Value::Object(object) if object.get("class_name") == Some(&"MeanMetricWrapper".into()) => {
            object["config"]["name"].clone()
        }
        other => other,
    }
}

/// The arrays of each layer by its name, in the layer's order.
pub(crate) fn layers(root: &mut Group) -> Result<BTreeMap<String, Vec<Array>>, String> {
    let Some(mut weights) = root.groups.remove("model_weights") else {
        return Err("it has no group model_weights".to_owned());
    };
    let mut layers = BTreeMap::new();
    for layer in texts(&weights, "layer_names") {
        let at = format!("model_weights/{layer}");
        let Some(mut group) = weights.groups.remove(&layer) else {
            return Err(format!("{at} is missing"));
        };
        layers.insert(layer, listed(&mut group, &at)?);
    }
    Ok(layers)
}

/// The optimizer's variables in their order; nothing if there are none, or if
/// they are Keras 2's, which keeps others and counts them otherwise.
pub(crate) fn optimizer(root: &mut Group) -> Result<Vec<Array>, String> {
    let three = match root.attributes.get("keras_version") {
        Some(Attribute::Text(version)) => version.starts_with("3."),
        _ => false,
    };
    match root.groups.remove("optimizer_weights") {
        Some(mut group) if three => listed(&mut group, "optimizer_weights"),
        _ => Ok(Vec::new()),
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

/// A list of names, which Keras cuts in pieces where it is long.
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
