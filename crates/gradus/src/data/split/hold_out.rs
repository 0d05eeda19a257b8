//! `HoldOut`: the rows that `validation` and `test` hold out.

use super::hold_out_keys::Raw;
use crate::base::registry::{Value, read, table};
use crate::base::url::Url;
use crate::data::conflict::{conflict, excluded};
use crate::data::files::Files;
use crate::data::npy::is_array;
use crate::error::{Error, Result, join};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::path::Path;

/// Rows that are held out, for validation or for the test.
#[derive(Clone, Debug, PartialEq)]
pub enum HoldOut {
    /// The first rows: `{ first = 5000 }`.
    First {
        /// Their number.
        first: usize,
    },
    /// A share of the rows: `{ fraction = 0.1 }`.
    Fraction {
        /// Their share of all rows, between 0 and 1.
        fraction: f64,
        /// The way they are chosen.
        by: SplitBy,
    },
    /// One of several folds: `{ fold = 2, folds = 5 }`.
    Fold {
        /// Its number, from 1.
        fold: usize,
        /// The number of folds.
        folds: usize,
        /// The way the rows of a fold are chosen. With `Time` it is held out from the rows
        /// before it alone, and with `Last` its rows are neighbours.
        by: SplitBy,
    },
    /// Rows of their own files: `{ x = "xv.npy", y = "yv.npy" }`.
    Files {
        /// The inputs.
        x: Files,
        /// The targets.
        y: Files,
        /// A weight for each row's loss.
        sample_weight: Option<String>,
    },
    /// Rows of their own table: `{ table = "v.csv" }`.
    Table {
        /// The table file.
        table: String,
    },
    /// Pictures in a folder of their own: `{ images = "validation" }`.
    Images {
        /// The folder, with class folders named as in the training folder.
        images: String,
    },
}

/// The way a share of the rows, or a fold, is chosen. A column of a table is named; beside
/// array files it is a file with one number a row.
#[derive(Clone, Debug, PartialEq)]
pub enum SplitBy {
    /// The last rows, as in Keras' `validation_split`; for folds, `shuffle = false`.
    Last,
    /// Random rows, by the run's seed: `shuffle = true`, and the default for folds.
    Shuffle,
    /// Stratified at random: each class of the target (`stratify = true`) or of a column (`stratify
    /// = "column"`) has the same share on both sides.
    Stratify(Option<String>),
    /// Whole groups at random: no value of the column is on both sides.
    Group(String),
    /// The latest rows by the column.
    Time(String),
}

impl JsonSchema for HoldOut {
    fn schema_name() -> Cow<'static, str> {
        "HoldOut".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Raw::json_schema(generator)
    }
}

impl HoldOut {
    /// A share of the rows, between 0 and 1.
    pub fn fraction(fraction: f64, by: SplitBy) -> Self {
        HoldOut::Fraction { fraction, by }
    }

    /// True for rows of their own files, which are no part of the others.
    pub(in crate::data) fn is_own(&self) -> bool {
        matches!(
            self,
            HoldOut::Files { .. } | HoldOut::Table { .. } | HoldOut::Images { .. }
        )
    }

    /// The same choice, with each file's path mapped.
    pub(in crate::data) fn map_paths(&self, change: &impl Fn(&String) -> String) -> HoldOut {
        let column = |name: &String| match is_array(name) {
            true => change(name),
            false => name.clone(),
        };
        match self {
            HoldOut::Files {
                x,
                y,
                sample_weight,
            } => HoldOut::Files {
                x: x.map(change),
                y: y.map(change),
                sample_weight: sample_weight.as_ref().map(change),
            },
            HoldOut::Table { table } => HoldOut::Table {
                table: change(table),
            },
            HoldOut::Images { images } => HoldOut::Images {
                images: change(images),
            },
            HoldOut::Fraction { fraction, by } => HoldOut::Fraction {
                fraction: *fraction,
                by: by.map_column(column),
            },
            HoldOut::Fold { fold, folds, by } => HoldOut::Fold {
                fold: *fold,
                folds: *folds,
                by: by.map_column(column),
            },
            HoldOut::First { .. } => self.clone(),
        }
    }

