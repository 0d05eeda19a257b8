//! The reference of a configuration: its JSON Schema, and the document that is made of it.

mod anchor;
mod clean;
mod document;
mod examples;
mod families;
mod keys;
mod types;

pub use document::reference;

use super::config;
use crate::base::registry::Value;
use schemars::generate::SchemaSettings;

/// The schema's dialect, and its own name.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
const ID: &str = "urn:gradus:configuration";

/// The JSON Schema of a configuration (draft 2020-12), for editors and validators.
///
/// It has every key with its type, default, meaning and an example, and allows no other.
pub fn schema() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let mut root = config::schema(&mut generator).to_value();
    root["$schema"] = DIALECT.into();
    root["$id"] = ID.into();
    root["$defs"] = Value::Object(generator.take_definitions(true));
    clean::clean(&mut root);
    examples::fill(&mut root);
    root
}

/// The definition that a schema refers to, if it does.
fn definition<'a>(schema: &Value, definitions: &'a Value) -> Option<&'a Value> {
    definitions.get(name_of(schema)?)
}

/// The name of the definition that a schema refers to.
fn name_of(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.rsplit('/').next()
}

/// The words that a schema lists, with their meanings, which are empty if there are none.
fn words(schema: &Value) -> Vec<(Value, &str)> {
    let listed = schema.get("enum").and_then(Value::as_array);
    let each = schema.get("oneOf").and_then(Value::as_array);
    let plain = listed.into_iter().flatten().map(|word| (word.clone(), ""));
    let each = each.into_iter().flatten().flat_map(|one| {
        // The first spelling, if there are several.
        let word = one.get("const").or_else(|| one.get("enum")?.get(0));
        word.map(|word| (word.clone(), meaning_of(one)))
    });
    plain.chain(each).collect()
}

/// The description of a schema.
fn meaning_of(schema: &Value) -> &str {
    schema
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
