//! Schemas of Rust types, made those of TOML: no nulls, no sizes of Rust's numbers, no Rust in the
//! descriptions, and no key but those that are listed.

use crate::base::registry::Value;
use serde_json::Map;

/// Cleans a schema and all that it contains.
pub fn clean(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(clean),
        Value::Object(fields) => {
            fields.retain(|key, value| key != "format" || !value.is_string());
            without_null(fields);
            if let Some(Value::String(text)) = fields.get_mut("description") {
                *text = plain(text);
            }
            let is_list = fields.get("properties").is_some_and(Value::is_object);
            if is_list && fields.get("type").is_some_and(|of| of == "object") {
                fields.entry("additionalProperties").or_insert(false.into());
            }
            for (key, value) in fields.iter_mut() {
                // A default or an example is a value, not a schema; a condition holds of tables with
                // other keys, too.
                if !["default", "examples", "const", "enum", "if"].contains(&key.as_str()) {
                    clean(value);
                }
            }
        }
        _ => {}
    }
}

/// Removes the alternative of a null, which TOML does not have.
fn without_null(fields: &mut Map<String, Value>) {
    let is_null = |value: &Value| *value == "null" || value.is_null();
    fields.retain(|key, value| key != "default" || !value.is_null());
    for list in ["type", "enum"] {
        if let Some(Value::Array(all)) = fields.get_mut(list) {
            all.retain(|value| !is_null(value));
            if list == "type"
                && let [only] = &all[..]
            {
                fields["type"] = only.clone();
            }
        }
    }
    let Some(Value::Array(mut all)) = fields.remove("anyOf") else {
        return;
    };
    let before = all.len();
    all.retain(|schema| schema.get("type").is_none_or(|of| !is_null(of)));
    let is_alone = all.len() < before && !fields.contains_key("$ref");
    match (&mut all[..], is_alone) {
        ([Value::Object(only)], true) => {
            for (key, value) in std::mem::take(only) {
                fields.entry(key).or_insert(value);
            }
        }
        _ => {
            fields.insert("anyOf".into(), all.into());
        }
    }
}

/// A comment of the code as plain text: without examples, tables and links into the code, its
/// paragraphs in lines of their own.
fn plain(text: &str) -> String {
    let mut paragraphs: Vec<String> = Vec::new();
    for paragraph in text.split("\n\n") {
        let paragraph = paragraph.trim();
        let is_code = paragraph.starts_with("```") || paragraph.starts_with('|');
        if is_code || paragraph.starts_with('#') || paragraph.contains("]: ") {
            break;
        }
        let words: Vec<&str> = paragraph.split_whitespace().collect();
        paragraphs.push(without_links(&words.join(" ")));
    }
    // Words that lead to an example, which is not there.
    if paragraphs.len() > 1 && paragraphs.last().is_some_and(|last| last.ends_with(':')) {
        paragraphs.pop();
    }
    paragraphs.join("\n\n")
}

/// A text with the names of links into the code in place of the links.
fn without_links(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("[`") {
        plain += before;
        let Some((name, after)) = after.split_once("`]") else {
            plain += "[`";
            rest = after;
            continue;
        };
        plain += &format!("`{}`", name.rsplit("::").next().unwrap_or(name));
        rest = after;
        if let Some(target) = rest.strip_prefix('(')
            && let Some((_, after)) = target.split_once(')')
        {
            rest = after;
        }
    }
    plain + rest
}
