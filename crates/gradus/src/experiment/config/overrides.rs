//! Overrides: one key of the configuration, replaced (`--set KEY=VALUE` of the command line).

use super::document::from_toml;
use crate::base::registry::Value;
use crate::error::{Error, Result};

/// Abbreviated keys.
const SHORT: [(&str, &str); 1] = [("train.learning_rate", "train.optimizer.learning_rate")];

/// One override.
#[derive(Clone, Debug)]
pub struct Override {
    path: Vec<String>,
    value: Value,
}

impl Override {
    /// Reads `train.epochs=3`: a TOML key (`layers[0]` or `layers.0` for an
    /// item of a list), and a TOML value or a plain word.
    pub fn parse(text: &str) -> Result<Self> {
        let Some((key, value)) = text.split_once('=') else {
            return Err(Error::invalid("--set", format!("`{text}`"), "KEY=VALUE"));
        };
        let key = key.trim();
        Ok(Override {
            path: path(key)?,
            value: parse_value(key, value.trim())?,
        })
    }

    /// A value for a key, which is written as in [`Override::parse`].
    pub fn new(key: &str, value: Value) -> Result<Self> {
        let path = path(key)?;
        Ok(Override { path, value })
    }

    /// The key, its parts joined by dots.
    pub fn key(&self) -> String {
        self.path.join(".")
    }

    /// Sets the value. Tables on the way are created; a name there (`optimizer = "nadam"`) becomes
    /// a table with `type`. Other keys for the same thing are removed.
    pub fn apply(&self, config: &mut Value) -> Result<()> {
        for (short, long) in SHORT {
            let other = match self.key() {
                key if key == short => long,
                key if key == long => short,
                _ => continue,
            };
            if let Some((table, key)) = other.rsplit_once('.')
                && let Some(fields) = config.pointer_mut(&format!("/{}", table.replace('.', "/")))
                && let Some(fields) = fields.as_object_mut()
            {
                fields.remove(key);
            }
        }
        let mut place = config;
        for (i, part) in self.path.iter().enumerate() {
            if let Value::String(name) = place {
                *place = Value::Object(
                    [("type".to_owned(), name.as_str().into())]
                        .into_iter()
                        .collect(),
                );
            }
            place = match place {
                Value::Object(fields) => fields.entry(part.clone()).or_insert(Value::Null),
                Value::Array(items) => {
                    let count = items.len();
                    let item = part.parse::<usize>().ok().and_then(|n| items.get_mut(n));
                    item.ok_or_else(|| {
                        let expected = format!("the number of one of the {count} items, from 0");
                        Error::invalid(&self.at(i), format!("`{part}`"), expected)
                    })?
                }
                other => return Err(Error::invalid(&self.at(i), &*other, "a table")),
            };
            if place.is_null() && i + 1 < self.path.len() {
                *place = Value::Object(Default::default());
            }
        }
        *place = self.value.clone();
        Ok(())
    }

    /// The path of the value that should contain part `i`.
    fn at(&self, i: usize) -> String {
        format!("--set {}: {}", self.key(), self.path[..i].join("."))
    }
}

/// The parts of a key, quoted or not.
fn path(key: &str) -> Result<Vec<String>> {
    let wrong = || Error::invalid("--set", format!("`{key}`"), "a key such as train.epochs");
    let dotted = key.replace('[', ".").replace(']', "");
    if dotted.contains(['\n', '#', '=']) {
        return Err(wrong());
    }
    let mut place = from_toml(&format!("{dotted} = 0")).map_err(|_| wrong())?;
    let mut parts = Vec::new();
    while let Value::Object(fields) = place {
        let (part, inner) = fields.into_iter().next().ok_or_else(wrong)?;
        parts.push(part);
        place = inner;
    }
    Ok(parts)
}

fn parse_value(key: &str, text: &str) -> Result<Value> {
    let parsed = from_toml(&format!("value = {text}"));
    if let Ok(Value::Object(mut fields)) = parsed
        && fields.len() == 1
        && let Some(value) = fields.remove("value")
    {
        return Ok(value);
    }
    let starts_a_word = |c: char| c.is_alphabetic() || "_/.~".contains(c);
    let word = text.starts_with(starts_a_word)
        && !text.contains(['"', '\'', '{', '}', '[', ']', '=', ',', '#', '\n'])
        && !["inf", "nan"].contains(&text);
    if word {
        return Ok(text.into());
    }
    let expected = "a TOML value: 3, 0.1, true, \"a text\", [1, 2] or { type = \"Nadam\" }";
    Err(Error::invalid(
        &format!("--set {key}"),
        format!("`{text}`"),
        expected,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn set(config: Value, text: &str) -> Result<Value> {
        let mut config = config;
        Override::parse(text)?.apply(&mut config)?;
        Ok(config)
    }

    #[test]
    fn values_are_toml_or_plain_words() {
        let value = |text: &str| Override::parse(&format!("a={text}")).map(|o| o.value);
        assert_eq!(value("3").unwrap(), json!(3));
        assert_eq!(value(" 1e-3").unwrap(), json!(1e-3));
        assert_eq!(value("true").unwrap(), json!(true));
        assert_eq!(value("nadam").unwrap(), json!("nadam"));
        assert_eq!(
            value("fashion-mnist:test").unwrap(),
            json!("fashion-mnist:test")
        );
        assert_eq!(value("./my file.npy").unwrap(), json!("./my file.npy"));
        assert_eq!(value("'3'").unwrap(), json!("3"));
        assert_eq!(
            value("{ type = \"SGD\", momentum = 0.9 }").unwrap(),
            json!({ "type": "SGD", "momentum": 0.9 })
        );
        for wrong in ["", "{ type = ", "[1, 2", "1.2.3", "inf", "\"a", "1\nb=2"] {
            assert!(value(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn another_key_for_the_same_thing_gives_way() {
        let long = json!({ "train": { "optimizer": { "type": "SGD", "learning_rate": 0.1 } } });
        let short = json!({ "train": { "learning_rate": "auto", "optimizer": { "type": "SGD" } } });
        assert_eq!(
            set(long.clone(), "train.learning_rate=auto").unwrap(),
            short
        );
        assert_eq!(
            set(short, "train.optimizer.learning_rate=0.1").unwrap(),
            long
        );
    }

    #[test]
    fn a_key_reaches_into_tables_lists_and_names() {
        assert_eq!(
            set(json!({}), "train.epochs=3").unwrap(),
            json!({ "train": { "epochs": 3 } })
        );
        assert_eq!(
            set(json!({ "layers": [{ "units": 1 }] }), "layers[0].units=2").unwrap(),
            json!({ "layers": [{ "units": 2 }] })
        );
        assert_eq!(
            set(json!({ "optimizer": "nadam" }), "optimizer.clipnorm=1.0").unwrap(),
            json!({ "optimizer": { "type": "nadam", "clipnorm": 1.0 } })
        );
        for wrong in [
            "layers.1.units=2",
            "epochs.x=1",
            "=3",
            "epochs",
            "a b=1",
            "a..b=1",
        ] {
            let config = json!({ "layers": [{}], "epochs": 1 });
            assert!(set(config, wrong).is_err(), "{wrong}");
        }
    }
}
