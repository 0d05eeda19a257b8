//! The `[data]` table of a configuration.

use crate::base::registry::{Value, read, table};
use crate::error::{Error, Result, join};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::path::Path;

/// What the `[data]` table says: where the rows come from, which are held out
/// for validation, how the numbers are scaled.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DataConfig {
    /// A built-in set's name: `fashion-mnist`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// The inputs' array files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x: Option<Files>,
    /// The targets' array files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub y: Option<Files>,
    /// A table file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// The table's column that is to be predicted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The rows that are held out. The default is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<Validation>,
    /// How the inputs are scaled. The default is `unit` for a built-in set of
    /// pictures and `none` for files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<ScaleName>,
    /// An array file with a weight for each row's loss.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_weight: Option<String>,
}

/// One array file, or several by name, for a model with several inputs or
/// outputs: `"x.npy"`, or `{ left = "l.npy", right = "r.npy" }`.
#[derive(Clone, Debug, PartialEq)]
pub enum Files {
    /// The only one.
    One(String),
    /// Each with its name.
    Named(Vec<(String, String)>),
}

/// Which rows are held out for validation.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", untagged)]
pub enum Validation {
    /// The first rows: `{ first = 5000 }`.
    First {
        /// How many.
        first: usize,
    },
    /// The last rows, as Keras' `validation_split`: `{ fraction = 0.1 }`.
    Fraction {
        /// Their share of all rows, between 0 and 1.
        fraction: f64,
    },
    /// Rows of their own files: `{ x = "xv.npy", y = "yv.npy" }`.
    Files {
        /// The inputs.
        x: Files,
        /// The targets.
        y: Files,
    },
    /// Rows of their own table: `{ table = "v.csv" }`.
    Table {
        /// The table file.
        table: String,
    },
}

/// How the inputs are scaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ScaleName {
    /// Not at all.
    None,
    /// Pixels to between 0 and 1: divided by 255, or by the largest pixel of a
    /// built-in set.
    Unit,
    /// Each feature by mean and population deviation of the training rows; a
    /// constant feature becomes 0.
    Standard,
}

/// The table as it is read, before its values are looked at.
#[derive(Deserialize)]
struct Raw {
    dataset: Option<String>,
    x: Option<Value>,
    y: Option<Value>,
    table: Option<String>,
    target: Option<String>,
    validation: Option<Value>,
    scale: Option<String>,
    sample_weight: Option<String>,
}

#[derive(Deserialize)]
struct RawValidation {
    first: Option<usize>,
    fraction: Option<f64>,
    x: Option<Value>,
    y: Option<Value>,
    table: Option<String>,
}

impl DataConfig {
    /// Reads the table from a configuration; `at` is where it stands (`data`).
    ///
    /// Unknown keys, keys that exclude each other and a table that names no
    /// data are errors. Files are not looked at yet.
    pub fn from_value(at: &str, value: &Value) -> Result<Self> {
        let raw: Raw = read(at, table(at, value)?)?;
        let files = |key: &str, value: Option<Value>| {
            let at = join(at, key);
            value
                .map(|value| Files::from_value(&at, &value))
                .transpose()
        };
        let config = DataConfig {
            dataset: raw.dataset,
            x: files("x", raw.x)?,
            y: files("y", raw.y)?,
            table: raw.table,
            target: raw.target,
            validation: match raw.validation {
                Some(value) => Some(Validation::from_value(&join(at, "validation"), &value)?),
                None => None,
            },
            scale: match raw.scale {
                Some(name) => Some(ScaleName::from_name(&join(at, "scale"), &name)?),
                None => None,
            },
            sample_weight: raw.sample_weight,
        };
        config.check().map_err(|error| error.under(at))?;
        Ok(config)
    }

    /// The same table with its files' paths made absolute: they are relative
    /// to `base`, the folder of the configuration that they stood in.
    pub fn absolute(&self, base: &Path) -> Result<Self> {
        let base = std::path::absolute(base).map_err(|cause| Error::io("find", base, cause))?;
        let full = |path: &String| base.join(path).display().to_string();
        let files = |files: &Files| files.map(full);
        Ok(DataConfig {
            x: self.x.as_ref().map(files),
            y: self.y.as_ref().map(files),
            table: self.table.as_ref().map(full),
            sample_weight: self.sample_weight.as_ref().map(full),
            validation: self.validation.as_ref().map(|validation| match validation {
                Validation::Files { x, y } => Validation::Files {
                    x: files(x),
                    y: files(y),
                },
                Validation::Table { table } => Validation::Table { table: full(table) },
                other => other.clone(),
            }),
            ..self.clone()
        })
    }

