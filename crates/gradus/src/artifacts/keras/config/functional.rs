//! The layers of a functional model and their connections.

use super::arithmetic::as_rescaling;
use super::read::{input, layers, place, text, unit};
use crate::artifacts::keras::objects::Findings;
use crate::base::registry::Value;
use crate::error::join;
use crate::model::{Functional, Model, Shared, Symbol};
use serde_json::Map;
use std::borrow::Cow;
use std::collections::HashMap;

/// A tensor in a file: a layer's name, the index of its call, and the index of the call's output.
#[derive(Clone, Debug)]
struct History<'a> {
    layer: &'a str,
    call: usize,
    output: usize,
}

/// A layer's calls: those made so far, and the inputs of the others.
struct Calls<'a> {
    at: String,
    /// `None` for an input.
    unit: Option<Shared>,
    made: Vec<Vec<Symbol>>,
    open: Vec<Inbound<'a>>,
    /// Index of the first call, as the model's outputs name it.
    first: usize,
    /// Index of the first call, as layers name it.
    base: usize,
}

/// A pending call of a layer.
struct Inbound<'a> {
    of: Vec<History<'a>>,
    /// True if it is called with `training = false`.
    inference: bool,
}

/// The model of a `Functional`'s configuration.
pub(super) fn read(
    at: &str,
    config: &Map<String, Value>,
    findings: &mut Findings,
) -> Option<Model> {
    let before = findings.len();
    let mut graph = Functional::new().name(text(config, "name").unwrap_or("functional"));
    let layers = &as_rescaling(layers(at, config, findings));
    let ends = |key: &str, findings: &mut Findings| {
        let mut found = Vec::new();
        let at = join(at, key);
        if !histories(config.get(key).unwrap_or(&Value::Null), &mut found) || found.is_empty() {
            findings.add(&at, "expected a list of layers' names and numbers");
        }
        found
    };
    let inputs = ends("input_layers", findings);
    let outputs = ends("output_layers", findings);

    let mut calls: HashMap<&str, Calls<'_>> = HashMap::new();
    let mut order = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (i, layer) in layers.iter().enumerate() {
        places.entry(name(layer)).or_insert(i);
    }
    // The inputs follow the model's inputs, not its layers.
    for history in &inputs {
        let found = places.get(history.layer).copied();
        let Some(i) = found.filter(|&i| layers[i]["class_name"] == "InputLayer") else {
            findings.add(
                &join(at, "input_layers"),
                format!("no InputLayer is named `{}`", history.layer),
            );
            continue;
        };
        let at = place(at, i, &layers[i]);
        let Value::Object(own) = &layers[i]["config"] else {
            findings.add(&at, "has no table of arguments");
            continue;
        };
        let (shape, dtype) = input(&at, own, findings);
        if graph.is_taken(history.layer) {
            findings.add(&at, format!("two inputs are named `{}`", history.layer));
            continue;
        }
        let symbol = graph.open_input(history.layer, shape, dtype);
        let made = Calls {
            at,
            unit: None,
            made: vec![vec![symbol]],
            open: Vec::new(),
            first: 0,
            base: 0,
        };
        calls.insert(history.layer, made);
    }
    let is_old = layers.iter().any(|layer| is_keras_2(layer));
    let lowest = match is_old {
        true => lowest_calls(layers, &outputs),
        false => HashMap::new(),
    };
    for (i, layer) in layers.iter().enumerate() {
        let at = place(at, i, layer);
        if layer["class_name"] == "InputLayer" {
            if !calls.contains_key(name(layer)) {
                findings.add(&at, "is none of the model's inputs");
            }
            continue;
        }
        let Some(unit) = unit(&at, layer, &mut graph, findings) else {
            continue;
        };
        let open = inbound(&at, layer, findings);
        order.push(name(layer));
        let is_graph = ["Functional", "Model"].contains(&class(layer));
        // Keras 2 counts the call that builds a model with an InputLayer.
        let is_made = layer["config"]["layers"][0]["class_name"] == "InputLayer";
        let old_base = match &open[..] {
            [_] if layer["config"].get("layers").is_some() => {
                lowest.get(name(layer)).copied().unwrap_or(1)
            }
            _ => usize::from(is_made),
        };
        let waiting = Calls {
            at,
            unit: Some(unit),
            made: Vec::new(),
            open,
            // Building a functional model counts as a call.
            first: match is_old {
                true => old_base,
                false => usize::from(is_graph),
            },
            base: if is_old { old_base } else { 0 },
        };
        calls.insert(name(layer), waiting);
    }
    if findings.len() > before {
        return None;
    }

    // Makes calls as their inputs become available, until all are made.
    loop {
        let (mut progress, mut waiting) = (false, None);
        for layer in &order {
            let mut next = 0;
            while let Some(call) = calls[layer].open.get(next) {
                let symbols = call.of.iter().map(|h| {
                    let maker = calls.get(h.layer)?;
                    let call = h.call.checked_sub(maker.base)?;
                    maker.made.get(call)?.get(h.output).copied()
                });
                let Some(symbols) = symbols.collect::<Option<Vec<Symbol>>>() else {
                    break;
                };
                let of = &calls[layer];
                let inference = call.inference;
                let made = of.unit.map(|unit| graph.call_as(unit, symbols, inference));
                match made {
                    Some(Ok(outputs)) => {
                        if let Some(calls) = calls.get_mut(layer) {
                            calls.made.push(outputs);
                        }
                    }
                    Some(Err(error)) => {
                        findings.add(&of.at, error);
                        return None;
                    }
                    None => break,
                }
                next += 1;
                progress = true;
            }
            if let Some(calls) = calls.get_mut(layer) {
                calls.open.drain(..next);
                if !calls.open.is_empty() {
                    waiting = Some(calls.at.clone());
                }
            }
        }
        match waiting {
            None => break,
            Some(_) if progress => {}
            Some(at) => {
                findings.add(&at, "is applied to something that no layer before it gives");
                return None;
            }
        }
    }

    let mut symbols = Vec::new();
    for history in &outputs {
        let symbol = calls.get(history.layer).and_then(|maker| {
            let call = history.call.checked_sub(maker.first)?;
            maker.made.get(call)?.get(history.output).copied()
        });
        match symbol {
            Some(symbol) => symbols.push(symbol),
            None => {
                let problem = format!("`{}` gives no such output", history.layer);
                findings.add(&join(at, "output_layers"), problem);
                return None;
            }
        }
    }
    Some(graph.model_as_it_came(&symbols))
}

