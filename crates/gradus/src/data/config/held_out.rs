//! `validation` and `test`: which rows are held out.

use super::{Files, contradiction, excluded};
use crate::base::registry::{Value, read, table};
use crate::data::npy::is_array;
use crate::error::{Error, Result, join};
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;

/// Which rows are held out, for validation or for the test.
#[derive(Clone, Debug, PartialEq)]
pub enum HeldOut {
    /// The first rows: `{ first = 5000 }`.
    First {
        /// How many.
        first: usize,
    },
    /// A share of the rows: `{ fraction = 0.1 }`.
    Fraction {
        /// Their share of all rows, between 0 and 1.
        fraction: f64,
        /// Which rows they are.
        choice: Choice,
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
    /// Pictures in a folder of their own: `{ images = "validation" }`.
    Images {
        /// The folder, whose class folders have the names of the training's.
        images: String,
    },
}

/// How a share of the rows is chosen. A column of a table is named; beside
/// array files it is a file with one number a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Choice {
    /// The last ones, as Keras' `validation_split`.
    Last,
    /// Rows drawn at random, by the run's seed: `shuffle = true`.
    Shuffle,
    /// At random, each class of the target (`stratify = true`) or of a column
    /// (`stratify = "column"`) with the same share on both sides.
    Stratify(Option<String>),
    /// Whole groups, at random: no value of the column is on both sides.
    Group(String),
    /// The latest rows by the column.
    Time(String),
}

#[derive(Deserialize)]
struct Raw {
    first: Option<usize>,
    fraction: Option<f64>,
    shuffle: Option<bool>,
    stratify: Option<Value>,
    group: Option<String>,
    time: Option<String>,
    x: Option<Value>,
    y: Option<Value>,
    table: Option<String>,
    images: Option<String>,
}

impl HeldOut {
    /// A share of the rows, between 0 and 1.
    pub fn fraction(fraction: f64, choice: Choice) -> Self {
        HeldOut::Fraction { fraction, choice }
    }

    /// The same rows, each file's path changed.
    pub(super) fn map_paths(&self, change: &impl Fn(&String) -> String) -> HeldOut {
        let column = |name: &String| match is_array(name) {
            true => change(name),
            false => name.clone(),
        };
        match self {
            HeldOut::Files { x, y } => HeldOut::Files {
                x: x.map(change),
                y: y.map(change),
            },
            HeldOut::Table { table } => HeldOut::Table {
                table: change(table),
            },
            HeldOut::Images { images } => HeldOut::Images {
                images: change(images),
            },
            HeldOut::Fraction { fraction, choice } => HeldOut::Fraction {
                fraction: *fraction,
                choice: match choice {
                    Choice::Stratify(Some(name)) => Choice::Stratify(Some(column(name))),
                    Choice::Group(name) => Choice::Group(column(name)),
                    Choice::Time(name) => Choice::Time(column(name)),
                    other => other.clone(),
                },
            },
            HeldOut::First { .. } => self.clone(),
        }
    }

