//! Examples of keys whose code gives none: a word that is not the default, a member of a family.

use super::{definition, words};
use crate::base::registry::Value;
use serde_json::{Map, json};

/// Members that stand in examples, by their family.
const USUAL: [(&str, &str); 6] = [
    ("activation", "elu"),
    ("constraint", "max_norm"),
    ("initializer", "he_normal"),
    ("metric", "accuracy"),
    ("optimizer", "nadam"),
    ("regularizer", "l2"),
];

/// Gives each key an example that has none.
pub fn fill(root: &mut Value) {
    let definitions = root["$defs"].clone();
    fill_all(root, &definitions);
}

fn fill_all(schema: &mut Value, definitions: &Value) {
    match schema {
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| fill_all(item, definitions)),
        Value::Object(fields) => {
            if let Some(Value::Object(properties)) = fields.get_mut("properties") {
                for (_, key) in properties.iter_mut() {
                    if let Value::Object(key) = key {
                        fill_one(key, definitions);
                    }
                }
            }
            for (key, value) in fields.iter_mut() {
                if !["default", "examples", "const", "enum"].contains(&key.as_str()) {
                    fill_all(value, definitions);
                }
            }
        }
        _ => {}
    }
}

fn fill_one(key: &mut Map<String, Value>, definitions: &Value) {
    if key.contains_key("examples") {
        return;
    }
    let default = key.get("default").cloned();
    let own = Value::Object(key.clone());
    let schema = definition(&own, definitions).unwrap_or(&own);
    let family = USUAL.iter().find(|(noun, _)| schema["title"] == *noun);
    let mut words = words(schema).into_iter().map(|(word, _)| word);
    let other = words.find(|word| Some(word) != default.as_ref());
    let example = match (family, schema["type"] == "boolean") {
        (Some((_, member)), _) => Some(json!(member)),
        (None, true) => Some(json!(default != Some(json!(true)))),
        (None, false) => other.or(default),
    };
    if let Some(example) = example {
        key.insert("examples".into(), json!([example]));
    }
}
