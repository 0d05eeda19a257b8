//! Arithmetic of a tensor and a number, `x * 0.5 + 3`, which Keras saves as operations.

use crate::base::registry::Value;
use serde_json::json;
use std::borrow::Cow;

/// The same layers with each operation on one tensor and one number as the `Rescaling` that
/// computes the same.
pub(super) fn as_rescaling(layers: &[Value]) -> Vec<Cow<'_, Value>> {
    let read = |layer| rescaling(layer).map_or(Cow::Borrowed(layer), Cow::Owned);
    layers.iter().map(read).collect()
}

fn rescaling(layer: &Value) -> Option<Value> {
    if layer["module"] != "keras.src.ops.numpy" {
        return None;
    }
    let [call] = layer["inbound_nodes"].as_array()?.as_slice() else {
        return None;
    };
    let (tensor, number, comes_first) = match call["args"].as_array()?.as_slice() {
        [tensor @ Value::Object(_), Value::Number(number)] => (tensor, number, false),
        [Value::Number(number), tensor @ Value::Object(_)] => (tensor, number, true),
        _ => return None,
    };
    let number = number.as_f64()?;
    let (scale, offset) = match (layer["class_name"].as_str()?, comes_first) {
        ("Add", _) => (1.0, number),
        ("Subtract", false) => (1.0, -number),
        ("Subtract", true) => (-1.0, number),
        ("Multiply", _) => (number, 0.0),
        ("Divide" | "TrueDivide", false) => (1.0 / number, 0.0),
        _ => return None,
    };
    // A table of arguments beside the two would say something else.
    let given = call["kwargs"].as_object();
    if given.is_some_and(|given| given.values().any(|value| !value.is_null())) {
        return None;
    }
    let name = &layer["name"];
    Some(json!({
        "module": "keras.layers", "class_name": "Rescaling", "registered_name": null, "name": name,
        "config": { "name": name, "scale": scale, "offset": offset },
        "inbound_nodes": [{ "args": [tensor], "kwargs": {} }],
    }))
}
