//! A model from `config.json`.

use super::{compile, quantized};
use crate::artifacts::keras::families::Family;
use crate::artifacts::keras::notes::Note;
use crate::artifacts::keras::objects::{Findings, KerasObject, from_keras, is_float32, is_int};
use crate::base::registry::Value;
use crate::base::shape::Shape;
use crate::error::join;
use crate::model::layers::Layer;
use crate::model::{Dtype, Functional, LayerEntry, Model, Sequential, Shared};
use serde_json::Map;

/// Limit of a row's elements, above any honest network's.
const MAX_ROW: usize = 1 << 31;

/// Reads a model without weights. Unknown parts of its layers go to `findings`, of its training
/// configuration to `notes`.
pub(crate) fn read(
    text: &str,
    findings: &mut Findings,
    notes: &mut Vec<Note>,
) -> Result<Model, String> {
    let config: Value =
        serde_json::from_str(text).map_err(|error| format!("config.json is not JSON: {error}"))?;
    let Value::Object(object) = &config else {
        return Err("config.json does not hold a model".to_owned());
    };
    match KerasObject::of(object)? {
        KerasObject::Object { class, config } if is_model(class) => {
            let model = model("", class, config, findings);
            // If there is no model, there are findings.
            let Some(mut model) = model else {
                return Ok(Sequential::new().into_model());
            };
            let settings = object.get("compile_config").and_then(Value::as_object);
            model.compiled = settings.and_then(|settings| {
                compile::read("compile_config", settings, &model.output_names(), notes)
            });
            Ok(model)
        }
        KerasObject::Object { class, .. } => Err(format!(
            "the model is a `{class}`; gradus reads `Sequential` and `Functional` models"
        )),
        KerasObject::Function(name) => Err(format!("the model is a function `{name}`")),
    }
}

/// True for a model's class.
fn is_model(class: &str) -> bool {
    // Keras 2 called functional ones `Model`.
    ["Sequential", "Functional", "Model"].contains(&class)
}

/// A model, or a part of one.
fn model(
    at: &str,
    class: &str,
    config: &Map<String, Value>,
    findings: &mut Findings,
) -> Option<Model> {
    check_dtype(&join(at, "dtype"), config, findings);
    let mut model = match class {
        "Sequential" => sequential(at, config, findings),
        _ => super::functional::read(at, config, findings),
    }?;
    if config.get("trainable") == Some(&false.into()) {
        model.layers.iter_mut().for_each(|l| l.trainable = false);
    }
    Some(model)
}

/// The layers of a model's configuration.
pub(super) fn layers<'a>(
    at: &str,
    config: &'a Map<String, Value>,
    findings: &mut Findings,
) -> &'a [Value] {
    match config.get("layers") {
        Some(Value::Array(layers)) => layers.as_slice(),
        _ => {
            findings.add(&join(at, "layers"), "expected a list of layers");
            &[]
        }
    }
}

fn sequential(at: &str, config: &Map<String, Value>, findings: &mut Findings) -> Option<Model> {
    let mut graph = Functional::new().name(text(config, "name").unwrap_or("sequential"));
    let layers = layers(at, config, findings);
    let (mut name, mut known) = ("input_layer", (None, Dtype::Float32));
    let is_input = |layer: &Value| layer["class_name"] == "InputLayer";
    let (first, rest) = match layers {
        [first, rest @ ..] if is_input(first) => (Some(first), rest),
        all => (None, all),
    };
    if let Some(Value::Object(own)) = first.map(|layer| &layer["config"]) {
        let at = place(at, 0, &layers[0]);
        name = text(own, "name").unwrap_or(name);
        known = input(&at, own, findings);
    }
    let (mut row, dtype) = known;
    // A Sequential without an InputLayer may have a shape all the same.
    if row.is_none()
        && let Some(dims) = config
            .get("build_input_shape")
            .filter(|dims| !dims.is_null())
    {
        row = shape(&join(at, "build_input_shape"), dims, findings);
    }
    let mut last = Some(graph.open_input(name, row, dtype));
    for (i, layer) in rest.iter().enumerate() {
        let at = place(at, layers.len() - rest.len() + i, layer);
        // Errors are collected; reading goes on.
        let unit = unit(&at, layer, &mut graph, findings);
        last = match (unit, last) {
            (Some(unit), Some(last)) => match graph.call(unit, last) {
                Ok(symbol) => Some(symbol),
                Err(error) => {
                    findings.add(&at, error);
                    None
                }
            },
            _ => None,
        };
    }
    let mut model = graph.model_as_it_came(&[last?]);
    model.chain = true;
    Some(model)
}

