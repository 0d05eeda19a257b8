//! Tables of named columns, as people keep them in CSV files.
//!
//! `tabular` says what a table can be read from, `path` which file is read how. Of a CSV file, `source` reads the bytes in blocks and refuses what is no table; `header` sees
//! delimiter and header; `records` cuts a block into cells, `block_column` makes them columns,
//! `infer` says of what type, `cell` what a cell's text may stand for: `number` knows how
//! people write numbers, `written` which way a column has, `dates` which day and time, `gaps`
//! what stands for nothing, `text` what a user says of all that, `reading` what is to be said to
//! him; `settle` decides by all rows. `read` has all threads do so. `typed` makes columns of what
//! has types already: `arrow` of record
//! batches, `parquet` of files of such, `polars` of frames, `raw` of cells of mixed types. `line` finds a row again;
//! `describe` shows a table; `copy` is what a table becomes that is larger than memory.

mod affix;
#[cfg(feature = "arrow")]
mod arrow;
mod block_column;
mod calendar;
mod cell;
mod content;
#[cfg(feature = "train")]
mod copy;
mod dates;
mod describe;
mod gaps;
mod header;
mod infer;
mod line;
mod number;
mod of_columns;
#[cfg(feature = "parquet")]
mod parquet;
mod path;
#[cfg(feature = "polars")]
mod polars;
mod raw;
mod read;
mod reading;
mod records;
mod settle;
mod source;
mod tabular;
#[cfg(test)]
mod tests;
mod text;
// Without the optional features, some types are never read.
#[cfg_attr(not(any(feature = "arrow", feature = "polars")), allow(dead_code))]
mod typed;
mod written;

#[cfg(feature = "train")]
pub(super) use self::copy::Copied;
#[cfg(feature = "train")]
pub use self::copy::{CopyProgress, OnCopy};
pub(crate) use calendar::date_parts;
pub(super) use calendar::day_of;
pub(super) use cell::boolean as truth;
pub(super) use dates::day_and_time;
pub use dates::{DateFormat, DatePattern};
pub use describe::{ColumnLook, LookValues};
pub(super) use line::with_line;
pub use number::NumberFormat;
pub(super) use path::{about_bytes, column_names};
pub use raw::{RawCell, RawTable};
pub use reading::Reading;
pub use tabular::Tabular;
pub use text::{Separator, TextOptions};

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A table: columns of one length, each of one type.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The file that it came from, or a name for messages.
    pub name: String,
    /// Number of rows, without the header.
    pub rows: usize,
    /// The columns, at least one.
    pub columns: Vec<Column>,
    /// A remark on the first line for the user: it was taken as a row, or as a header though it has
    /// numbers.
    pub note: Option<String>,
}

impl Table {
    /// The columns by their names, which are all different.
    pub(in crate::data) fn by_name(&self) -> HashMap<&str, &Column> {
        let columns = self.columns.iter();
        columns
            .map(|column| (column.name.as_str(), column))
            .collect()
    }
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Name in the header; `column_0` and so on without one.
    pub name: String,
    /// The cells.
    pub cells: Cells,
    /// The formats, guesses and missing-value words by which its text was read.
    pub reading: Reading,
}

/// The cells of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Cells {
    /// Numbers; NaN if missing.
    Number(Vec<f64>),
    /// 1 for true or yes, 0 for false or no, NaN if missing.
    Boolean(Vec<f32>),
    /// Days since 1970-01-01; `None` if missing.
    Date(Vec<Option<i32>>),
    /// Microseconds since 1970-01-01, in UTC if the cells have offsets; `None` if missing.
    DateTime(Vec<Option<i64>>),
    /// Texts.
    Category {
        /// Distinct texts, in the order of their first occurrence.
        names: Vec<String>,
        /// Index in `names` of each cell's text; `None` if missing.
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
    /// `2026-11-23`. A time after it is midnight, or is ignored because the column is declared one
    /// of dates.
    Date,
    /// `2026-11-23 13:45:00`: a date with a time of day.
    DateTime,
    /// Texts, few of them distinct.
    Category,
}