    pub(super) fn from_value(at: &str, value: &Value) -> Result<Self> {
        let raw: Raw = read(at, table(at, value)?)?;
        let file = |key: &str, value: &Value| Files::from_value(&join(at, key), value);
        let one_of = |keys: &[(&'static str, bool)]| {
            let mut given = keys.iter().filter(|key| key.1).map(|key| key.0);
            let first = given.next();
            match (first, given.next()) {
                (Some(a), Some(b)) => Err(excluded(a, b).under(at)),
                _ => Ok(first),
            }
        };
        one_of(&[
            ("first", raw.first.is_some()),
            ("fraction", raw.fraction.is_some()),
            ("x", raw.x.is_some()),
            ("table", raw.table.is_some()),
            ("images", raw.images.is_some()),
        ])?;
        let chosen = one_of(&[
            ("shuffle", raw.shuffle.is_some()),
            ("stratify", raw.stratify.is_some()),
            ("group", raw.group.is_some()),
            ("time", raw.time.is_some()),
        ])?;
        if let (Some(key), None) = (chosen, raw.fraction) {
            let problem = format!("`{key}` needs `fraction`, the share of the rows");
            return Err(contradiction(&problem).under(at));
        }
        match raw {
            Raw {
                x: Some(x),
                y: Some(y),
                ..
            } => Ok(HeldOut::Files {
                x: file("x", &x)?,
                y: file("y", &y)?,
            }),
            Raw { x: Some(_), .. } => Err(contradiction("`x` needs `y`").under(at)),
            Raw { y: Some(_), .. } => Err(contradiction("`y` needs `x`").under(at)),
            Raw {
                first: Some(first), ..
            } => Ok(HeldOut::First { first }),
            Raw {
                fraction: Some(fraction),
                shuffle,
                stratify,
                group,
                time,
                ..
            } => Ok(HeldOut::Fraction {
                fraction,
                choice: match (shuffle, stratify, group, time) {
                    (Some(true), ..) => Choice::Shuffle,
                    (_, Some(value), ..) => stratified(&join(at, "stratify"), &value)?,
                    (.., Some(group), _) => Choice::Group(group),
                    (.., Some(time)) => Choice::Time(time),
                    _ => Choice::Last,
                },
            }),
            Raw {
                table: Some(table), ..
            } => Ok(HeldOut::Table { table }),
            Raw {
                images: Some(images),
                ..
            } => Ok(HeldOut::Images { images }),
            _ => {
                let expected = "one of `first`, `fraction`, `x` and `y`, `table`, or `images`";
                Err(Error::invalid(at, "an empty table", expected))
            }
        }
    }
}

fn stratified(at: &str, value: &Value) -> Result<Choice> {
    match value {
        Value::Bool(true) => Ok(Choice::Stratify(None)),
        Value::Bool(false) => Ok(Choice::Last),
        Value::String(column) => Ok(Choice::Stratify(Some(column.clone()))),
        other => {
            let expected = "true, for the target, or a column";
            Err(Error::invalid(at, other, expected))
        }
    }
}

/// As a report says it: `0.1 of the rows, at random`.
impl fmt::Display for HeldOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HeldOut::First { .. } => write!(f, "the first rows"),
            HeldOut::Files { .. } => write!(f, "of their own files"),
            HeldOut::Table { table } => write!(f, "{table}"),
            HeldOut::Images { images } => write!(f, "{images}"),
            HeldOut::Fraction { fraction, choice } => match choice {
                Choice::Last => write!(f, "the last {fraction}"),
                Choice::Shuffle => write!(f, "{fraction} at random"),
                Choice::Stratify(None) => write!(f, "{fraction} of each class"),
                Choice::Stratify(Some(column)) => write!(f, "{fraction} of each `{column}`"),
                Choice::Group(column) => write!(f, "{fraction} in whole groups of `{column}`"),
                Choice::Time(column) => write!(f, "the latest {fraction} by `{column}`"),
            },
        }
    }
}

impl Serialize for HeldOut {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            HeldOut::First { first } => map.serialize_entry("first", first)?,
            HeldOut::Files { x, y } => {
                map.serialize_entry("x", x)?;
                map.serialize_entry("y", y)?;
            }
            HeldOut::Table { table } => map.serialize_entry("table", table)?,
            HeldOut::Images { images } => map.serialize_entry("images", images)?,
            HeldOut::Fraction { fraction, choice } => {
                map.serialize_entry("fraction", fraction)?;
                match choice {
                    Choice::Last => {}
                    Choice::Shuffle => map.serialize_entry("shuffle", &true)?,
                    Choice::Stratify(None) => map.serialize_entry("stratify", &true)?,
                    Choice::Stratify(Some(column)) => map.serialize_entry("stratify", column)?,
                    Choice::Group(column) => map.serialize_entry("group", column)?,
                    Choice::Time(column) => map.serialize_entry("time", column)?,
                }
            }
        }
        map.end()
    }
}
