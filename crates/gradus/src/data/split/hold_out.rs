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
    /// One of several folds: `{ fold = 2, folds = 5 }`.
    Fold {
        /// Which, from 1.
        fold: usize,
        /// How many there are.
        folds: usize,
        /// Which rows are in a fold. With `Time` it is held out from the rows before it
        /// alone, and with `Last` its rows are neighbours.
        choice: Choice,
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
        /// The folder, whose class folders have the names of the training's.
        images: String,
    },
}

/// How a share of the rows, or a fold, is chosen. A column of a table is named; beside
/// array files it is a file with one number a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Choice {
    /// The last ones, as Keras' `validation_split`. Of folds `shuffle = false`.
    Last,
    /// Rows drawn at random, by the run's seed: `shuffle = true`; so are folds without a
    /// word.
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
    fold: Option<usize>,
    folds: Option<usize>,
    shuffle: Option<bool>,
    stratify: Option<Value>,
    group: Option<String>,
    time: Option<String>,
    x: Option<Value>,
    y: Option<Value>,
    sample_weight: Option<String>,
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
            HeldOut::Files {
                x,
                y,
                sample_weight,
            } => HeldOut::Files {
                x: x.map(change),
                y: y.map(change),
                sample_weight: sample_weight.as_ref().map(change),
            },
            HeldOut::Table { table } => HeldOut::Table {
                table: change(table),
            },
            HeldOut::Images { images } => HeldOut::Images {
                images: change(images),
            },
            HeldOut::Fraction { fraction, choice } => HeldOut::Fraction {
                fraction: *fraction,
                choice: choice.map_column(column),
            },
            HeldOut::Fold {
                fold,
                folds,
                choice,
            } => HeldOut::Fold {
                fold: *fold,
                folds: *folds,
                choice: choice.map_column(column),
            },
            HeldOut::First { .. } => self.clone(),
        }
    }

    /// How the rows are chosen, if they are by something.
    pub fn choice(&self) -> Option<&Choice> {
        match self {
            HeldOut::Fraction { choice, .. } | HeldOut::Fold { choice, .. } => Some(choice),
            _ => None,
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
            return Err(contradiction(problem).under(at));
        }
        if let (Some(key), None, None) = (chosen, raw.fraction, raw.fold) {
            let problem =
                format!("`{key}` needs `fraction`, the share of the rows, or `fold` and `folds`");
            return Err(contradiction(&problem).under(at));
        }
        let choice = |usual: Choice| {
            Ok(match (raw.shuffle, &raw.stratify, &raw.group, &raw.time) {
                (Some(true), ..) => Choice::Shuffle,
                (Some(false), ..) => Choice::Last,
                (_, Some(value), ..) => stratified(&join(at, "stratify"), value, usual)?,
                (.., Some(group), _) => Choice::Group(group.clone()),
                (.., Some(time)) => Choice::Time(time.clone()),
                _ => usual,
            })
        };
        match raw {
            Raw {
                x: Some(x),
                y: Some(y),
                sample_weight,
                ..
            } => Ok(HeldOut::Files {
                x: file("x", &x)?,
                y: file("y", &y)?,
                sample_weight,
            }),
            Raw { x: Some(_), .. } => Err(contradiction("`x` needs `y`").under(at)),
            Raw { y: Some(_), .. } => Err(contradiction("`y` needs `x`").under(at)),
            Raw {
                first: Some(first), ..
            } => Ok(HeldOut::First { first }),
            Raw {
                fraction: Some(fraction),
                ..
            } => Ok(HeldOut::Fraction {
                fraction,
                choice: choice(Choice::Last)?,
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
                Ok(HeldOut::Fold {
                    fold,
                    folds,
                    choice: choice(Choice::Shuffle)?,
                })
            }
            Raw { fold: Some(_), .. } => Err(contradiction("`fold` needs `folds`").under(at)),
            Raw { folds: Some(_), .. } => {
                let problem = "`folds` needs `fold`, the one that is held out; `gradus train \
                               --folds` trains on each";
                Err(contradiction(problem).under(at))
            }
            Raw {
                table: Some(table), ..
            } => Ok(HeldOut::Table { table }),
            Raw {
                images: Some(images),
                ..
            } => Ok(HeldOut::Images { images }),
            _ => {
                let expected = "one of `first`, `fraction`, `fold` and `folds`, `x` and `y`, `table`, or `images`";
                Err(Error::invalid(at, "an empty table", expected))
            }
        }
    }
}

impl Choice {
    fn map_column(&self, column: impl Fn(&String) -> String) -> Choice {
        match self {
            Choice::Stratify(Some(name)) => Choice::Stratify(Some(column(name))),
            Choice::Group(name) => Choice::Group(column(name)),
            Choice::Time(name) => Choice::Time(column(name)),
            other => other.clone(),
        }
    }

    fn serialize<M: SerializeMap>(&self, map: &mut M, usual: &Choice) -> Result<(), M::Error> {
        match self {
            same if same == usual => Ok(()),
            Choice::Last => map.serialize_entry("shuffle", &false),
            Choice::Shuffle => map.serialize_entry("shuffle", &true),
            Choice::Stratify(None) => map.serialize_entry("stratify", &true),
            Choice::Stratify(Some(column)) => map.serialize_entry("stratify", column),
            Choice::Group(column) => map.serialize_entry("group", column),
            Choice::Time(column) => map.serialize_entry("time", column),
        }
    }
}

fn stratified(at: &str, value: &Value, usual: Choice) -> Result<Choice> {
    match value {
        Value::Bool(true) => Ok(Choice::Stratify(None)),
        Value::Bool(false) => Ok(usual),
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
            HeldOut::Fold {
                fold,
                folds,
                choice,
            } => {
                write!(f, "fold {fold} of {folds}")?;
                match choice {
                    Choice::Last => write!(f, ", neighbours"),
                    Choice::Shuffle => Ok(()),
                    Choice::Stratify(None) => write!(f, ", each class alike"),
                    Choice::Stratify(Some(column)) => write!(f, ", each `{column}` alike"),
                    Choice::Group(column) => write!(f, ", whole groups of `{column}`"),
                    Choice::Time(column) => write!(f, ", by `{column}`, those before it train"),
                }
            }
        }
    }
}

impl Serialize for HeldOut {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            HeldOut::First { first } => map.serialize_entry("first", first)?,
            HeldOut::Files {
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
            HeldOut::Table { table } => map.serialize_entry("table", table)?,
            HeldOut::Images { images } => map.serialize_entry("images", images)?,
            HeldOut::Fraction { fraction, choice } => {
                map.serialize_entry("fraction", fraction)?;
                choice.serialize(&mut map, &Choice::Last)?;
            }
            HeldOut::Fold {
                fold,
                folds,
                choice,
            } => {
                map.serialize_entry("fold", fold)?;
                map.serialize_entry("folds", folds)?;
                choice.serialize(&mut map, &Choice::Shuffle)?;
            }
        }
        map.end()
    }
}