fn name(layer: &Value) -> &str {
    // Keras writes the name twice; connections use this one.
    let name = layer["name"].as_str();
    name.or(layer["config"]["name"].as_str())
        .unwrap_or_default()
}

fn class(layer: &Value) -> &str {
    layer["class_name"].as_str().unwrap_or_default()
}

/// Adds the tensors of `["dense", 0, 0]`, or of a list or table of such.
fn histories<'a>(value: &'a Value, found: &mut Vec<History<'a>>) -> bool {
    match value {
        Value::Array(items) => match &items[..] {
            [Value::String(layer), call, output, ..] => {
                let number = |n: &Value| n.as_u64().and_then(|n| usize::try_from(n).ok());
                let (Some(call), Some(output)) = (number(call), number(output)) else {
                    return false;
                };
                found.push(History {
                    layer,
                    call,
                    output,
                });
                true
            }
            all => all.iter().all(|item| histories(item, found)),
        },
        Value::Object(named) => {
            // Keras iterates tables in the order of their keys.
            let mut named: Vec<_> = named.iter().collect();
            named.sort_by_key(|(name, _)| *name);
            named.into_iter().all(|(_, item)| histories(item, found))
        }
        _ => false,
    }
}

/// True if a layer's calls are in Keras 2's form.
fn is_keras_2(layer: &Value) -> bool {
    let nodes = layer["inbound_nodes"].as_array();
    nodes.is_some_and(|nodes| nodes.iter().any(Value::is_array))
}

