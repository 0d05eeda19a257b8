//! What splits ask of a table's rows.

use crate::data::Dataset;
use crate::data::classes;
use crate::data::hold_out::Keys;
use crate::data::table::{Cells, Table};
use crate::error::{Error, Result};
use std::collections::HashMap;

/// A table, and the rows that were made of it.
pub(crate) struct TableKeys<'a> {
    pub table: &'a Table,
    pub data: &'a Dataset,
}

impl TableKeys<'_> {
    fn column(&self, name: &str) -> Result<&Cells> {
        let mut columns = self.table.columns.iter();
        let found = columns.find(|c| c.name == name);
        found.map(|c| &c.cells).ok_or_else(|| {
            let known = self.table.columns.iter().map(|c| c.name.as_str());
            Error::unknown("", "column", name, known)
        })
    }
}

impl Keys for TableKeys<'_> {
    fn name(&self) -> &str {
        &self.table.name
    }

    fn rows(&self) -> usize {
        self.table.rows
    }

    fn classes(&self) -> Result<Vec<u32>> {
        match self.data.targets() {
            [target] => classes::codes(target),
            several => {
                let found = format!("{} targets", several.len());
                Err(Error::invalid("", found, "one, or a column's name"))
            }
        }
    }

    fn codes(&self, column: &str) -> Result<Vec<Option<u32>>> {
        let mut known = HashMap::new();
        let mut code = |bits: u32| {
            let next = known.len() as u32;
            *known.entry(bits).or_insert(next)
        };
        Ok(match self.column(column)? {
            Cells::Category { codes, .. } => codes.clone(),
            Cells::Date(days) => days.iter().map(|day| day.map(|d| code(d as u32))).collect(),
            // -0 and 0 are one group.
            Cells::Number(all) | Cells::Boolean(all) => {
                let bits = |x: &f32| (!x.is_nan()).then(|| code((x + 0.0).to_bits()));
                all.iter().map(bits).collect()
            }
        })
    }

    fn times(&self, column: &str) -> Result<Vec<f64>> {
        match self.column(column)? {
            Cells::Number(all) => Ok(all.iter().map(|&x| x.into()).collect()),
            Cells::Date(days) => {
                let time = |day: &Option<i32>| day.map_or(f64::NAN, f64::from);
                Ok(days.iter().map(time).collect())
            }
            other => {
                let found = format!("`{column}`, of type {}", other.kind().name());
                Err(Error::invalid("", found, "dates or numbers"))
            }
        }
    }
}
