//! A configuration as TOML text, as a person would write it.

use crate::base::registry::Value;
use crate::error::{Error, Result};

/// A section for each table, a line for each key, and within a list of tables a line for each
/// table. Keys without a value are omitted.
pub fn to_text(config: &Value) -> Result<String> {
    let mut text = String::new();
    let fields = || config.as_object().into_iter().flatten();
    for (key, value) in fields().filter(|(_, v)| !v.is_object()) {
        text += &line(key, value)?;
    }
    for (key, value) in fields() {
        let Value::Object(section) = value else {
            continue;
        };
        text += &format!("\n[{key}]\n");
        for (key, value) in section {
            text += &line(key, value)?;
        }
    }
    Ok(text)
}

fn line(key: &str, value: &Value) -> Result<String> {
    Ok(match value {
        Value::Null => String::new(),
        Value::Array(items) if items.iter().any(Value::is_object) => {
            let mut text = format!("{key} = [\n");
            for item in items {
                text += &format!("  {},\n", inline(item)?);
            }
            text + "]\n"
        }
        value => format!("{key} = {}\n", inline(value)?),
    })
}

/// A value as it stands behind a key.
pub fn inline(value: &Value) -> Result<String> {
    let failed = |error: toml::ser::Error| Error::Internal(format!("TOML: {error}"));
    let value = toml::Value::try_from(without_nulls(value)).map_err(failed)?;
    Ok(value.to_string())
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(_, value)| !value.is_null());
            let fields = fields.map(|(key, value)| (key.clone(), without_nulls(value)));
            Value::Object(fields.collect())
        }
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::document::from_toml;
    use super::*;
    use serde_json::json;

    #[test]
    fn a_configuration_comes_back_from_its_text_to_the_bit() {
        let config = json!({
            "seed": 42,
            "data": { "x": "a \"b\"\\c.npy", "validation": { "fraction": 0.1 } },
            "model": { "layers": [
                { "type": "Dense", "units": 3, "kernel_initializer": { "type": "X", "s": 1e-7 } },
                { "type": "Flatten" },
            ] },
            "train": { "r": 0.1 + 0.2, "one": 1.0, "tiny": 5e-324, "metrics": ["a", "b"], "e": [] },
        });
        let text = to_text(&config).unwrap();
        assert_eq!(from_toml(&text).unwrap(), config);
        assert!(text.contains("\n  { type = \"Flatten\" },\n"), "{text}");
    }

    #[test]
    fn what_is_null_is_left_out() {
        let config = json!({ "seed": null, "train": { "o": { "a": null, "b": [1] }, "c": null } });
        assert_eq!(to_text(&config).unwrap(), "\n[train]\no = { b = [1] }\n");
    }
}
