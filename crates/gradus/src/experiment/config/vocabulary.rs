//! `vocabulary = "file.txt"`: a vocabulary from a file, one text or number per line.

use super::problem_at;
use crate::base::files;
use crate::base::registry::Value;
use crate::error::{Error, Result};
use std::collections::HashMap;
use std::path::Path;

/// The layers with the contents of their vocabulary files in place of the paths, which are relative
/// to `base`; `at` is the layers' path of keys.
pub fn with_vocabularies(at: &str, layers: &[Value], base: &Path) -> Result<Vec<Value>> {
    let layers = layers.iter().enumerate().map(|(i, layer)| {
        let numbers = match layer["type"].as_str() {
            Some("StringLookup") => false,
            Some("IntegerLookup") => true,
            _ => return Ok(layer.clone()),
        };
        let Some(file) = layer["vocabulary"].as_str() else {
            return Ok(layer.clone());
        };
        let path = base.join(file);
        let things = read(&path, numbers).map_err(|error| match error {
            // The path's key, if it cannot be read.
            Error::Io { cause, .. } => {
                let problem = format!("cannot read {}: {cause}", path.display());
                problem_at(&format!("{at}[{i}].vocabulary"), &problem)
            }
            other => other,
        })?;
        let mut layer = layer.clone();
        layer["vocabulary"] = things.into();
        Ok(layer)
    });
    layers.collect()
}

/// Size limit of a vocabulary's file.
const MOST_BYTES: u64 = 1 << 30;

/// The distinct lines of a file. Empty ones at its end are ignored.
fn read(path: &Path, numbers: bool) -> Result<Vec<Value>> {
    let bytes = files::read(path, "a vocabulary, a text a line", MOST_BYTES)?;
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let line = 1 + bytes[..error.valid_up_to()]
            .iter()
            .filter(|b| **b == b'\n')
            .count();
        Error::file(path, format!("line {line} is not UTF-8: save it as that"))
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = text.trim_end_matches(['\n', '\r']);
    if text.is_empty() {
        let problem = "it is empty: a vocabulary has one entry in each line";
        return Err(Error::file(path, problem));
    }
    let mut seen = HashMap::new();
    let lines = text.split('\n').zip(1..).map(|(line, number)| {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let wrong = |problem: String| Error::file(path, format!("line {number}: {problem}"));
        let thing = match numbers {
            false => Value::from(line),
            true => match line.trim().parse::<i64>() {
                Ok(whole) => whole.into(),
                Err(_) => return Err(wrong(format!("found `{line}`, expected a whole number"))),
            },
        };
        match seen.insert(thing.to_string(), number) {
            None => Ok(thing),
            Some(first) => Err(wrong(format!(
                "found `{line}`, which is in line {first}: a vocabulary has each entry once"
            ))),
        }
    });
    lines.collect()
}