    /// The way the rows are chosen, of a share or a fold.
    pub fn split_by(&self) -> Option<&SplitBy> {
        match self {
            HoldOut::Fraction { by, .. } | HoldOut::Fold { by, .. } => Some(by),
            _ => None,
        }
    }

    pub(in crate::data) fn from_value(at: &str, value: &Value) -> Result<Self> {
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
            ("fold", raw.fold.is_some()),
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
        if let (Some(_), None) = (&raw.sample_weight, &raw.x) {
            let problem = "`sample_weight` belongs to `x` and `y` here: rows that are held out of \
                           the others, or of a table, have theirs by `data.sample_weight`";
            return Err(conflict(problem).under(at));
        }
        if let (Some(key), None, None) = (chosen, raw.fraction, raw.fold) {
            let problem =
                format!("`{key}` needs `fraction`, the share of the rows, or `fold` and `folds`");
            return Err(conflict(&problem).under(at));
        }
        let by = |usual: SplitBy| {
            Ok(match (raw.shuffle, &raw.stratify, &raw.group, &raw.time) {
                (Some(true), ..) => SplitBy::Shuffle,
                (Some(false), ..) => SplitBy::Last,
                (_, Some(value), ..) => stratified(&join(at, "stratify"), value, usual)?,
                (.., Some(group), _) => SplitBy::Group(group.clone()),
                (.., Some(time)) => SplitBy::Time(time.clone()),
                _ => usual,
            })
        };
        match raw {
            Raw {
                x: Some(x),
                y: Some(y),
                sample_weight,
                ..
            } => Ok(HoldOut::Files {
                x: file("x", &x)?,
                y: file("y", &y)?,
                sample_weight,
            }),
            Raw { x: Some(_), .. } => Err(conflict("`x` needs `y`").under(at)),
            Raw { y: Some(_), .. } => Err(conflict("`y` needs `x`").under(at)),
            Raw {
                first: Some(first), ..
            } => Ok(HoldOut::First { first }),
            Raw {
                fraction: Some(fraction),
                ..
            } => Ok(HoldOut::Fraction {
                fraction,
                by: by(SplitBy::Last)?,
            }),
            Raw {
                fold: Some(fold),
                folds: Some(folds),
                ..
            } => {
                if folds < 2 {
                    return Err(Error::invalid(&join(at, "folds"), folds, "2 or more"));
                }
                if !(1..=folds).contains(&fold) {
                    let expected = format!("a number from 1 to {folds}, which `folds` is");
                    return Err(Error::invalid(&join(at, "fold"), fold, expected));
                }
                Ok(HoldOut::Fold {
                    fold,
                    folds,
                    by: by(SplitBy::Shuffle)?,
                })
            }
            Raw { fold: Some(_), .. } => Err(conflict("`fold` needs `folds`").under(at)),
            Raw { folds: Some(_), .. } => {
                let problem = "`folds` needs `fold`, the one that is held out; `gradus train \
                               --folds` trains on each";
                Err(conflict(problem).under(at))
            }
            Raw {
                table: Some(table), ..
            } => {
                Url::check(Path::new(&table))?;
                Ok(HoldOut::Table { table })
            }
            Raw {
                images: Some(images),
                ..
            } => Ok(HoldOut::Images { images }),
            _ => {
                let expected = "one of `first`, `fraction`, `fold` and `folds`, `x` and `y`, `table`, or `images`";
                Err(Error::invalid(at, "an empty table", expected))
            }
        }
    }
}

