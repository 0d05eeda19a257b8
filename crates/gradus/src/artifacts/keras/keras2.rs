//! Conversion of Keras 2's configurations to Keras 3's: for `.keras` files of Keras 2.12 to 2.15,
//! and whole models in `.h5` files.

use super::families::Family;
use crate::base::registry::Value;
use serde_json::{Map, json};

/// True if a `.keras` file is Keras 2's: by its metadata, or by an argument that Keras 3 never
/// writes.
pub(crate) fn is_old(metadata: &str, config: &str) -> bool {
    let metadata: Value = serde_json::from_str(metadata).unwrap_or_default();
    let version = metadata["keras_version"].as_str().unwrap_or_default();
    version.starts_with("2.") || config.contains("\"batch_input_shape\"")
}

/// The `config.json` of a Keras 2 `.keras` file in Keras 3's form; unchanged if it is not JSON.
pub(crate) fn config(text: String) -> String {
    match serde_json::from_str(&text) {
        Ok(config) => with_shape(modern(config)).to_string(),
        Err(_) => text,
    }
}

/// Adds the keys that Keras 3 writes and Keras 2 omitted.
pub(crate) fn modern(value: Value) -> Value {
    match value {
        Value::Object(mut object) => {
            let class = object.get("class_name").and_then(Value::as_str);
            let class = class.map(str::to_owned);
            if let Some(class) = &class
                && let Some(config) = object.get_mut("config")
            {
                // Up to Keras 2.2 a Sequential's configuration is its layers.
                if class == "Sequential" && config.is_array() {
                    *config = json!({ "name": "sequential", "layers": config.take() });
                }
                if let Some(config) = config.as_object_mut() {
                    rename(class, config);
                    object.entry("module").or_insert("keras".into());
                    object.entry("registered_name").or_insert(Value::Null);
                    if class == "Model" {
                        object.insert("class_name".into(), "Functional".into());
                    }
                }
            }
            let fields = object.into_iter();
            fields.map(|(key, value)| (key, modern(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(modern).collect(),
        plain => plain,
    }
}

/// Arguments that Keras 3 renamed or dropped.
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
    // The input shape belongs to the model; the first layer carries it until then.
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
    if class == "VarianceScaling" && config.get("distribution") == Some(&"normal".into()) {
        config.insert("distribution".into(), "truncated_normal".into());
    }
    // Neutral values that Keras 3 never writes.
    let neutral = [("sparse", json!(false)), ("ragged", json!(false))];
    for (name, value) in neutral {
        if config.get(name) == Some(&value) {
            config.remove(name);
        }
    }
    // Keras 2.11 to 2.15 name their own optimizers this way in `.h5` files.
    let optimizer = class.strip_prefix("Custom>").unwrap_or(class);
    if Family::Optimizer.member(optimizer).is_some() {
        self::optimizer(optimizer, config);
    }
    if config.get("reduction") == Some(&"auto".into()) {
        config.insert("reduction".into(), "sum_over_batch_size".into());
    }
}

/// Drops arguments that Keras 3's optimizers lack: compilation, and a decay beside the rate.
fn optimizer(class: &str, config: &mut Map<String, Value>) {
    for name in ["jit_compile", "is_legacy_optimizer"] {
        if config.get(name).is_some_and(Value::is_boolean) {
            config.remove(name);
        }
    }
    // Then it is Keras' own epsilon, 1e-7, the default.
    if config.get("epsilon").is_some_and(Value::is_null) {
        config.remove("epsilon");
    }
    let Some(decay) = config.get("decay").and_then(Value::as_f64) else {
        return;
    };
    let rate = config.get("learning_rate").and_then(Value::as_f64);
    match rate {
        _ if decay == 0.0 => {
            config.remove("decay");
        }
        // rate / (1 + decay · step). Nadam's argument of this name has another meaning.
        Some(rate) if decay > 0.0 && class != "Nadam" => {
            let schedule = json!({
                "module": "keras.optimizers.schedules",
                "class_name": "InverseTimeDecay",
                "config": {
                    "initial_learning_rate": super::config::shortest(rate),
                    "decay_steps": 1.0,
                    "decay_rate": super::config::shortest(decay),
                    "staircase": false,
                },
                "registered_name": null,
            });
            config.remove("decay");
            config.insert("learning_rate".into(), schedule);
        }
        // It stays, and is reported as unknown.
        _ => {}
    }
}

/// Key of the first layer's shape until the model takes it.
const FIRST: &str = "\0batch_shape";

/// Moves the input shape that Keras 2 stored in the first layer to the model, and to nested ones.
pub(crate) fn with_shape(mut model: Value) -> Value {
    let mut first = None;
    let Some(config) = model.get_mut("config").and_then(Value::as_object_mut) else {
        return model;
    };
    if let Some(Value::Array(layers)) = config.get_mut("layers") {
        for layer in layers {
            if let Some(config) = layer.get_mut("config").and_then(Value::as_object_mut)
                && let Some(shape) = config.remove(FIRST)
            {
                first.get_or_insert(shape);
            }
            if layer["config"].get("layers").is_some() {
                *layer = with_shape(layer.take());
            }
        }
    }
    if let Some(shape) = first {
        config.entry("build_input_shape").or_insert(shape);
    }
    model
}
