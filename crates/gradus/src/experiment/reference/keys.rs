//! A table of keys: `key | type | default | meaning | example`.

use super::types::type_of;
use super::{definition, meaning_of, words};
use crate::base::registry::Value;
use crate::error::Result;
use crate::experiment::config::inline;
use serde_json::json;

/// The head of a table of keys.
const HEAD: &str =
    "| key | type | default | meaning | example |\n| --- | --- | --- | --- | --- |\n";

/// A table of the keys of a schema that `is_wanted`; empty if there are none.
pub fn table(
    schema: &Value,
    definitions: &Value,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<String> {
    let empty = serde_json::Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&empty);
    let mut rows = String::new();
    for (key, of) in properties.iter().filter(|(key, _)| is_wanted(key)) {
        let required = schema["required"].as_array();
        let required = required.is_some_and(|all| all.iter().any(|one| one == key));
        rows += &row(key, of, required, definitions)?;
    }
    Ok(match rows.is_empty() {
        true => rows,
        false => format!("{HEAD}{rows}\n"),
    })
}

/// A key's line.
fn row(key: &str, schema: &Value, required: bool, definitions: &Value) -> Result<String> {
    let (meaning, said) = meaning_and_default(meaning_of(schema));
    let default = match (required, schema.get("default")) {
        (true, _) => "required".to_owned(),
        // An empty list says less than a sentence.
        (false, Some(default)) if said.is_empty() || *default != json!([]) => {
            code(&inline(default)?)
        }
        (false, _) => said,
    };
    let example = match schema.get("examples").and_then(|all| all.get(0)) {
        Some(example) => code(&inline(example)?),
        None => String::new(),
    };
    let words = words(definition(schema, definitions).unwrap_or(schema));
    let words = words.iter().filter(|(_, meaning)| !meaning.is_empty());
    let words = words.map(|(word, meaning)| {
        let meaning = meaning.trim_end_matches('.');
        format!("`{word}`: {}", lower(meaning))
    });
    let mut meaning = meaning;
    let words: Vec<String> = words.collect();
    if !words.is_empty() {
        meaning += &format!(" {}.", words.join("; "));
    }
    let cells = [
        code(key),
        type_of(schema, definitions),
        default,
        meaning,
        example,
    ];
    let cells = cells.map(|cell| cell.replace('|', "\\|").replace('\n', " "));
    Ok(format!("| {} |\n", cells.join(" | ")))
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

/// A description without its sentence on the default, and that sentence's content.
pub fn meaning_and_default(text: &str) -> (String, String) {
    let starts = |at: usize| {
        at == 0
            || text[..at].ends_with(". ")
            || text[..at].ends_with(".) ")
            || text[..at].ends_with("\n\n")
    };
    let found = text.match_indices("Default").find(|(at, _)| starts(*at));
    let Some((start, _)) = found else {
        return (text.to_owned(), String::new());
    };
    let end = text[start..]
        .find(". ")
        .map_or(text.len(), |end| start + end + 1);
    let sentence = text[start..end].trim_end_matches('.');
    let said = sentence
        .trim_start_matches("Default")
        .trim_start_matches(':')
        .trim();
    let rest = format!("{}{}", &text[..start], text[end..].trim_start());
    (rest.trim().to_owned(), said.to_owned())
}

/// A text that goes on a sentence: its first letter is small, unless it begins with a name.
fn lower(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(first), Some(second)) if second.is_lowercase() || second == ' ' => {
            let rest = &text[first.len_utf8()..];
            format!("{}{rest}", first.to_lowercase())
        }
        _ => text.to_owned(),
    }
}