/// Overrides of the inferred reading of a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReadTable {
    /// Types of columns, by name; the others are inferred.
    pub kinds: BTreeMap<String, Kind>,
    /// Date formats of columns, by name; the others are inferred.
    pub dates: BTreeMap<String, DateFormat>,
    /// A date format for every column whose cells match it.
    pub date_format: Option<DateFormat>,
    /// Ignored columns: they may hold unsupported values, such as the lists of a Parquet file, and
    /// are then missing.
    pub ignored: BTreeSet<String>,
    /// Columns that the caller needs by name, beside those of `kinds`: a line that has one of them
    /// is a header.
    pub named: BTreeSet<String>,
    /// Number formats of columns; the others are inferred.
    pub formats: BTreeMap<String, NumberFormat>,
    /// The user's text options.
    pub text: TextOptions,
    /// Columns whose words for true and false stay the texts of the CSV file.
    pub as_written: BTreeSet<String>,
    /// True if all columns that `kinds` does not name are ignored.
    pub others_ignored: bool,
}

impl ReadTable {
    /// True if a column is ignored.
    pub(super) fn ignores(&self, column: &str) -> bool {
        self.ignored.contains(column) || self.leaves(column)
    }

    /// True if nobody asks for a column, not even by an excluded column's name.
    fn leaves(&self, column: &str) -> bool {
        self.others_ignored && !self.kinds.contains_key(column)
    }

    /// The type given for a column, if there is one.
    fn given(&self, column: &str) -> Option<Kind> {
        let given = self.kinds.get(column).copied();
        given.or_else(|| self.ignores(column).then_some(Kind::Category))
    }

    /// Ignores a column.
    pub fn ignore(&mut self, column: &str) {
        self.kinds.insert(column.to_owned(), Kind::Category);
        self.ignored.insert(column.to_owned());
    }
}

impl Kind {
    /// Every type, by its name in a configuration.
    pub const NAMES: [(&'static str, Kind); 5] = [
        ("number", Kind::Number),
        ("boolean", Kind::Boolean),
        ("date", Kind::Date),
        ("datetime", Kind::DateTime),
        ("category", Kind::Category),
    ];

    /// Name in a configuration.
    pub fn name(self) -> &'static str {
        let mut names = Kind::NAMES.into_iter();
        names.find(|(_, kind)| *kind == self).map_or("", |n| n.0)
    }
}

impl Cells {
    /// Empty, with this capacity.
    fn new(kind: Kind, rows: usize) -> Cells {
        match kind {
            Kind::Number => Cells::Number(Vec::with_capacity(rows)),
            Kind::Boolean => Cells::Boolean(Vec::with_capacity(rows)),
            Kind::Date => Cells::Date(Vec::with_capacity(rows)),
            Kind::DateTime => Cells::DateTime(Vec::with_capacity(rows)),
            Kind::Category => Cells::Category {
                names: Vec::new(),
                codes: Vec::with_capacity(rows),
            },
        }
    }

    /// The total number.
    fn len(&self) -> usize {
        match self {
            Cells::Number(all) => all.len(),
            Cells::Boolean(all) => all.len(),
            Cells::Date(all) => all.len(),
            Cells::DateTime(all) => all.len(),
            Cells::Category { codes, .. } => codes.len(),
        }
    }

    /// The column's type.
    pub fn kind(&self) -> Kind {
        match self {
            Cells::Number(_) => Kind::Number,
            Cells::Boolean(_) => Kind::Boolean,
            Cells::Date(_) => Kind::Date,
            Cells::DateTime(_) => Kind::DateTime,
            Cells::Category { .. } => Kind::Category,
        }
    }

    /// Number of missing cells.
    pub fn missing(&self) -> usize {
        match self {
            Cells::Number(all) => all.iter().filter(|x| x.is_nan()).count(),
            Cells::Boolean(all) => all.iter().filter(|x| x.is_nan()).count(),
            Cells::Date(all) => all.iter().filter(|day| day.is_none()).count(),
            Cells::DateTime(all) => all.iter().filter(|time| time.is_none()).count(),
            Cells::Category { codes, .. } => codes.iter().filter(|code| code.is_none()).count(),
        }
    }
}
