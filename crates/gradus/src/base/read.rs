//! Tables of keys and values into structs, with errors in the words of who wrote them.

use super::old_words::successor;
use super::registry::{Rule, Value, field_names};
use super::wrong_type::{Form, Refusal};
use crate::error::{Error, Result, join};
use serde::de::DeserializeOwned;
use serde_json::{Map, json};
use serde_path_to_error::{Path, Segment};

/// An error of a value's parts, with its place.
type PartError = serde_path_to_error::Error<serde_json::Error>;

/// A trial of reading a value: what its check says, if its parts have the right types.
type Trial<'a> = &'a dyn Fn(&Value) -> std::result::Result<Result<()>, PartError>;

/// Reads a configuration table from its fields.
///
/// An unknown key is an error with the nearest known one, or with what to write instead, even if a
/// required key is missing too. A value of a wrong type is an error that says what would be right.
pub fn read<T: DeserializeOwned>(at: &str, fields: Map<String, Value>) -> Result<T> {
    refuse_unknown(at, ("table", at), &fields, field_names::<T>())?;
    typed(at, fields, |_: &T| Ok(()))
}

/// Reads a member of a family from its arguments, and checks them.
pub(crate) fn read_rule<R: Rule>(
    at: &str,
    (family, class): (&str, &str),
    fields: Map<String, Value>,
) -> Result<R> {
    refuse_unknown(at, (family, class), &fields, field_names::<R>())?;
    let rule: R = typed(at, fields, R::check)?;
    rule.check().map_err(|error| error.under(at))?;
    Ok(rule)
}

/// Refuses keys that are not among `known`. `owner` is the family and the class that they belong to,
/// or `table` and its path of keys.
pub(crate) fn refuse_unknown(
    at: &str,
    (family, owner): (&str, &str),
    fields: &Map<String, Value>,
    known: &[&str],
) -> Result<()> {
    let Some(key) = fields.keys().find(|key| !known.contains(&key.as_str())) else {
        return Ok(());
    };
    Err(match successor(family, owner, key, fields) {
        Some(advice) => Error::OldName {
            at: at.to_owned(),
            family: "key",
            found: key.clone(),
            advice,
        },
        None => Error::unknown(at, "key", key, known.iter().copied()),
    })
}

/// Reads fields whose keys are known.
fn typed<T: DeserializeOwned>(
    at: &str,
    fields: Map<String, Value>,
    check: impl Fn(&T) -> Result<()>,
) -> Result<T> {
    let fields = Value::Object(fields);
    let trial = |value: &Value| parts(value).map(|read| check(&read));
    parts(&fields).map_err(|error| in_words(at, &fields, &error, &trial))
}

/// Reads a value. Each type has its own machine code for that, and for nothing else here.
#[inline(never)]
fn parts<T: DeserializeOwned>(value: &Value) -> std::result::Result<T, PartError> {
    serde_path_to_error::deserialize(value)
}

/// An error in the words of who wrote the fields.
fn in_words(at: &str, fields: &Value, error: &PartError, trial: Trial<'_>) -> Error {
    let pointer = pointer(error.path());
    let at = join(at, error.path().to_string().trim_matches('.'));
    let found = fields.pointer(&pointer).unwrap_or(&Value::Null);
    match Refusal::of(&error.inner().to_string()) {
        Refusal::Expected(form) => {
            let expected = precise(fields, &pointer, form, trial);
            Error::invalid(&at, found, expected)
        }
        Refusal::NoneOf(family, name, known) => {
            Error::unknown(&at, family, &name, known.iter().map(String::as_str))
        }
        Refusal::Missing(key) => {
            let expected = missing(fields, &pointer, &key, trial);
            let expected = expected.map_or_else(String::new, |expected| format!(": {expected}"));
            Error::Config {
                at,
                problem: format!("`{key}` is missing{expected}"),
            }
        }
        Refusal::Other(problem) => Error::Config { at, problem },
    }
}

/// The path of an error, as [`Value::pointer`] takes it.
fn pointer(path: &Path) -> String {
    let parts = path.iter().map(|segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        Segment::Enum { .. } | Segment::Unknown => String::new(),
    });
    parts.collect()
}

/// The expected value in words, as exact as the check of the whole says it: what it demands of a
/// value of the right type that is as far off as can be.
fn precise(fields: &Value, pointer: &str, form: Form, trial: Trial<'_>) -> String {
    let probes = match form {
        Form::Count => vec![json!(0)],
        Form::Number => vec![json!(-1e300), json!(1e300)],
        Form::Name => vec![json!("?")],
        Form::Words(words) => return words,
    };
    let key = pointer.trim_start_matches('/').replace('/', ".");
    let tried = probes.into_iter().find_map(|probe| {
        let mut tried = fields.clone();
        *tried.pointer_mut(pointer)? = probe;
        match trial(&tried) {
            Ok(Err(Error::Invalid { at, expected, .. })) if at == key => Some(expected),
            Ok(_) => None,
            Err(error) => match Refusal::of(&error.inner().to_string()) {
                Refusal::NoneOf(_, _, known) if !known.is_empty() => {
                    let known: Vec<String> = known.iter().map(|k| format!("`{k}`")).collect();
                    Some(known.join(" or "))
                }
                _ => None,
            },
        }
    });
    tried.unwrap_or_else(|| form.words().to_owned())
}

/// The value that a missing key takes, in words: what is said of one that none takes.
fn missing(fields: &Value, pointer: &str, key: &str, trial: Trial<'_>) -> Option<String> {
    let mut tried = fields.clone();
    let table = tried.pointer_mut(pointer)?.as_object_mut()?;
    table.insert(key.to_owned(), json!([[[]]]));
    let error = trial(&tried).err()?;
    let place = format!("{pointer}/{key}");
    match Refusal::of(&error.inner().to_string()) {
        Refusal::Expected(form) => Some(precise(&tried, &place, form, trial)),
        Refusal::Other(problem) => Some(problem.rsplit_once(", expected ")?.1.to_owned()),
        _ => None,
    }
}
