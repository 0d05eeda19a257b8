//! `Tabular`: the sources that a table can be read from.

use super::typed::{Cell, Head, Making};
use super::{Cells, ReadTable, Table};
#[cfg(doc)]
use super::{NumberFormat, Reading};
use crate::error::Result;

/// A source that a table can be read from: the path of a CSV or Parquet file, a [`Table`], and
/// with features of those names Arrow's record batches and polars' frames.
///
/// The same rows are the same table, wherever they come from: a model that was
/// trained on a frame takes a CSV file, and the other way round. What has types of its
/// own keeps them: integers, floats and decimals are numbers, texts and dictionaries
/// categories, dates with a time are kept to a microsecond, in UTC where they have a time
/// zone, and are dates where all times are midnight. NaN and nulls are missing, and of texts those that are missing in a CSV file.
/// Where `options` wants another type, a cell is read as its text in a CSV file would
/// be. What no cell holds (lists, bytes, spans of time) is an error, unless the
/// column is ignored.
pub trait Tabular {
    /// The name used in messages.
    fn name(&self) -> String;

    /// Its rows, read by `options`.
    fn to_table(&self, options: &ReadTable) -> Result<Table>;
}

impl Table {
    /// Reads a table from a file or another source.
    ///
    /// A path that ends in `.parquet` is a Parquet file, of any codec but LZO, which needs the
    /// feature `parquet`; all threads read its row groups. Any other path is a CSV or TSV file:
    /// UTF-8 with or without a byte order mark, any line ends, delimited by commas, semicolons,
    /// tabs or bars, quoted with `"`. Its first row is a header if one of its texts stands above
    /// nothing but numbers, booleans or dates, and its numbers, if any, could be names
    /// (`id,2019,2020`); if all its cells are distinct texts that no other row has; or if it has a
    /// name that `options` asks for. A column without a name is called `column_3`, by its index;
    /// last columns without names and cells are dropped.
    ///
    /// The type of a CSV file's column is the narrowest of number, boolean, date and datetime that
    /// all its cells have, else category. A column that `options` declares boolean may have 1 and
    /// 0, too. Cells that are empty or `NA`, `N/A`, `#N/A`, `<NA>`, `NaN`, `null` or `?` are
    /// missing; among numbers and dates `None` is, too, while among texts it is a category. One
    /// text among numbers, or a few, is an error that names its line, unless `options` sets the
    /// column's type.
    ///
    /// Numbers may have the usual human formats: `1,234.5`, `1.234,5`, `1 234`, `1'234`, `12%`
    /// (which is 12), `$5`, `5 €`, `(5)` for -5. A column has one [`NumberFormat`], inferred from
    /// all of its cells; if several fit, its [`Reading`] gives the choice and the reason.
    ///
    /// The number of reading threads is [`set_threads`](crate::set_threads)'s; the table is the
    /// same for any number. Memory holds the table, twice while its blocks are put together, and 4
    /// MiB of the file for each thread. A record (a quoted cell may span lines) is at most 64 MiB.
    pub fn read(source: impl Tabular, options: &ReadTable) -> Result<Table> {
        source.to_table(options)
    }
}

impl<T: Tabular + ?Sized> Tabular for &T {
    fn name(&self) -> String {
        (**self).name()
    }

    fn to_table(&self, options: &ReadTable) -> Result<Table> {
        (**self).to_table(options)
    }
}

impl Tabular for Table {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn to_table(&self, options: &ReadTable) -> Result<Table> {
        let heads = self.columns.iter().map(|column| Head {
            name: column.name.clone(),
            kind: Some(column.cells.kind()),
            called: String::new(),
        });
        let mut making = Making::new(&self.name, heads.collect(), options)?;
        for (n, column) in self.columns.iter().enumerate() {
            let number = |&x: &f64| Cell::Double(x);
            let boolean = |&x: &f32| match x.is_nan() {
                true => Cell::Missing,
                false => Cell::Boolean(x != 0.0),
            };
            match &column.cells {
                Cells::Number(all) => making.add(n, 0, all.iter().map(number))?,
                Cells::Boolean(all) => making.add(n, 0, all.iter().map(boolean))?,
                Cells::Date(all) => {
                    let day = |day: &Option<i32>| day.map(|day| Cell::Date(day.into()));
                    let days = all.iter().map(|d| day(d).unwrap_or(Cell::Missing));
                    making.add(n, 0, days)?;
                }
                Cells::DateTime(all) => {
                    let time = |time: &Option<i64>| time.map_or(Cell::Missing, Cell::Time);
                    making.add(n, 0, all.iter().map(time))?;
                }
                Cells::Category { names, codes } => {
                    let text = |code: &Option<u32>| names.get((*code)? as usize);
                    let text = |code| text(code).map_or(Cell::Missing, |t| Cell::Text(t));
                    making.add(n, 0, codes.iter().map(text))?;
                }
            }
        }
        let mut table = making.table()?;
        for (made, column) in table.columns.iter_mut().zip(&self.columns) {
            made.reading.clone_from(&column.reading);
        }
        Ok(table)
    }
}