/// The lowest call index of each layer in Keras 2.
fn lowest_calls<'a>(
    layers: &'a [Cow<'a, Value>],
    outputs: &[History<'a>],
) -> HashMap<&'a str, usize> {
    let mut found = outputs.to_vec();
    for layer in layers {
        histories(&layer["inbound_nodes"], &mut found);
    }
    let mut lowest = HashMap::new();
    for history in found {
        let call = lowest.entry(history.layer).or_insert(history.call);
        *call = history.call.min(*call);
    }
    lowest
}

/// The inputs of each call of a layer.
fn inbound<'a>(at: &str, layer: &'a Value, findings: &mut Findings) -> Vec<Inbound<'a>> {
    let at = join(at, "inbound_nodes");
    let nodes = match &layer["inbound_nodes"] {
        Value::Array(nodes) => nodes.as_slice(),
        _ => {
            findings.add(&at, "expected a list of calls");
            &[]
        }
    };
    let call = |node: &'a Value| {
        let (mut of, mut inference) = (Vec::new(), false);
        match node {
            Value::Object(call) => {
                let args = call.get("args").unwrap_or(&Value::Null);
                tensors(&at, args, &mut of, findings);
                for (name, value) in call
                    .get("kwargs")
                    .and_then(Value::as_object)
                    .into_iter()
                    .flatten()
                {
                    match name.as_str() {
                        "inputs" => tensors(&at, value, &mut of, findings),
                        _ => inference |= argument(&at, name, value, findings),
                    }
                }
            }
            // Keras 2's form: a call's arguments come after each of its tensors.
            old => {
                if !histories(old, &mut of) {
                    findings.add(&at, "expected what the layer is applied to");
                }
                let mut given = Vec::new();
                arguments(old, &mut given);
                for (name, value) in given {
                    inference |= argument(&at, name, value, findings);
                }
            }
        }
        Inbound { of, inference }
    };
    nodes.iter().map(call).collect()
}

/// Reads an argument of a call beside its inputs: true for `training = false`. Others must be null.
fn argument(at: &str, name: &str, value: &Value, findings: &mut Findings) -> bool {
    let inference = name == "training" && *value == false;
    if !inference && !is_null(value) {
        findings.add(at, format!("called with {name} = {value}"));
    }
    inference
}

/// Adds the arguments after a tensor in Keras 2: `["bn", 0, 0, {"training": false}]`.
fn arguments<'a>(value: &'a Value, found: &mut Vec<(&'a str, &'a Value)>) {
    match value {
        Value::Array(items) => match &items[..] {
            [Value::String(_), _, _, Value::Object(given), ..] => {
                found.extend(given.iter().map(|(name, value)| (name.as_str(), value)));
            }
            all => all.iter().for_each(|item| arguments(item, found)),
        },
        Value::Object(named) => named.values().for_each(|item| arguments(item, found)),
        _ => {}
    }
}

/// True for null, and for nested lists of nulls.
fn is_null(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().all(is_null),
        other => other.is_null(),
    }
}

/// The tensors among a call's arguments, in their order.
fn tensors<'a>(at: &str, value: &'a Value, found: &mut Vec<History<'a>>, findings: &mut Findings) {
    match value {
        Value::Array(items) => {
            for item in items {
                tensors(at, item, found, findings);
            }
        }
        Value::Object(tensor) if tensor.get("class_name") == Some(&"__keras_tensor__".into()) => {
            if !histories(&value["config"]["keras_history"], found) {
                findings.add(at, "a tensor that no layer has made");
            }
        }
        Value::Null => {}
        other => findings.add(at, format!("applied to {other}, expected a layer's output")),
    }
}
