//! Tables of named columns, as people keep them in CSV files.
//!
//! `tabular` says what a table can be read from. Of a CSV file, `source` reads the bytes in blocks and refuses what is no table; `header` sees
//! delimiter and header; `records` cuts a block into cells, `part` makes them columns,
//! `infer` says of what type, `cell` what a cell's text may stand for; `read` has all
//! threads do so. `typed` makes columns of what has types already: `arrow` of record
//! batches, `parquet` of files of such, `polars` of frames. `line` finds a row again;
//! `describe` shows a table; `copy` is what a table becomes that is larger than memory.

#[cfg(feature = "arrow")]
mod arrow;
mod cell;
mod copy;
mod describe;
mod header;
mod infer;
mod line;
#[cfg(feature = "parquet")]
mod parquet;
mod part;
#[cfg(feature = "polars")]
mod polars;
mod read;
mod records;
mod source;
mod tabular;
#[cfg(test)]
mod tests;
// A table itself has fewer types than what the features read.
#[cfg_attr(not(any(feature = "arrow", feature = "polars")), allow(dead_code))]
mod typed;

pub(super) use cell::{boolean as truth, date_parts, day_of};
pub(super) use copy::Copied;
pub use copy::{Listener, Told};
pub use describe::{ColumnLook, LookValues};
pub(super) use line::with_line;
pub use tabular::Tabular;
pub(super) use tabular::about_bytes;
pub(super) use tabular::column_names;
use tabular::is_parquet;

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A table: columns of one length, each of one type.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The file that it came from, or what messages call what it came from.
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
    /// Columns that nobody looks at: they may hold what no cell can, such as the lists
    /// of a Parquet file, and are missing then.
    pub ignored: BTreeSet<String>,
    /// Columns whose words for true and false stay the texts that a CSV file has.
    pub as_written: BTreeSet<String>,
    /// Whether nobody looks at columns that `kinds` does not name.
    pub others_ignored: bool,
}

impl ReadTable {
    /// Whether nobody looks at a column.
    pub(super) fn ignores(&self, column: &str) -> bool {
        self.ignored.contains(column) || self.others_ignored && !self.kinds.contains_key(column)
    }

    /// The type that a column is to be read as, if that is said.
    fn given(&self, column: &str) -> Option<Kind> {
        let given = self.kinds.get(column).copied();
        given.or_else(|| self.ignores(column).then_some(Kind::Category))
    }

    /// Says that nobody looks at a column.
    pub fn ignore(&mut self, column: &str) {
        self.kinds.insert(column.to_owned(), Kind::Category);
        self.ignored.insert(column.to_owned());
    }
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
    /// None yet, with room for so many.
    fn new(kind: Kind, rows: usize) -> Cells {
        match kind {
            Kind::Number => Cells::Number(Vec::with_capacity(rows)),
            Kind::Boolean => Cells::Boolean(Vec::with_capacity(rows)),
            Kind::Date => Cells::Date(Vec::with_capacity(rows)),
            Kind::Category => Cells::Category {
                names: Vec::new(),
                codes: Vec::with_capacity(rows),
            },
        }
    }

    /// How many there are.
    fn len(&self) -> usize {
        match self {
            Cells::Number(all) | Cells::Boolean(all) => all.len(),
            Cells::Date(all) => all.len(),
            Cells::Category { codes, .. } => codes.len(),
        }
    }

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
