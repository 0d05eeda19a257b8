//! Conversion between Keras' JSON objects and gradus' configurations.
//!
//! Keras writes `{"module": "keras.initializers", "class_name": "HeNormal",
//! "config": {"seed": null}, "registered_name": null}`, gradus
//! `{"type": "HeNormal", "seed": null}`; an alias is a string in both. Only
//! `{"type": "HeNormal", "seed": null}`; an alias is a string in both. Only the form is converted;
//! no object is created, and a file's classes are only looked up in gradus' own registries.

use super::families::{Family, PACKAGE, registered_name};
use crate::base::registry::Value;
use crate::base::shown::list;
use crate::error::{Error, Result, join};
use crate::model::sequential::snake_case;
use serde_json::{Map, json};
use std::path::Path;

/// All parts of a file that gradus cannot take, reported together.
#[derive(Debug, Default)]
pub(crate) struct Findings(Vec<String>);

impl Findings {
    /// Adds one, with its path of keys.
    pub fn add(&mut self, at: &str, what: impl std::fmt::Display) {
        self.0.push(match at {
            "" => what.to_string(),
            _ => format!("{at}: {what}"),
        });
    }

    /// The total number.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// All of them in one line, if there is one.
    pub fn line(self) -> Option<String> {
        let line = list(&self.0);
        (!line.is_empty()).then_some(line)
    }

    /// An error with all of them, of many with the first, if there is one.
    pub fn check(self, path: &Path) -> Result<()> {
        const MOST: usize = 20;
        match self.0.as_slice() {
            [] => Ok(()),
            [one] => Err(Error::file(path, one)),
            all => {
                let first = all.iter().take(MOST).map(|line| format!("\n  {line}"));
                let more = match all.len() {
                    n if n > MOST => format!("\n  and {} more", n - MOST),
                    _ => String::new(),
                };
                let problem = format!(
                    "{} things that gradus cannot take:{}{more}",
                    all.len(),
                    first.collect::<String>()
                );
                Err(Error::file(path, problem))
            }
        }
    }
}

/// A Keras object, or an alias, as gradus' configuration.
///
/// Unknown parts are added to `findings`, and the result is then null.
pub(crate) fn from_keras(
    at: &str,
    family: Family,
    value: &Value,
    findings: &mut Findings,
) -> Value {
    match value {
        Value::String(name) if family.member(name).is_none() => {
            findings.add(at, unknown(family, name));
            Value::Null
        }
        Value::Object(object) => match KerasObject::of(object) {
            Ok(KerasObject::Function(name)) if family.member(name).is_some() => name.into(),
            Ok(KerasObject::Function(name)) => {
                findings.add(at, format!("function `{name}` is code and not in the file"));
                Value::Null
            }
            Ok(KerasObject::Object { class, config }) => {
                arguments(at, family, class, config, findings)
            }
            Err(problem) => {
                findings.add(at, problem);
                Value::Null
            }
        },
        plain => plain.clone(),
    }
}

/// The arguments of a known class as its configuration.
fn arguments(
    at: &str,
    family: Family,
    class: &str,
    config: &Map<String, Value>,
    findings: &mut Findings,
) -> Value {
    let Some(member) = family.member(class) else {
        findings.add(at, unknown(family, class));
        return Value::Null;
    };
    let mut known = Map::new();
    known.insert("type".to_owned(), member.class.into());
    for (name, value) in config {
        let at = join(at, name);
        let mut extras = family.extras(class).filter(|extra| extra.argument == *name);
        if family.has_argument(member, name) {
            known.insert(name.clone(), argument(&at, name, value, findings));
            continue;
        }
        let neutral = extras.any(|extra| extra.is_neutral(class, value))
            || name == "dtype" && is_float32(value);
        if !neutral {
            findings.add(&at, format!("{class} with {name} = {}", brief(value)));
        }
    }
    known.into()
}

/// The value of an argument: an object of the argument's family, or plain data.
pub(crate) fn argument(at: &str, name: &str, value: &Value, findings: &mut Findings) -> Value {
    match Family::of_argument(name) {
        Some(family) => from_keras(at, family, value, findings),
        None => plain(at, value, findings),
    }
}

/// Numbers, strings and lists of them; arrays wrapped as Keras objects become lists.
fn plain(at: &str, value: &Value, findings: &mut Findings) -> Value {
    match value {
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items
                .map(|(i, item)| plain(&format!("{at}[{i}]"), item, findings))
                .collect()
        }
        Value::Object(object) => match (object.get("class_name"), &object.get("config")) {
            (Some(Value::String(class)), Some(Value::Object(config)))
                if class == "__numpy__" || class == "__tensor__" =>
            {
                let numbers = config.get("value").unwrap_or(&Value::Null);
                match numbers {
                    Value::Object(_) => Value::Null,
                    numbers => plain(at, numbers, findings),
                }
            }
            _ => {
                findings.add(at, format!("found {}, expected plain data", brief(value)));
                Value::Null
            }
        },
        plain => plain.clone(),
    }
}

