//! A model as `config.json`.

use super::compile;
use crate::artifacts::keras::families::Family;
use crate::artifacts::keras::objects::{dtype_policy, object, to_keras};
use crate::base::registry::Value;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::model::{LayerEntry, Model, Source};
use serde_json::{Map, json};

/// Layers that Keras counts as built from the start; it notes no shape for them.
const BUILT_AT_ONCE: &[&str] = &[
    "Activation",
    "ActivityRegularization",
    "AlphaDropout",
    "Dropout",
    "ELU",
    "GaussianDropout",
    "GaussianNoise",
    "Identity",
    "LeakyReLU",
    "ReLU",
    "Softmax",
    "UnitNormalization",
];

/// The model, as Keras writes a `Sequential`.
pub(crate) fn write(model: &Model) -> Result<String> {
    let inputs = layer_inputs(model)?;
    let input = model.inputs.first().and_then(Option::as_ref);
    let mut layers = Vec::new();
    if let Some(shape) = input {
        layers.push(input_layer(model, shape));
    }
    for (layer, input) in model.layers.iter().zip(&inputs) {
        layers.push(written_layer(layer, input.as_ref()));
    }
    let mut config = Map::new();
    config.insert("name".to_owned(), model.name.clone().into());
    config.insert("trainable".to_owned(), true.into());
    config.insert("dtype".to_owned(), dtype_policy("float32"));
    config.insert("layers".to_owned(), layers.into());
    if let Some(shape) = input {
        config.insert("build_input_shape".to_owned(), batch_shape(shape));
    }
    let mut written = object("keras", "Sequential", config);
    if let Some(shape) = input {
        written["build_config"] = json!({ "input_shape": batch_shape(shape) });
    }
    written["compile_config"] = match &model.compiled {
        Some(compiled) => compile::write(compiled),
        None => json!({}),
    };
    serde_json::to_string(&written).map_err(|error| Error::Internal(error.to_string()))
}

/// The shape that each layer is applied to, where it is known.
fn layer_inputs(model: &Model) -> Result<Vec<Option<Shape>>> {
    if !is_chain(model) {
        let problem = "only models that are a chain of layers can be saved as .keras";
        return Err(Error::NotReady {
            problem: problem.to_owned(),
        });
    }
    if !model.is_built() {
        return Ok(vec![None; model.layers.len()]);
    }
    let shapes = model.shapes()?.into_iter();
    Ok(shapes
        .map(|(inputs, _)| inputs.into_iter().next())
        .collect())
}

/// Whether each layer is used once, on the output of the one before it.
fn is_chain(model: &Model) -> bool {
    let before = |n: usize| match n {
        0 => Source::Input(0),
        _ => Source::Node(n - 1),
    };
    model.inputs.len() == 1
        && model.nodes.len() == model.layers.len()
        && model.outputs == [before(model.nodes.len())]
        && model
            .nodes
            .iter()
            .enumerate()
            .all(|(n, node)| node.layer == n && node.inputs == [before(n)])
}

fn input_layer(model: &Model, shape: &Shape) -> Value {
    let taken = |name: &str| model.layers.iter().any(|layer| layer.name == name);
    let mut name = "input_layer".to_owned();
    for n in 1.. {
        if !taken(&name) {
            break;
        }
        name = format!("input_layer_{n}");
    }
    let config = json!({
        "batch_shape": batch_shape(shape),
        "dtype": "float32",
        "sparse": false,
        "ragged": false,
        "name": name,
        "optional": false,
    });
    json!({
        "module": "keras.layers",
        "class_name": "InputLayer",
        "config": config,
        "registered_name": null,
    })
}

fn written_layer(layer: &LayerEntry, input: Option<&Shape>) -> Value {
    let mut written = to_keras(Family::Layer, &layer.rule.to_config());
    written["config"]["name"] = layer.name.clone().into();
    written["config"]["trainable"] = layer.trainable.into();
    written["config"]["dtype"] = dtype_policy("float32");
    if let Some(input) = input
        && !BUILT_AT_ONCE.contains(&layer.rule.class())
    {
        written["build_config"] = json!({ "input_shape": batch_shape(input) });
    }
    written
}

/// Keras' shape: the batch first, its size left open.
fn batch_shape(shape: &Shape) -> Value {
    let dims = shape.dims().iter().map(|&dim| Value::from(dim));
    std::iter::once(Value::Null).chain(dims).collect()
}
