//! Settings of `[train]` that each output of a model may have its own of.

use crate::base::json_schema;
use crate::base::registry::Value;
use crate::error::{Error, Result, join};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

/// One value for all outputs, or one for each that is named.
#[derive(Clone, Debug)]
pub enum PerOutput<T> {
    All(T),
    Named(Vec<(String, T)>),
}

impl<T> PerOutput<T> {
    /// A table without `type` names outputs; all else is read by `read`.
    pub fn from_value(
        at: &str,
        value: &Value,
        read: impl Fn(&str, &Value) -> Result<T>,
    ) -> Result<Self> {
        match value {
            Value::Object(named) if !named.contains_key("type") => named
                .iter()
                .map(|(name, value)| Ok((name.clone(), read(&join(at, name), value)?)))
                .collect::<Result<_>>()
                .map(PerOutput::Named),
            one => read(at, one).map(PerOutput::All),
        }
    }

    /// The value of each of the model's outputs; an error if it names others.
    pub fn each(&self, at: &str, outputs: &[String]) -> Result<Vec<Option<&T>>> {
        match self {
            PerOutput::All(one) => Ok(vec![Some(one); outputs.len()]),
            PerOutput::Named(named) => {
                if let Some((name, _)) = named.iter().find(|(name, _)| !outputs.contains(name)) {
                    let known = outputs.iter().map(String::as_str);
                    return Err(Error::unknown(at, "output", name, known));
                }
                let of = |output| named.iter().find(|(name, _)| name == output);
                Ok(outputs
                    .iter()
                    .map(|o| of(o).map(|(_, value)| value))
                    .collect())
            }
        }
    }
}

impl<T: JsonSchema> JsonSchema for PerOutput<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("PerOutput{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({
            "if": { "type": "object", "not": { "required": ["type"] } },
            "then": { "type": "object", "additionalProperties": one },
            "else": one,
            "anyOf": json_schema::for_editors(&one),
        })
    }
}
