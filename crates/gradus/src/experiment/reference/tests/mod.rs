//! The schema against the reader, by a validator that is not ours.

mod configs;
mod tables;

use crate::base::registry::Value;
use crate::error::{Error, Result};
use crate::experiment::config::Config;
use crate::model::Model;
use jsonschema::Validator;
use serde_json::json;

/// A validator of one definition of the schema; of the whole, for an empty name.
fn validator(schema: &Value, name: &str) -> Validator {
    let mut root = schema.clone();
    if !name.is_empty() {
        root = json!({ "$ref": format!("#/$defs/{name}"), "$defs": schema["$defs"] });
    }
    jsonschema::draft202012::new(&root).unwrap()
}

/// Reads a whole configuration, its layers too, without opening files.
fn read(config: &Value) -> Result<()> {
    Config::from_value(config)?;
    if let Some(layers) = config["model"]["layers"].as_array() {
        let outputs: Option<Vec<String>> =
            serde_json::from_value(config["model"]["outputs"].clone()).unwrap_or_default();
        Model::from_layers("model.layers", layers, outputs.as_deref(), 1)?;
    }
    Ok(())
}

/// The keys that a reader knows, by the error for one that it does not.
fn known(error: &Error) -> Vec<String> {
    match error {
        Error::UnknownName {
            family: "key",
            known,
            ..
        } => {
            let mut known: Vec<String> = known.clone();
            known.sort();
            known.dedup();
            known
        }
        other => panic!("not an unknown key: {other}"),
    }
}

/// The keys of a definition, sorted.
fn keys(schema: &Value) -> Vec<String> {
    let properties = schema["properties"].as_object().unwrap();
    let mut keys: Vec<String> = properties.keys().cloned().collect();
    keys.sort();
    keys
}
