//! `validation`: which rows are held out.

use super::{Files, contradiction, excluded};
use crate::base::registry::{Value, read, table};
use crate::error::{Error, Result, join};
use serde::{Deserialize, Serialize};

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

#[derive(Deserialize)]
struct RawValidation {
    first: Option<usize>,
    fraction: Option<f64>,
    x: Option<Value>,
    y: Option<Value>,
    table: Option<String>,
}

impl Validation {
    /// The same rows, each file's path changed.
    pub(super) fn map_paths(&self, change: &impl Fn(&String) -> String) -> Validation {
        match self {
            Validation::Files { x, y } => Validation::Files {
                x: x.map(change),
                y: y.map(change),
            },
            Validation::Table { table } => Validation::Table {
                table: change(table),
            },
            other => other.clone(),
        }
    }

    pub(super) fn from_value(at: &str, value: &Value) -> Result<Self> {
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