/// Adds a layer, or a model as a part, to the graph.
pub(super) fn unit(
    at: &str,
    layer: &Value,
    graph: &mut Functional,
    findings: &mut Findings,
) -> Option<Shared> {
    let parts = match layer {
        Value::Object(object) => KerasObject::of(object),
        _ => Err("expected a layer".to_owned()),
    };
    let (class, config) = match parts {
        Ok(KerasObject::Object { class, config }) => (class, config),
        Ok(KerasObject::Function(name)) => {
            findings.add(at, format!("found function `{name}`"));
            return None;
        }
        Err(problem) => {
            findings.add(at, problem);
            return None;
        }
    };
    let name = layer["config"]["name"].as_str().unwrap_or_default();
    if name.is_empty() || name.contains('/') || graph.is_taken(name) {
        findings.add(
            at,
            match name {
                "" => "the layer has no name".to_owned(),
                _ if graph.is_taken(name) => format!("two layers are named `{name}`"),
                _ => format!("found name `{name}`, expected one without `/`"),
            },
        );
        return None;
    }
    if !is_model(class) {
        return Some(graph.define(entry(at, name, layer, config, findings)?));
    }
    let inner = model(at, class, config, findings)?;
    let part = graph.nest(name, &inner);
    part.map_err(|error| findings.add(at, error)).ok()
}

/// The path of a layer: its index and its own name.
pub(super) fn place(at: &str, i: usize, layer: &Value) -> String {
    let place = join(at, &format!("layers[{i}]"));
    match layer["config"]["name"].as_str() {
        Some(name) => format!("{place} ({name})"),
        None => place,
    }
}

/// A layer without its weights.
fn entry(
    at: &str,
    name: &str,
    layer: &Value,
    config: &Map<String, Value>,
    findings: &mut Findings,
) -> Option<LayerEntry> {
    let before = findings.len();
    // A Cast's dtype is its own argument; bins are whole numbers.
    let is_cast = layer["class_name"] == "Cast";
    let is_bins = layer["class_name"] == "Hashing" && is_int(&layer["config"]["dtype"]);
    let mode = config.get("dtype").and_then(quantized::mode);
    if !is_cast && !is_bins && mode.is_none() {
        check_dtype(at, config, findings);
    }
    let trainable = match config.get("trainable") {
        None | Some(Value::Null) => true,
        Some(Value::Bool(trainable)) => *trainable,
        Some(other) => {
            findings.add(at, format!("trainable = {other}, expected true or false"));
            true
        }
    };
    // The common arguments were read above; the rest is the class's own.
    let mut own = layer.clone();
    if let Some(config) = own["config"].as_object_mut() {
        for key in ["name", "trainable"] {
            config.remove(key);
        }
        if !is_cast {
            config.remove("dtype");
        }
        if mode.is_some() {
            quantized::take(at, config, findings);
        }
    }
    let own = from_keras(at, Family::Layer, &own, findings);
    if findings.len() > before {
        return None;
    }
    let rule = Layer::from_config("", &own).and_then(|mut rule| {
        if let Some(mode) = mode {
            rule.quantize(mode, &mut Vec::new())?;
        }
        Ok(rule)
    });
    match rule {
        Ok(rule) => Some(LayerEntry {
            name: name.to_owned(),
            trainable,
            rule,
            weights: Vec::new(),
            input_range: None,
        }),
        Err(error) => {
            findings.add(at, error);
            None
        }
    }
}

/// The shape and data type of an input's rows.
pub(super) fn input(
    at: &str,
    config: &Map<String, Value>,
    findings: &mut Findings,
) -> (Option<Shape>, Dtype) {
    let dtype = match config.get("dtype") {
        None | Some(Value::Null) => Dtype::Float32,
        Some(dtype) => Dtype::of_input("dtype", dtype).unwrap_or_else(|error| {
            findings.add(at, error);
            Dtype::Float32
        }),
    };
    for key in ["sparse", "ragged", "optional"] {
        if config.get(key) == Some(&true.into()) {
            findings.add(at, format!("InputLayer with {key} = true"));
        }
    }
    // The second is Keras 2's name.
    let dims = config
        .get("batch_shape")
        .or_else(|| config.get("batch_input_shape"));
    match dims {
        Some(dims) => (shape(at, dims, findings), dtype),
        None => {
            findings.add(at, "the InputLayer has no batch_shape");
            (None, dtype)
        }
    }
}

/// A row's shape from Keras' dimensions, the first of which is the batch.
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
    if all.is_none() || size.is_none_or(|size| size > MAX_ROW) {
        findings.add(at, format!("shape {dims} is not that of a model's input"));
        return None;
    }
    Some(Shape::new(row))
}

fn check_dtype(at: &str, config: &Map<String, Value>, findings: &mut Findings) {
    let dtype = config.get("dtype").unwrap_or(&Value::Null);
    if !is_float32(dtype) {
        let name = dtype["config"]["name"].as_str().or(dtype.as_str());
        let name = name.map(str::to_owned).or_else(|| quantized::name(dtype));
        let found = name.unwrap_or_else(|| "an unknown dtype".to_owned());
        findings.add(
            at,
            format!("computes in {found}, gradus computes in float32"),
        );
    }
}

pub(super) fn text<'a>(config: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    config.get(key)?.as_str()
}
