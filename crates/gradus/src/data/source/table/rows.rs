//! Rows of a table, read from its binary copy.

use crate::data::schema::{Schema, TableOptions};
use crate::data::stream::Rows;
use crate::data::table::{Copied, with_line};
use crate::data::{Dataset, Tensor};
use crate::error::{Error, Result};
use std::collections::HashSet;
use std::iter::once;
use std::ops::Range;
use std::sync::Arc;

/// A selection of a table's rows, encoded by its schema.
#[derive(Clone, Debug)]
pub(super) struct TableRows {
    copied: Arc<Copied>,
    schema: Schema,
    weight: TableOptions,
    picked: Picked,
}

/// A choice of a table's rows.
#[derive(Clone, Debug)]
pub(super) enum Picked {
    /// A contiguous range.
    Range(Range<usize>),
    /// A list, ascending.
    List(Arc<Vec<u32>>),
}

impl Picked {
    /// The selection of ascending rows.
    pub fn of(rows: Vec<usize>) -> Self {
        match rows[..] {
            [first, .., last] if last - first + 1 == rows.len() => Picked::Range(first..last + 1),
            _ => Picked::List(Arc::new(rows.into_iter().map(|row| row as u32).collect())),
        }
    }

    fn len(&self) -> usize {
        match self {
            Picked::Range(rows) => rows.len(),
            Picked::List(rows) => rows.len(),
        }
    }

    /// Memory of the selection, in bytes.
    pub fn bytes(&self) -> u64 {
        match self {
            Picked::Range(_) => 0,
            Picked::List(rows) => rows.len() as u64 * 4,
        }
    }

    /// The table's row number of the n-th selected row.
    fn row(&self, row: usize) -> usize {
        match self {
            Picked::Range(rows) => rows.start + row,
            Picked::List(rows) => rows.get(row).map_or(row, |&row| row as usize),
        }
    }

    /// A range of the selection, as ranges of the table's rows.
    fn ranges(&self, some: Range<usize>) -> Vec<Range<usize>> {
        match self {
            Picked::Range(rows) => once(rows.start + some.start..rows.start + some.end).collect(),
            Picked::List(rows) => {
                let mut ranges: Vec<Range<usize>> = Vec::new();
                for &row in &rows[some] {
                    let row = row as usize;
                    match ranges.last_mut() {
                        Some(last) if last.end == row => last.end += 1,
                        _ => ranges.push(row..row + 1),
                    }
                }
                ranges
            }
        }
    }
}

impl TableRows {
    /// All rows of a table, with the weights of a column, if one is named.
    pub fn new(copied: Arc<Copied>, schema: Schema, weight: Option<&String>) -> Self {
        let picked = Picked::Range(0..copied.rows());
        let weight = TableOptions {
            sample_weight: weight.cloned(),
            ..TableOptions::default()
        };
        TableRows {
            copied,
            schema,
            weight,
            picked,
        }
    }

    /// The same without ids, which a training does not look at.
    pub fn without_ids(mut self) -> Self {
        self.schema.ids.clear();
        self
    }

    /// The same with only the first input, for callers that need the targets.
    pub fn of_targets(mut self) -> Self {
        self.schema.features.truncate(1);
        self.weight = TableOptions::default();
        self.without_ids()
    }

    /// A sub-selection.
    pub fn picked(mut self, picked: Picked) -> Self {
        self.picked = picked;
        self
    }

    /// The targets of all rows, in memory.
    pub fn targets(&self) -> Result<Vec<Tensor>> {
        let data = self.clone().of_targets().read(0..self.rows())?;
        Ok(data.targets().to_vec())
    }

    /// The columns that the model looks at, predicts or is told of.
    fn wanted(&self) -> HashSet<&str> {
        let Schema {
            features,
            targets,
            ids,
            ..
        } = &self.schema;
        let features = features.iter().map(|feature| &feature.name);
        let targets = targets.iter().map(|target| &target.name);
        let others = ids.iter().chain(&self.weight.sample_weight);
        let all = features.chain(targets).chain(others);
        all.map(String::as_str).collect()
    }
}

impl Rows for TableRows {
    fn rows(&self) -> usize {
        self.picked.len()
    }

    fn read(&mut self, rows: Range<usize>) -> Result<Dataset> {
        let start = rows.start;
        let ranges = self.picked.ranges(rows);
        let wanted = self.wanted();
        let table = self.copied.table(&|name| wanted.contains(name), ranges)?;
        let data = self.schema.dataset(&table, !self.schema.targets.is_empty());
        let data = data.and_then(|data| {
            let weighted = self.weight.weighted(data, &table);
            weighted.map_err(|error| error.under("data"))
        });
        data.map_err(|mut error| {
            if let Error::Data { row: Some(row), .. } = &mut error {
                *row = self.picked.row(start + *row);
            }
            with_line(self.copied.name(), error)
        })
    }

    fn source_row(&self, row: usize) -> usize {
        self.picked.row(row)
    }

    fn text_bytes(&self) -> u64 {
        let wanted = self.wanted();
        self.copied.text_bytes(&|name| wanted.contains(name))
    }
}
