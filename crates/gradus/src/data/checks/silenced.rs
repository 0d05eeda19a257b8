//! `data.checks`: the checks that a user turned off.

use super::names;
use crate::base::json_schema;
use crate::base::registry::{Value, table};
use crate::error::{Error, Result, join};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};
use serde_json::json;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// The disabled checks: `checks = { constant = false }`, or `checks = false` for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Silenced(BTreeSet<&'static str>);

impl Silenced {
    /// Reads it from a configuration. An unknown name is an error with the nearest one.
    pub fn from_value(at: &str, value: &Value) -> Result<Self> {
        if let Value::Bool(made) = value {
            return Ok(Silenced(names().filter(|_| !made).collect()));
        }
        let mut silenced = BTreeSet::new();
        for (name, made) in table(at, value)? {
            let known = names().find(|known| *known == name);
            let known = known.ok_or_else(|| Error::unknown(at, "check", &name, names()))?;
            match made {
                Value::Bool(true) => {}
                Value::Bool(false) => {
                    silenced.insert(known);
                }
                other => return Err(Error::invalid(&join(at, &name), other, "true or false")),
            }
        }
        Ok(Silenced(silenced))
    }

    /// True if all checks run.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True if this check is disabled.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }
}

impl Serialize for Silenced {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|name| (name, false)))
    }
}

impl JsonSchema for Silenced {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Silenced".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let checks = names().map(|name| (name.to_owned(), json!({ "type": "boolean" })));
        json_schema::table_or(
            json_schema::table(checks.collect()),
            &json!({ "type": "boolean" }),
        )
    }
}
