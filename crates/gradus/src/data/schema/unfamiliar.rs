//! New rows' deviations from the training rows.

use super::known::Dictionary;
use super::{Feature, Schema};
use crate::data::table::{Kind, column_names};
use crate::data::tensor::Values;
use crate::data::{Data, Dataset};
use crate::error::Result;
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

/// Share of unknown categories above which they are reported.
const FEW: f64 = 0.05;
/// A single row may well have a missing value.
const FEWEST_ROWS: u64 = 2;

/// New rows' deviations from the training rows: extra columns, unknown categories, columns without
/// a value. Rows are added block by block; then [`lines`](Unfamiliar::lines) reports them.
#[derive(Clone, Debug)]
pub struct Unfamiliar {
    rows: u64,
    ignored: Vec<String>,
    columns: Vec<ColumnCounts>,
}

#[derive(Clone, Debug)]
struct ColumnCounts {
    feature: Feature,
    known: Option<Arc<Dictionary>>,
    filled: u64,
    unknown: u64,
    example: String,
}

impl Unfamiliar {
    /// Starts without rows, for a model of such columns.
    pub fn new(schema: &Schema) -> Self {
        let looked = |feature: &Feature| ColumnCounts {
            known: schema.known.get(&feature.name).cloned(),
            feature: feature.clone(),
            filled: 0,
            unknown: 0,
            example: String::new(),
        };
        Unfamiliar {
            rows: 0,
            ignored: Vec::new(),
            columns: schema.features.iter().map(looked).collect(),
        }
    }

    /// Adds the columns of a table's file that the schema does not name.
    pub fn add_columns(&mut self, schema: &Schema, table: &Path) -> Result<()> {
        let there = column_names(table)?;
        let known: HashSet<&str> = schema.columns().collect();
        let others = there
            .into_iter()
            .filter(|name| !known.contains(name.as_str()));
        self.ignored.extend(others);
        Ok(())
    }

    /// Adds rows.
    pub fn add(&mut self, rows: &Dataset) -> Result<()> {
        self.rows += rows.rows() as u64;
        let inputs = self.columns.iter().map(|c| c.feature.input.as_str());
        let tensors = rows.for_inputs(inputs)?;
        for (column, tensor) in self.columns.iter_mut().zip(tensors) {
            match tensor.values() {
                Values::Text { names, codes } => column.add_texts(names, codes),
                _ => {
                    let filled = tensor.to_f32();
                    let filled = filled.chunks(tensor.size().max(1));
                    let filled = filled.filter(|row| row.iter().all(|x| !x.is_nan()));
                    column.filled += filled.count() as u64;
                }
            }
        }
        Ok(())
    }

    /// Adds all rows, in memory or streamed.
    pub fn add_all(&mut self, rows: &Data) -> Result<()> {
        rows.each(&mut |rows| self.add(rows))
    }

    /// A line for each deviation; `source` is the rows' name.
    pub fn lines(&self, source: &str) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.ignored.is_empty() {
            let names = self.ignored.iter().map(|name| format!("`{name}`"));
            let names: Vec<String> = names.collect();
            lines.push(format!(
                "note: {source}: the model does not look at the column{} {}",
                if names.len() == 1 { "" } else { "s" },
                names.join(", ")
            ));
        }
        for column in &self.columns {
            let at = format!("warning: {source}, column `{}`", column.feature.name);
            if column.filled == 0 && self.rows >= FEWEST_ROWS {
                lines.push(format!(
                    "{at}: empty in all {} rows, which it was not in training",
                    self.rows
                ));
            }
            let share = column.unknown as f64 / column.filled.max(1) as f64;
            if share > FEW {
                let percent = match column.unknown == column.filled {
                    true => "all".to_owned(),
                    false => format!("{:.0}%", share * 100.0),
                };
                lines.push(format!(
                    "{at}: {} of {} filled rows ({percent}) have a category that the model does \
                     not know, such as `{}`: they all count as the same unknown one",
                    column.unknown, column.filled, column.example
                ));
            }
        }
        lines
    }
}

impl ColumnCounts {
    fn add_texts(&mut self, names: &[String], codes: &[u32]) {
        let mut counts = vec![0_u64; names.len()];
        codes.iter().for_each(|&code| counts[code as usize] += 1);
        for (name, count) in names.iter().zip(counts) {
            if count == 0 || name.is_empty() && self.feature.kind == Kind::Category {
                continue;
            }
            self.filled += count;
            if self.known.as_ref().is_some_and(|known| !known.has(name)) {
                self.unknown += count;
                if self.example.is_empty() {
                    self.example.clone_from(name);
                }
            }
        }
    }
}