    /// Refuses keys that contradict each other.
    pub(super) fn check(&self) -> Result<()> {
        let sources = [
            ("dataset", self.dataset.is_some()),
            ("x", self.x.is_some()),
            ("table", self.table.is_some()),
        ];
        let named: Vec<&str> = sources.iter().filter(|s| s.1).map(|s| s.0).collect();
        match named[..] {
            [] => {
                let problem = "no data is named: give `dataset`, or `x` and `y`, or `table`";
                return Err(contradiction(problem));
            }
            [_] => {}
            [a, b, ..] => return Err(excluded(a, b)),
        }
        if let (Some(_), [source @ ("dataset" | "table")]) = (&self.y, &named[..]) {
            return Err(excluded(source, "y"));
        }
        if let (Some(_), [source @ ("dataset" | "x")]) = (&self.target, &named[..]) {
            return Err(excluded(source, "target"));
        }
        Ok(())
    }
}

impl Files {
    fn from_value(at: &str, value: &Value) -> Result<Self> {
        let wrong = |at: &str, found: &Value| {
            let expected = "a file's name, or a table of names and files";
            Error::invalid(at, found, expected)
        };
        match value {
            Value::String(path) => Ok(Files::One(path.clone())),
            Value::Object(files) if !files.is_empty() => {
                let file = |(name, value): (&String, &Value)| match value {
                    Value::String(path) => Ok((name.clone(), path.clone())),
                    other => Err(wrong(&join(at, name), other)),
                };
                files
                    .iter()
                    .map(file)
                    .collect::<Result<_>>()
                    .map(Files::Named)
            }
            other => Err(wrong(at, other)),
        }
    }

    fn map(&self, change: impl Fn(&String) -> String) -> Files {
        match self {
            Files::One(path) => Files::One(change(path)),
            Files::Named(files) => {
                let changed = files
                    .iter()
                    .map(|(name, path)| (name.clone(), change(path)));
                Files::Named(changed.collect())
            }
        }
    }

    /// The names, none for an only file.
    pub(super) fn names(&self) -> Vec<String> {
        match self {
            Files::One(_) => Vec::new(),
            Files::Named(files) => files.iter().map(|(name, _)| name.clone()).collect(),
        }
    }
}

impl Validation {
    fn from_value(at: &str, value: &Value) -> Result<Self> {
        let raw: RawValidation = read(at, table(at, value)?)?;
        let file = |key: &str, value: &Value| Files::from_value(&join(at, key), value);
        let given = [
            ("first", raw.first.is_some()),
            ("fraction", raw.fraction.is_some()),
            ("x", raw.x.is_some()),
            ("table", raw.table.is_some()),
        ];
        let mut given = given.iter().filter(|key| key.1).map(|key| key.0);
        if let (Some(a), Some(b)) = (given.next(), given.next()) {
            return Err(excluded(a, b).under(at));
        }
        match raw {
            RawValidation {
                x: Some(x),
                y: Some(y),
                ..
            } => Ok(Validation::Files {
                x: file("x", &x)?,
                y: file("y", &y)?,
            }),
            RawValidation { x: Some(_), .. } => Err(contradiction("`x` needs `y`").under(at)),
            RawValidation { y: Some(_), .. } => Err(contradiction("`y` needs `x`").under(at)),
            RawValidation {
                first: Some(first), ..
            } => Ok(Validation::First { first }),
            RawValidation {
                fraction: Some(fraction),
                ..
            } => Ok(Validation::Fraction { fraction }),
            RawValidation {
                table: Some(table), ..
            } => Ok(Validation::Table { table }),
            _ => {
                let expected = "one of `first`, `fraction`, `x` and `y`, or `table`";
                Err(Error::invalid(at, "an empty table", expected))
            }
        }
    }
}

impl ScaleName {
    fn from_name(at: &str, name: &str) -> Result<Self> {
        match name {
            "none" => Ok(ScaleName::None),
            "unit" => Ok(ScaleName::Unit),
            "standard" => Ok(ScaleName::Standard),
            other => Err(Error::unknown(
                at,
                "scale",
                other,
                ["none", "unit", "standard"],
            )),
        }
    }
}

impl<'de> Deserialize<'de> for DataConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::from_value("", &value).map_err(serde::de::Error::custom)
    }
}

impl Serialize for Files {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Files::One(path) => serializer.serialize_str(path),
            Files::Named(files) => {
                serializer.collect_map(files.iter().map(|(name, path)| (name, path)))
            }
        }
    }
}

fn excluded(a: &str, b: &str) -> Error {
    contradiction(&format!(
        "`{a}` and `{b}` exclude each other: give one of them"
    ))
}

fn contradiction(problem: &str) -> Error {
    Error::Config {
        at: String::new(),
        problem: problem.to_owned(),
    }
}
