//! Tables of named columns, as people keep them in CSV files.
//!
//! `source` reads the bytes in blocks and refuses what is no table; `header` sees
//! delimiter and header; `records` cuts a block into cells, `part` makes them columns,
//! `infer` says of what type, `cell` what a cell's text may stand for; `read` has all
//! threads do so; `describe` shows a table.

mod cell;
mod describe;
mod header;
mod infer;
mod part;
mod read;
mod records;
mod source;
#[cfg(test)]
mod tests;

pub(super) use cell::{date_parts, day_of};
pub use describe::describe_table;
pub(super) use read::with_line;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A table: columns of one length, each of one type.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The file that it came from.
    pub name: String,
    /// How many rows it has, the header not counted.
    pub rows: usize,
    /// Its columns, at least one.
    pub columns: Vec<Column>,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name in the header; `column_0` and so on without one.
    pub name: String,
    /// What its cells hold.
    pub cells: Cells,
}

/// What the cells of a column hold.
#[derive(Clone, Debug, PartialEq)]
pub enum Cells {
    /// Numbers; NaN where a cell is missing.
    Number(Vec<f32>),
    /// 1 for true or yes, 0 for false or no, NaN where a cell is missing.
    Boolean(Vec<f32>),
    /// Days since 1970-01-01; `None` where a cell is missing.
    Date(Vec<Option<i32>>),
    /// Texts.
    Category {
        /// The different texts, in the order in which they first appear.
        names: Vec<String>,
        /// Each cell's place in `names`; `None` where a cell is missing.
        codes: Vec<Option<u32>>,
    },
}

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Numbers.
    Number,
    /// True or false, yes or no.
    Boolean,
    /// `2026-11-23`, with or without a time behind it, which is not looked at.
    Date,
    /// Texts, of which there are few different ones.
    Category,
}

/// How a table is to be read where its own look does not decide.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReadTable {
    /// The types of columns, by name; the others are inferred.
    pub kinds: BTreeMap<String, Kind>,
}

impl Kind {
    /// Every type, by its name in a configuration.
    pub const NAMES: [(&'static str, Kind); 4] = [
        ("number", Kind::Number),
        ("boolean", Kind::Boolean),
        ("date", Kind::Date),
        ("category", Kind::Category),
    ];

    /// Its name in a configuration.
    pub fn name(self) -> &'static str {
        let mut names = Kind::NAMES.into_iter();
        names.find(|(_, kind)| *kind == self).map_or("", |n| n.0)
    }
}

impl Cells {
    /// The column's type.
    pub fn kind(&self) -> Kind {
        match self {
            Cells::Number(_) => Kind::Number,
            Cells::Boolean(_) => Kind::Boolean,
            Cells::Date(_) => Kind::Date,
            Cells::Category { .. } => Kind::Category,
        }
    }

    /// How many cells are missing.
    pub fn missing(&self) -> usize {
        match self {
            Cells::Number(all) | Cells::Boolean(all) => all.iter().filter(|x| x.is_nan()).count(),
            Cells::Date(all) => all.iter().filter(|day| day.is_none()).count(),
            Cells::Category { codes, .. } => codes.iter().filter(|code| code.is_none()).count(),
        }
    }
}
