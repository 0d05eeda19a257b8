//! The keys of a table's rows: its columns, in memory or in its copy.

use super::rows::TableRows;
use crate::data::classes;
use crate::data::split::Keys;
use crate::data::table::{Cells, Copied, Table};
use crate::data::{Dataset, Tensor};
use crate::error::{Error, Result};
use std::collections::HashMap;
use std::iter::once;

/// A table, and the rows made of it.
pub(super) struct TableKeys<'a> {
    pub table: &'a Table,
    pub data: &'a Dataset,
}

impl TableKeys<'_> {
    fn column(&self, name: &str) -> Result<&Cells> {
        column(self.table, name)
    }
}

fn column<'a>(table: &'a Table, name: &str) -> Result<&'a Cells> {
    let found = table.columns.iter().find(|c| c.name == name);
    found.map(|c| &c.cells).ok_or_else(|| {
        let known = table.columns.iter().map(|c| c.name.as_str());
        Error::unknown("", "column", name, known)
    })
}

impl Keys for TableKeys<'_> {
    fn name(&self) -> &str {
        &self.table.name
    }

    fn rows(&self) -> usize {
        self.table.rows
    }

    fn classes(&self) -> Result<Vec<u32>> {
        classes_of(self.data.targets())
    }

    fn codes(&self, column: &str) -> Result<Vec<Option<u32>>> {
        Ok(codes(self.column(column)?))
    }

    fn times(&self, column: &str) -> Result<Vec<f64>> {
        times(column, self.column(column)?)
    }
}

/// A table that stays in its copy: a column is read when it is asked for.
pub(super) struct CopyKeys<'a> {
    pub copied: &'a Copied,
    pub rows: &'a TableRows,
}

impl CopyKeys<'_> {
    fn column(&self, name: &str) -> Result<Cells> {
        column(&self.copied.head(), name)?;
        let mut table = self
            .copied
            .table(&|other| other == name, once(0..self.copied.rows()))?;
        let column = table.columns.pop();
        column.map(|column| column.cells).ok_or_else(|| {
            let expected = "one that is read: it is excluded";
            Error::invalid("", format!("`{name}`"), expected)
        })
    }
}

impl Keys for CopyKeys<'_> {
    fn name(&self) -> &str {
        self.copied.name()
    }

    fn rows(&self) -> usize {
        self.copied.rows()
    }

    fn classes(&self) -> Result<Vec<u32>> {
        classes_of(&self.rows.targets()?)
    }

    fn codes(&self, column: &str) -> Result<Vec<Option<u32>>> {
        Ok(codes(&self.column(column)?))
    }

    fn times(&self, column: &str) -> Result<Vec<f64>> {
        times(column, &self.column(column)?)
    }
}

fn classes_of(targets: &[Tensor]) -> Result<Vec<u32>> {
    match targets {
        [target] => classes::codes(target),
        several => {
            let found = format!("{} targets", several.len());
            Err(Error::invalid("", found, "one, or a column's name"))
        }
    }
}

/// A code for each cell, equal for equal cells.
fn codes(cells: &Cells) -> Vec<Option<u32>> {
    let mut known = HashMap::new();
    let mut code = |bits: u64| {
        let next = known.len() as u32;
        *known.entry(bits).or_insert(next)
    };
    match cells {
        Cells::Category { codes, .. } => codes.clone(),
        Cells::Date(days) => days.iter().map(|day| day.map(|d| code(d as u64))).collect(),
        Cells::DateTime(times) => {
            let codes = times.iter().map(|time| time.map(|t| code(t as u64)));
            codes.collect()
        }
        Cells::Boolean(all) => {
            let bits = |x: &f32| (!x.is_nan()).then(|| code(x.to_bits().into()));
            all.iter().map(bits).collect()
        }
        // -0 and 0 are one group.
        Cells::Number(all) => {
            let bits = |x: &f64| (!x.is_nan()).then(|| code((x + 0.0).to_bits()));
            all.iter().map(bits).collect()
        }
    }
}

fn times(column: &str, cells: &Cells) -> Result<Vec<f64>> {
    match cells {
        Cells::Number(all) => Ok(all.clone()),
        // Exact to the microsecond in the years 1684 to 2255.
        Cells::DateTime(times) => {
            let time = |time: &Option<i64>| time.map_or(f64::NAN, |time| time as f64);
            Ok(times.iter().map(time).collect())
        }
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
