//! Array files in a configuration.

use crate::base::registry::Value;
use crate::error::{Error, Result, join};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use serde_json::json;
use std::borrow::Cow;

/// One array file, or several by name, for a model with several inputs or
/// outputs: `"x.npy"`, or `{ left = "l.npy", right = "r.npy" }`.
#[derive(Clone, Debug, PartialEq)]
pub enum Files {
    /// A single file.
    One(String),
    /// Files with names.
    Named(Vec<(String, String)>),
}

impl Files {
    pub(in crate::data) fn from_value(at: &str, value: &Value) -> Result<Self> {
        let wrong = |at: &str, found: &Value| {
            let expected = "a file's name, or a table of names and files";
            Error::invalid(at, found, expected)
        };
        match value {
            Value::String(path) => Ok(Files::One(path.clone())),
            Value::Object(files) if !files.is_empty() => {
                let file = |(name, value): (&String, &Value)| match value {
                    Value::String(path) => Ok((name.clone(), path.clone())),
                    other => Err(wrong(&join(at, name), other)),
                };
                files
                    .iter()
                    .map(file)
                    .collect::<Result<_>>()
                    .map(Files::Named)
            }
            other => Err(wrong(at, other)),
        }
    }

    pub(in crate::data) fn map(&self, change: impl Fn(&String) -> String) -> Files {
        match self {
            Files::One(path) => Files::One(change(path)),
            Files::Named(files) => {
                let changed = files
                    .iter()
                    .map(|(name, path)| (name.clone(), change(path)));
                Files::Named(changed.collect())
            }
        }
    }

    /// The paths, in their order.
    pub(in crate::data) fn paths(&self) -> Vec<&str> {
        match self {
            Files::One(path) => vec![path],
            Files::Named(files) => files.iter().map(|(_, path)| path.as_str()).collect(),
        }
    }

    /// The names; empty for a single file.
    pub(in crate::data) fn names(&self) -> Vec<String> {
        match self {
            Files::One(_) => Vec::new(),
            Files::Named(files) => files.iter().map(|(name, _)| name.clone()).collect(),
        }
    }
}

impl Serialize for Files {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Files::One(path) => serializer.serialize_str(path),
            Files::Named(files) => {
                serializer.collect_map(files.iter().map(|(name, path)| (name, path)))
            }
        }
    }
}

impl JsonSchema for Files {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Files".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let named = json!({ "type": "object", "additionalProperties": { "type": "string" }, "minProperties": 1 });
        json_schema!({ "anyOf": [{ "type": "string" }, named] })
    }
}
