//! A model from `config.json`.

use super::compile;
use crate::artifacts::keras::families::Family;
use crate::artifacts::keras::objects::{Findings, Parts, from_keras, is_float32};
use crate::base::registry::Value;
use crate::base::shape::Shape;
use crate::model::layers::Layer;
use crate::model::{Compiled, LayerEntry};
use serde_json::Map;
use std::collections::HashSet;

/// More numbers than that in one row are no honest network's.
const MAX_ROW: usize = 1 << 31;

/// What `config.json` says of a model.
#[derive(Debug, Default)]
pub(crate) struct Description {
    /// The model's name.
    pub name: String,
    /// The shape of an input row, if it is known.
    pub input: Option<Shape>,
    /// The layers, without weights yet, each applied to the one before it.
    pub layers: Vec<LayerEntry>,
    /// How it is trained, if it was compiled.
    pub compiled: Option<Compiled>,
}

/// Reads the description; what gradus does not know goes to `findings`.
pub(crate) fn read(text: &str, findings: &mut Findings) -> Result<Description, String> {
    let config: Value =
        serde_json::from_str(text).map_err(|error| format!("config.json is not JSON: {error}"))?;
    let Value::Object(model) = &config else {
        return Err("config.json does not hold a model".to_owned());
    };
    match Parts::of(model) {
        Ok(Parts::Object {
            class: "Sequential",
            config,
        }) => {
            let mut description = sequential(config, findings);
            if let Some(Value::Object(settings)) = model.get("compile_config") {
                description.compiled = compile::read("compile_config", settings, findings);
            }
            Ok(description)
        }
        Ok(Parts::Object { class, .. }) => Err(format!(
            "the model is a `{class}`; gradus reads `Sequential` models"
        )),
        Ok(Parts::Function(name)) => Err(format!("the model is a function `{name}`")),
        Err(problem) => Err(problem),
    }
}

fn sequential(config: &Map<String, Value>, findings: &mut Findings) -> Description {
    let mut description = Description {
        name: text(config, "name").unwrap_or("sequential").to_owned(),
        ..Description::default()
    };
    let layers = match config.get("layers") {
        Some(Value::Array(layers)) => layers.as_slice(),
        _ => {
            findings.add("layers", "expected a list of layers");
            &[]
        }
    };
    check_dtype("dtype", config, findings);
    let mut input = None;
    for (i, layer) in layers.iter().enumerate() {
        let at = place(i, layer);
        let parts = match layer {
            Value::Object(object) => Parts::of(object),
            _ => Err("expected a layer".to_owned()),
        };
        match parts {
            Ok(Parts::Object {
                class: "InputLayer",
                config,
            }) if i == 0 => {
                input = input_shape(&at, config, findings);
            }
            Ok(Parts::Object { config, .. }) => {
                description
                    .layers
                    .extend(entry(&at, layer, config, findings));
            }
            Ok(Parts::Function(name)) => findings.add(&at, format!("found function `{name}`")),
            Err(problem) => findings.add(&at, problem),
        }
    }
    // A Sequential without an InputLayer may know its shape all the same.
    description.input = input.or_else(|| {
        let dims = config.get("build_input_shape")?;
        shape("build_input_shape", dims, findings)
    });
    let mut names = HashSet::new();
    for entry in &description.layers {
        if !names.insert(&entry.name) {
            findings.add("layers", format!("two layers are named `{}`", entry.name));
        }
    }
    description
}

/// Where a layer stands: its number and its own name.
fn place(i: usize, layer: &Value) -> String {
    match layer["config"]["name"].as_str() {
        Some(name) => format!("layers[{i}] ({name})"),
        None => format!("layers[{i}]"),
    }
}

/// A layer without its weights.
fn entry(
    at: &str,
    layer: &Value,
    config: &Map<String, Value>,
    findings: &mut Findings,
) -> Option<LayerEntry> {
    let before = findings.len();
    check_dtype(at, config, findings);
    let trainable = match config.get("trainable") {
        None | Some(Value::Null) => true,
        Some(Value::Bool(trainable)) => *trainable,
        Some(other) => {
            findings.add(at, format!("trainable = {other}, expected true or false"));
            true
        }
    };
    let name = text(config, "name").filter(|name| !name.is_empty());
    if name.is_none() {
        findings.add(at, "the layer has no name");
    }
    // What every layer has is read above; the rest is the class's own.
    let mut own = layer.clone();
    if let Some(config) = own["config"].as_object_mut() {
        for key in ["name", "trainable", "dtype"] {
            config.remove(key);
        }
    }
    let own = from_keras(at, Family::Layer, &own, findings);
    if findings.len() > before {
        return None;
    }
    match Layer::from_config("", &own) {
        Ok(rule) => Some(LayerEntry {
            name: name?.to_owned(),
            trainable,
            rule,
            weights: Vec::new(),
        }),
        Err(error) => {
            findings.add(at, error);
            None
        }
    }
}

fn input_shape(at: &str, config: &Map<String, Value>, findings: &mut Findings) -> Option<Shape> {
    check_dtype(at, config, findings);
    for key in ["sparse", "ragged", "optional"] {
        if config.get(key) == Some(&true.into()) {
            findings.add(at, format!("InputLayer with {key} = true"));
        }
    }
    // The second is how Keras 2 called it.
    let dims = config
        .get("batch_shape")
        .or_else(|| config.get("batch_input_shape"));
    match dims {
        Some(dims) => shape(at, dims, findings),
        None => {
            findings.add(at, "the InputLayer has no batch_shape");
            None
        }
    }
}

/// A row's shape of Keras' dimensions, the first of which is the batch.
fn shape(at: &str, dims: &Value, findings: &mut Findings) -> Option<Shape> {
    let mut row = Vec::new();
    let all = dims.as_array().filter(|dims| !dims.is_empty());
    for dim in all.into_iter().flat_map(|dims| &dims[1..]) {
        match dim.as_u64().map(usize::try_from) {
            Some(Ok(dim)) if dim > 0 => row.push(dim),
            _ if dim.is_null() => {
                findings.add(
                    at,
                    format!("shape {dims}: only the batch's size may be left open"),
                );
                return None;
            }
            _ => {
                findings.add(at, format!("shape {dims}: found {dim}, expected a size"));
                return None;
            }
        }
    }
    let size = row
        .iter()
        .try_fold(1usize, |size, &dim| size.checked_mul(dim));
    if all.is_none() || !size.is_some_and(|size| size <= MAX_ROW) {
        findings.add(at, format!("shape {dims} is not that of a model's input"));
        return None;
    }
    Some(Shape::new(row))
}

fn check_dtype(at: &str, config: &Map<String, Value>, findings: &mut Findings) {
    let dtype = config.get("dtype").unwrap_or(&Value::Null);
    if !is_float32(dtype) {
        let name = dtype["config"]["name"].as_str().or(dtype.as_str());
        let found = name.unwrap_or("an unknown dtype");
        findings.add(
            at,
            format!("computes in {found}, gradus computes in float32"),
        );
    }
}

fn text<'a>(config: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    config.get(key)?.as_str()
}