/// The kinds of Keras objects.
pub(crate) enum KerasObject<'a> {
    /// A function that Keras knows by its name.
    Function(&'a str),
    /// A class of Keras, or of gradus, and its arguments.
    Object {
        class: &'a str,
        config: &'a Map<String, Value>,
    },
}

impl<'a> KerasObject<'a> {
    /// Parses an object; code, and other classes than Keras' own, are refused.
    pub fn of(object: &'a Map<String, Value>) -> std::result::Result<Self, String> {
        let Some(Value::String(class)) = object.get("class_name") else {
            return Err("an object without a class, which may be code, is refused".to_owned());
        };
        let refused = |what: &str| Err(format!("`{class}` {what}"));
        if ["Lambda", "__lambda__", "__typespec__", "TorchModuleWrapper"].contains(&class.as_str())
            || ["TFSMLayer", "JaxLayer", "FlaxLayer"].contains(&class.as_str())
        {
            return refused("carries code, which gradus never runs");
        }
        let module = object
            .get("module")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let keras = module == "keras" || module.starts_with("keras.");
        match object.get("config") {
            // Keras writes its own functions like Python's.
            Some(Value::String(name)) if class == "function" && (keras || module == "builtins") => {
                return Ok(KerasObject::Function(name));
            }
            Some(Value::Object(config)) if keras => {
                let registered = object.get("registered_name").unwrap_or(&Value::Null);
                if registered.is_null() || registered == class {
                    return Ok(KerasObject::Object { class, config });
                }
            }
            // As gradus writes it, or Keras from any module.
            Some(Value::Object(config)) => {
                let registered = object.get("registered_name").and_then(Value::as_str);
                if registered.is_some() && registered == registered_name(class).as_deref() {
                    return Ok(KerasObject::Object { class, config });
                }
            }
            _ if keras && !class.starts_with("__") => {
                return refused("has no table of arguments");
            }
            _ => {}
        }
        refused("is not a class of Keras' own, and its code is not in the file")
    }
}

/// gradus' configuration, or an alias, as Keras writes it.
pub(crate) fn to_keras(family: Family, value: &Value) -> Value {
    match value {
        Value::String(_) => match family.written_out(value) {
            Some(config) => to_keras(family, &config),
            None => value.clone(),
        },
        Value::Object(fields) => {
            let class = keras_class(family, fields.get("type").and_then(Value::as_str));
            let mut config = Map::new();
            if family == Family::Activation {
                // To Keras it is a layer, with every layer's arguments.
                config.insert("name".to_owned(), snake_case(&class).into());
                config.insert("trainable".to_owned(), true.into());
                config.insert("dtype".to_owned(), dtype_policy("float32"));
            }
            for extra in family.extras(&class).filter(|extra| extra.written) {
                config.insert(extra.argument.to_owned(), extra.neutral(&class));
            }
            for (name, value) in fields.iter().filter(|(name, _)| *name != "type") {
                let value = match Family::of_argument(name) {
                    Some(family) => to_keras(family, value),
                    None => value.clone(),
                };
                config.insert(name.clone(), value);
            }
            let mut written = object(family.module(), &class, config);
            if let Some(name) = registered_name(&class).filter(|_| family == Family::Layer) {
                written["module"] = PACKAGE.into();
                written["registered_name"] = name.into();
            }
            written
        }
        plain => plain.clone(),
    }
}

/// An object in Keras' form.
pub(crate) fn object(module: &str, class: &str, config: Map<String, Value>) -> Value {
    json!({
        "module": module,
        "class_name": class,
        "config": config,
        "registered_name": null,
    })
}

/// A layer's number type in Keras' form.
pub(crate) fn dtype_policy(name: &str) -> Value {
    let config = Map::from_iter([("name".to_owned(), name.into())]);
    object("keras", "DTypePolicy", config)
}

/// True if a `dtype` is float32, plain or as a policy.
pub(crate) fn is_float32(value: &Value) -> bool {
    let name = dtype_name(value);
    *name == "float32" || name.is_null()
}

/// True if a `dtype` is of whole numbers, as for bins.
pub(crate) fn is_int(value: &Value) -> bool {
    let name = dtype_name(value);
    *name == "int64" || *name == "int32"
}

fn dtype_name(value: &Value) -> &Value {
    match value["class_name"].as_str() {
        Some("DTypePolicy") => &value["config"]["name"],
        _ => value,
    }
}

/// Keras' class of a type; gradus spells some activations differently.
fn keras_class(family: Family, name: Option<&str>) -> String {
    let name = name.unwrap_or_default();
    let spelled = ["ELU", "ReLU", "LeakyReLU", "PReLU"];
    match family {
        Family::Activation => spelled
            .iter()
            .find(|s| s.eq_ignore_ascii_case(name))
            .unwrap_or(&name),
        _ => name,
    }
    .to_string()
}

fn unknown(family: Family, name: &str) -> String {
    format!("unknown {} `{name}`", family.noun())
}

/// A value short enough for a message.
fn brief(value: &Value) -> String {
    let text = match value {
        Value::Object(object) => match object.get("class_name") {
            Some(Value::String(class)) => return format!("a `{class}`"),
            _ => "a table".to_owned(),
        },
        other => other.to_string(),
    };
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
