//! Rows of `POST /predict`.

use super::arrays::{Array, ArrayOf};
use super::rows::{Cells, NAME, RowList, check_rows, custom};
use super::service::Service;
use gradus::data::{Unfamiliar, read_npy_bytes};
use gradus::{Dataset, Error, Result};
use serde::de::value::SeqAccessDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Unexpected, Visitor,
};
use std::fmt;

/// Rows that a model is asked about.
pub struct Asked {
    pub rows: Dataset,
    /// True if they came by the columns of a table.
    pub by_columns: bool,
    /// Values that the model did not meet in training, as `gradus predict` warns of them.
    pub warnings: Vec<String>,
}

impl Asked {
    fn of_arrays(rows: Dataset) -> Self {
        Asked {
            rows,
            by_columns: false,
            warnings: Vec::new(),
        }
    }
}

impl Service {
    /// The rows in a JSON body.
    pub fn read_json(&self, bytes: &[u8]) -> Result<Asked> {
        let mut reader = serde_json::Deserializer::from_slice(bytes);
        let read = Body(self).deserialize(&mut reader);
        let given = read
            .and_then(|given| reader.end().map(|()| given))
            .map_err(|error| not_json(&error))?;
        match given {
            Given::Cells(cells) => self.of_columns(cells),
            Given::Arrays(arrays) => self.of_arrays(arrays),
        }
    }

    /// The rows in the body of a `.npy` file.
    pub fn read_npy(&self, bytes: &[u8]) -> Result<Asked> {
        let tensor = read_npy_bytes("body", bytes)?;
        let (1, Some(_)) = (self.model.inputs.len(), &self.inputs) else {
            let found = "a single array";
            let expected = "JSON: the model's inputs are columns, or several";
            return Err(Error::invalid("body", found, expected));
        };
        check_rows(tensor.rows(), self.limits.rows)?;
        Ok(Asked::of_arrays(Dataset::unlabelled(tensor)))
    }

    /// The rows of a table.
    pub fn of_columns(&self, cells: Cells<'_>) -> Result<Asked> {
        let Some(schema) = &self.schema else {
            return Err(Error::Internal(
                "columns of a model without a schema".into(),
            ));
        };
        let rows = schema.rows(cells.table()?, false)?;
        let mut unfamiliar = Unfamiliar::new(schema);
        unfamiliar.add(&rows)?;
        let lines = unfamiliar.lines(NAME).into_iter();
        let warnings = lines.map(|line| line.trim_start_matches("warning: ").to_owned());
        Ok(Asked {
            by_columns: true,
            warnings: warnings.collect(),
            rows,
        })
    }

    /// The rows of arrays by the names of inputs.
    pub fn of_arrays(&self, arrays: Vec<(Option<String>, Array)>) -> Result<Asked> {
        let Some(inputs) = &self.inputs else {
            return Err(Error::Internal("arrays for a model of columns".into()));
        };
        inputs.dataset(arrays).map(Asked::of_arrays)
    }
}

/// The error for a body that cannot be read.
pub fn not_json(error: &serde_json::Error) -> Error {
    Error::Config {
        at: "body".into(),
        problem: error.to_string(),
    }
}

enum Given<'a> {
    Cells(Cells<'a>),
    Arrays(Vec<(Option<String>, Array)>),
}

/// A body: rows by the columns of a table, or arrays by the names of inputs. Where a column is
/// named `rows`, an object is one row, and several are a list.
struct Body<'a>(&'a Service);

impl<'a, 'de> DeserializeSeed<'de> for Body<'a> {
    type Value = Given<'a>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Given<'a>, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'a, 'de> Visitor<'de> for Body<'a> {
    type Value = Given<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0.columns {
            Some(_) => "an object: one row, or `rows` with a list of rows",
            None => "an object with `inputs`: a list of rows, or one for each input",
        })
    }

    /// The rows without an object around them.
    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Given<'a>, A::Error> {
        let Some(columns) = &self.0.columns else {
            return Err(A::Error::invalid_type(Unexpected::Seq, &self));
        };
        let mut cells = Cells::new(columns, self.0.limits.rows);
        RowList(&mut cells).visit_seq(list)?;
        Ok(Given::Cells(cells))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Given<'a>, A::Error> {
        let Service {
            columns,
            inputs,
            limits,
            ..
        } = self.0;
        let Some(first) = map.next_key::<String>()? else {
            return Err(A::Error::custom("found an empty object, expected rows"));
        };
        match (&*first, columns) {
            ("inputs", _) if inputs.is_some() => {
                let arrays = map.next_value_seed(Arrays { most: limits.rows })?;
                nothing_beside("inputs", &mut map)?;
                Ok(Given::Arrays(arrays))
            }
            ("rows", Some(columns)) if !columns.has("rows") => {
                let mut cells = Cells::new(columns, limits.rows);
                map.next_value_seed(RowList(&mut cells))?;
                nothing_beside("rows", &mut map)?;
                Ok(Given::Cells(cells))
            }
            (_, Some(columns)) => {
                let mut cells = Cells::new(columns, limits.rows);
                cells.begin().map_err(custom)?;
                cells.read(&first, &mut map)?;
                while let Some(name) = map.next_key::<String>()? {
                    cells.read(&name, &mut map)?;
                }
                Ok(Given::Cells(cells))
            }
            (_, None) => Err(custom(Error::unknown("", "key", &first, ["inputs"]))),
        }
    }
}

/// Refuses further keys.
fn nothing_beside<'de, A: MapAccess<'de>>(key: &str, map: &mut A) -> Result<(), A::Error> {
    match map.next_key::<String>()? {
        None => Ok(()),
        Some(other) => {
            let expected = format!("`{key}` alone");
            let found = format!("`{other}` beside it");
            Err(custom(Error::invalid(key, found, expected)))
        }
    }
}

/// The arrays of the key `inputs`: one, or one for each name.
struct Arrays {
    most: usize,
}

impl<'de> DeserializeSeed<'de> for Arrays {
    type Value = Vec<(Option<String>, Array)>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Arrays {
    type Value = Vec<(Option<String>, Array)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rows, or an object with such a list for each input")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        let list = SeqAccessDeserializer::new(list);
        let array = ArrayOf { most: self.most }.deserialize(list)?;
        Ok(vec![(None, array)])
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut arrays = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            let array = map.next_value_seed(ArrayOf { most: self.most })?;
            arrays.push((Some(name), array));
        }
        Ok(arrays)
    }
}
