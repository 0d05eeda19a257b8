//! JSON Schemas of configurations, from the code's own structs: those of families, and small ones
//! for keys that are read by hand.

use super::registry::Member;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

/// The separator between a family and a member in the names of definitions: `Layer.Dense`.
pub(crate) const OF: char = '.';

/// The schema of a member's arguments.
pub(crate) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// The schema of a family: the name of a member, or a table with `type`, the member's keys and the
/// `common` ones, which are put behind them.
///
/// Each member is a definition of its own, `FAMILY.MEMBER`. A table is held against its member's
/// alone (`if` and `then`), so that a validator names the key that is wrong.
pub(crate) fn family(
    generator: &mut SchemaGenerator,
    name: &str,
    noun: &str,
    (members, schemas): (&[Member], &[SchemaOf]),
    common: &Map<String, Value>,
) -> Schema {
    let mut alone = Vec::new();
    let mut types = Vec::new();
    let mut branches = Vec::new();
    let mut hints = Map::new();
    for (member, schema_of) in members.iter().zip(schemas) {
        let mut schema = schema_of(generator);
        let names: Vec<&str> = member.names().collect();
        add_type(&mut schema, &names);
        if schema.get("required") == Some(&json!(["type"])) {
            alone.extend(names.iter().copied());
        }
        types.extend(names.iter().copied());
        if let Some(Value::Object(properties)) = schema.get_mut("properties") {
            for (key, value) in common {
                properties.entry(key).or_insert_with(|| value.clone());
            }
        }
        for (key, of) in schema
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let hint = json!({ "description": of["description"] });
            hints.entry(key).or_insert(hint);
        }
        let definition = format!("{name}{OF}{}", member.class);
        branches.push(json!({
            "if": {
                "type": "object",
                "required": ["type"],
                "properties": { "type": { "enum": names } },
            },
            "then": { "$ref": format!("#/$defs/{definition}") },
        }));
        generator
            .definitions_mut()
            .insert(definition, schema.to_value());
    }
    // Editors that do not look behind a condition complete a member's keys from here.
    hints.insert("type".into(), json!({ "enum": types }));
    let table = json!({
        "type": "object",
        "required": ["type"],
        "properties": hints,
        "additionalProperties": true,
    });
    let mut either = vec![table];
    if !alone.is_empty() {
        either.insert(0, json!({ "enum": alone }));
    }
    json_schema!({ "title": noun, "anyOf": either, "allOf": branches })
}

/// Puts the key `type`, which is one of these names, in front of a table's keys.
pub(crate) fn add_type(schema: &mut Schema, names: &[&str]) {
    let mut required = vec![json!("type")];
    if let Some(Value::Array(own)) = schema.remove("required") {
        required.extend(own);
    }
    let mut properties = Map::new();
    properties.insert(
        "type".into(),
        json!({ "description": "The class.", "enum": names }),
    );
    if let Some(Value::Object(own)) = schema.remove("properties") {
        properties.extend(own);
    }
    schema.insert("required".into(), required.into());
    schema.insert("properties".into(), properties.into());
}

/// A member of a family, or its keys without `type`: those of any member, none required.
pub(crate) fn or_untyped<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    let member = generator.subschema_for::<T>();
    let prefix = format!("{}{OF}", T::schema_name());
    let mut keys = Map::new();
    for (name, definition) in generator.definitions() {
        if name.starts_with(&prefix)
            && let Some(properties) = definition["properties"].as_object()
        {
            for (key, value) in properties.iter().filter(|(key, _)| *key != "type") {
                keys.entry(key).or_insert_with(|| value.clone());
            }
        }
    }
    json_schema!({
        "if": { "type": "object", "not": { "required": ["type"] } },
        "then": { "type": "object", "properties": keys },
        "else": member,
        "anyOf": for_editors(&member),
    })
}

/// The alternatives of a value that a condition decides between: they refuse nothing more, for editors
/// that do not look behind the condition.
pub(crate) fn for_editors(either: &Schema) -> Value {
    json!([either, { "type": "object" }])
}

/// The properties of a schema.
pub(crate) fn properties(schema: Schema) -> Map<String, Value> {
    match schema.to_value() {
        Value::Object(mut fields) => match fields.remove("properties") {
            Some(Value::Object(properties)) => properties,
            _ => Map::new(),
        },
        _ => Map::new(),
    }
}

/// A table of these keys, none of which is required.
pub(crate) fn table(properties: Map<String, Value>) -> Schema {
    json_schema!({ "type": "object", "properties": properties })
}

/// One of these texts, each with its meaning.
pub(crate) fn words<'a>(words: impl IntoIterator<Item = (&'a str, &'a str)>) -> Schema {
    let words = words.into_iter().map(|(word, meaning)| match meaning {
        "" => json!({ "const": word }),
        _ => json!({ "const": word, "description": meaning }),
    });
    json_schema!({ "type": "string", "oneOf": words.collect::<Vec<_>>() })
}

/// A table of names, each with a value of this schema.
pub(crate) fn by_name(value: impl Into<Value>) -> Value {
    json!({ "type": "object", "additionalProperties": value.into() })
}

/// A value of one of these schemas.
pub(crate) fn either(all: &[Value]) -> Schema {
    json_schema!({ "anyOf": all })
}

/// A table of this schema, or a value of another one. A table is held against its own alone, so that
/// a validator names the key that is wrong.
pub(crate) fn table_or(table: impl Into<Value>, other: &Value) -> Schema {
    let table: Value = table.into();
    json_schema!({
        "if": { "type": "object" },
        "then": table,
        "else": other,
        "anyOf": [table, other, { "type": "object" }],
    })
}

/// Adds another spelling of a word, which the reader takes, too.
pub(crate) fn also(spelling: &'static str) -> impl Fn(&mut Schema) {
    move |schema| {
        if let Some(word) = schema.remove("const") {
            schema.insert("enum".into(), json!([word, spelling]));
        }
    }
}
