//! Tables whose cells each have a type of their own, as rows of JSON do.

use super::typed::{Cell, Head, Making};
use super::{Kind, ReadTable, Table, Tabular};
use crate::error::Result;

/// A cell with a type of its own.
#[derive(Clone, Debug, PartialEq)]
pub enum RawCell {
    /// No value.
    Missing,
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Whole(i64),
    /// Another number; NaN is missing.
    Number(f64),
    /// A text, read as a CSV file's cell is: numbers and dates in their column's format, and some
    /// words that stand for a missing value.
    Text(String),
}

/// Columns of cells with types of their own. A model reads them as it reads a CSV file, but for
/// numbers, which need no format.
///
/// ```
/// use gradus::data::{RawCell, RawTable, ReadTable, Table};
///
/// let rooms = vec![RawCell::Whole(3), RawCell::Text("4".into()), RawCell::Missing];
/// let mut options = ReadTable::default();
/// options.kinds.insert("rooms".into(), gradus::data::Kind::Number);
/// let table = Table::read(RawTable::new("request", vec![("rooms".into(), rooms)]), &options)?;
/// assert_eq!((table.rows, table.columns[0].cells.missing()), (3, 1));
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RawTable {
    name: String,
    columns: Vec<(String, Vec<RawCell>)>,
}

impl RawTable {
    /// A table with this name for messages, of columns with their names. Their lengths are
    /// compared when it is read.
    pub fn new(name: &str, columns: Vec<(String, Vec<RawCell>)>) -> Self {
        let name = name.to_owned();
        RawTable { name, columns }
    }
}

impl Tabular for RawTable {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn to_table(&self, options: &ReadTable) -> Result<Table> {
        let heads = self.columns.iter().map(|(name, _)| Head {
            name: name.clone(),
            kind: Some(Kind::Category),
            called: String::new(),
        });
        let mut making = Making::new(&self.name, heads.collect(), options)?;
        for (n, (_, cells)) in self.columns.iter().enumerate() {
            making.add(n, 0, cells.iter().map(cell))?;
        }
        making.table()
    }
}

fn cell(raw: &RawCell) -> Cell<'_> {
    match raw {
        RawCell::Missing => Cell::Missing,
        RawCell::Boolean(truth) => Cell::Boolean(*truth),
        RawCell::Whole(number) => Cell::Whole((*number).into()),
        RawCell::Number(number) => Cell::Double(*number),
        RawCell::Text(text) => Cell::Text(text),
    }
}
