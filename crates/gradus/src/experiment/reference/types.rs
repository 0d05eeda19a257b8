//! The type of a key, in a reader's words: `whole number of 1 or more`.

use super::{definition, name_of, words};
use crate::base::registry::Value;

/// Definitions that are sections of the document, with their headings.
const SECTIONS: [(&str, &str, &str); 25] = [
    ("Activation", "activation", "activations"),
    ("Callbacks", "table", "callbacks"),
    ("Checkpoint", "table", "checkpoint"),
    ("Constraint", "constraint", "constraints"),
    ("CSVLogger", "table", "csvlogger"),
    ("Data", "table", "data"),
    ("Distributed", "table", "distributed"),
    ("EarlyStopping", "table", "earlystopping"),
    ("GradualUnfreezing", "table", "gradualunfreezing"),
    ("HoldOut", "table", "rows-held-out"),
    ("Initializer", "initializer", "initializers"),
    ("Layer", "layer", "layers"),
    ("Loss", "loss", "losses"),
    ("Metric", "metric", "metrics"),
    ("Model", "table", "model"),
    ("ModelCheckpoint", "table", "modelcheckpoint"),
    ("Optimizer", "optimizer", "optimizers"),
    ("Pretrain", "table", "pretrain"),
    ("Pruning", "table", "pruning"),
    ("ReduceLROnPlateau", "table", "reducelronplateau"),
    ("Regularizer", "regularizer", "regularizers"),
    ("Schedule", "schedule", "schedules"),
    ("Stage", "table", "stage"),
    ("TerminateOnNaN", "table", "terminateonnan"),
    ("Train", "table", "train"),
];

/// The type of a schema; the `$defs` are `definitions`.
pub fn type_of(schema: &Value, definitions: &Value) -> String {
    let of = |schema: &Value| type_of(schema, definitions);
    if let Some(name) = name_of(schema) {
        if let Some((_, words, anchor)) = SECTIONS.iter().find(|(section, ..)| *section == name) {
            return format!("[{words}](#{anchor})");
        }
        return definition(schema, definitions).map_or_else(String::new, of);
    }
    if schema.get("if").is_some() {
        let (then, other) = (&schema["then"], &schema["else"]);
        // A table for each output; the keys of a member without `type`; a table, or a word for it.
        let by_output = then
            .get("additionalProperties")
            .is_some_and(Value::is_object);
        let is_untyped = schema["if"].get("not").is_some();
        return match (by_output, is_untyped) {
            (true, _) => format!("{}, or a table of them by output", of(other)),
            (false, true) => of(other),
            (false, false) => format!("{} or {}", of(other), of(then)),
        };
    }
    if let Some(all) = schema.get("anyOf").and_then(Value::as_array) {
        let mut types: Vec<String> = all.iter().map(of).collect();
        types.dedup();
        return types.join(" or ");
    }
    let known = words(schema);
    if !known.is_empty() {
        let known = known.iter().map(|(word, _)| format!("`{word}`"));
        return known.collect::<Vec<_>>().join(", ");
    }
    if let Some(word) = schema.get("const") {
        return format!("`{word}`");
    }
    match schema.get("type") {
        Some(Value::Array(all)) => {
            let all = all
                .iter()
                .map(|one| of(&serde_json::json!({ "type": one })));
            all.collect::<Vec<_>>().join(" or ")
        }
        Some(Value::String(name)) => match name.as_str() {
            "boolean" => "true or false".into(),
            "integer" => format!("whole number{}", least(schema)),
            "number" => format!("number{}", least(schema)),
            "string" => "text".into(),
            "array" => list(schema, definitions),
            _ => table(schema, definitions),
        },
        _ => String::new(),
    }
}

fn least(schema: &Value) -> String {
    match schema.get("minimum") {
        Some(least) if *least != 0 => format!(" of {least} or more"),
        Some(_) => " of 0 or more".into(),
        None => String::new(),
    }
}

fn list(schema: &Value, definitions: &Value) -> String {
    if let Some(items) = schema.get("prefixItems").and_then(Value::as_array) {
        return format!(
            "list of {} {}s",
            items.len(),
            type_of(&items[0], definitions)
        );
    }
    let items = schema.get("items").unwrap_or(&Value::Null);
    let several = several(&type_of(items, definitions));
    match (schema.get("minItems"), schema.get("maxItems")) {
        (Some(least), Some(most)) if least == most => format!("list of {least} {several}"),
        _ => format!("list of {several}"),
    }
}

fn table(schema: &Value, definitions: &Value) -> String {
    match schema.get("additionalProperties") {
        Some(of) if of.is_object() => {
            format!("table of names and {}", several(&type_of(of, definitions)))
        }
        _ => "table".into(),
    }
}

/// The plural of a type.
fn several(of: &str) -> String {
    match of {
        "table" | "text" | "number" => format!("{of}s"),
        "true or false" => of.into(),
        _ if of.starts_with("whole number") => of.replacen("number", "numbers", 1),
        _ if of.starts_with('[') => of.replacen(']', "s]", 1).replace("losss", "losses"),
        _ => of.into(),
    }
}