impl SplitBy {
    fn map_column(&self, column: impl Fn(&String) -> String) -> SplitBy {
        match self {
            SplitBy::Stratify(Some(name)) => SplitBy::Stratify(Some(column(name))),
            SplitBy::Group(name) => SplitBy::Group(column(name)),
            SplitBy::Time(name) => SplitBy::Time(column(name)),
            other => other.clone(),
        }
    }

    fn serialize<M: SerializeMap>(&self, map: &mut M, usual: &SplitBy) -> Result<(), M::Error> {
        match self {
            same if same == usual => Ok(()),
            SplitBy::Last => map.serialize_entry("shuffle", &false),
            SplitBy::Shuffle => map.serialize_entry("shuffle", &true),
            SplitBy::Stratify(None) => map.serialize_entry("stratify", &true),
            SplitBy::Stratify(Some(column)) => map.serialize_entry("stratify", column),
            SplitBy::Group(column) => map.serialize_entry("group", column),
            SplitBy::Time(column) => map.serialize_entry("time", column),
        }
    }
}

fn stratified(at: &str, value: &Value, usual: SplitBy) -> Result<SplitBy> {
    match value {
        Value::Bool(true) => Ok(SplitBy::Stratify(None)),
        Value::Bool(false) => Ok(usual),
        Value::String(column) => Ok(SplitBy::Stratify(Some(column.clone()))),
        other => {
            let expected = "true, for the target, or a column";
            Err(Error::invalid(at, other, expected))
        }
    }
}

/// As a report says it: `0.1 of the rows, at random`.
impl fmt::Display for HoldOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HoldOut::First { .. } => write!(f, "the first rows"),
            HoldOut::Files { .. } => write!(f, "of their own files"),
            HoldOut::Table { table } => write!(f, "{table}"),
            HoldOut::Images { images } => write!(f, "{images}"),
            HoldOut::Fraction { fraction, by } => match by {
                SplitBy::Last => write!(f, "the last {fraction}"),
                SplitBy::Shuffle => write!(f, "{fraction} at random"),
                SplitBy::Stratify(None) => write!(f, "{fraction} of each class"),
                SplitBy::Stratify(Some(column)) => write!(f, "{fraction} of each `{column}`"),
                SplitBy::Group(column) => write!(f, "{fraction} in whole groups of `{column}`"),
                SplitBy::Time(column) => write!(f, "the latest {fraction} by `{column}`"),
            },
            HoldOut::Fold { fold, folds, by } => {
                write!(f, "fold {fold} of {folds}")?;
                match by {
                    SplitBy::Last => write!(f, ", neighbours"),
                    SplitBy::Shuffle => Ok(()),
                    SplitBy::Stratify(None) => write!(f, ", each class alike"),
                    SplitBy::Stratify(Some(column)) => write!(f, ", each `{column}` alike"),
                    SplitBy::Group(column) => write!(f, ", whole groups of `{column}`"),
                    SplitBy::Time(column) => write!(f, ", by `{column}`, those before it train"),
                }
            }
        }
    }
}

impl Serialize for HoldOut {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            HoldOut::First { first } => map.serialize_entry("first", first)?,
            HoldOut::Files {
                x,
                y,
                sample_weight,
            } => {
                map.serialize_entry("x", x)?;
                map.serialize_entry("y", y)?;
                if let Some(weight) = sample_weight {
                    map.serialize_entry("sample_weight", weight)?;
                }
            }
            HoldOut::Table { table } => map.serialize_entry("table", table)?,
            HoldOut::Images { images } => map.serialize_entry("images", images)?,
            HoldOut::Fraction { fraction, by } => {
                map.serialize_entry("fraction", fraction)?;
                by.serialize(&mut map, &SplitBy::Last)?;
            }
            HoldOut::Fold { fold, folds, by } => {
                map.serialize_entry("fold", fold)?;
                map.serialize_entry("folds", folds)?;
                by.serialize(&mut map, &SplitBy::Shuffle)?;
            }
        }
        map.end()
    }
}
