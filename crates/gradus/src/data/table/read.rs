//! From a file's text to a table: delimiter, header, the columns' types, cells.

use super::cell::{boolean, date, is, is_missing, number};
use super::source;
use super::{Cells, Column, Kind, ReadTable, Table};
use crate::error::{Error, Result};
use csv::{ReaderBuilder, StringRecord, Trim};
use std::collections::HashMap;
use std::path::Path;

/// More columns are a wrong delimiter, or an array that should be a `.npy` file.
const MOST_COLUMNS: usize = 10_000;
/// How many rows decide what the delimiter is.
const LOOKED_AT: usize = 50;

impl Table {
    /// Reads a CSV or TSV file: UTF-8 with or without a byte order mark, any
    /// line ends, delimited by commas, semicolons, tabs or bars, quoted with
    /// `"`. The first row is a header if all its cells are different texts.
    ///
    /// A column's type is the narrowest of number, boolean and date that all
    /// its cells have, else category. Cells that are empty or `NA`, `N/A`,
    /// `NaN`, `null`, `None` or `?` are missing. A single text among numbers, or few of
    /// them, is an error that names its line, unless `options` says what the column is.
    pub fn read(path: impl AsRef<Path>, options: &ReadTable) -> Result<Table> {
        let path = path.as_ref();
        let text = source::text(path)?;
        let delimiter = delimiter(&text);
        source::check_quotes(path, &text, delimiter)?;
        let rows = Rows {
            path,
            text: &text,
            delimiter,
        };
        let (names, has_header) = rows.names()?;
        for name in options.kinds.keys() {
            if !names.contains(name) {
                let known = names.iter().map(String::as_str);
                return Err(Error::unknown(
                    &path.display().to_string(),
                    "column",
                    name,
                    known,
                ));
            }
        }
        let mut found: Vec<Found> = names.iter().map(|_| Found::default()).collect();
        let mut count = 0;
        rows.each(has_header, names.len(), |line, cells| {
            count += 1;
            for (found, cell) in found.iter_mut().zip(cells) {
                found.add(line, cell);
            }
            Ok(())
        })?;
        if count == 0 {
            let problem = "has a header and no rows under it";
            return Err(Error::file(path, problem));
        }
        if u32::try_from(count).is_err() {
            return Err(Error::file(
                path,
                format!("has {count} rows, expected fewer than 2^32"),
            ));
        }
        let mut making = Vec::with_capacity(names.len());
        for (name, found) in names.into_iter().zip(&found) {
            let kind = found.kind(options.kinds.get(&name).copied());
            let kind = kind.map_err(|why| Error::file(path, format!("column `{name}`: {why}")))?;
            making.push(Making::new(name, kind, count));
        }
        rows.each(has_header, making.len(), |_, cells| {
            for (making, cell) in making.iter_mut().zip(cells) {
                making.add(cell);
            }
            Ok(())
        })?;
        Ok(Table {
            name: path.display().to_string(),
            rows: count,
            columns: making.into_iter().map(|making| making.column).collect(),
        })
    }
}

/// A file's text, cut into rows.
struct Rows<'a> {
    path: &'a Path,
    text: &'a str,
    delimiter: u8,
}

impl Rows<'_> {
    /// The columns' names, and whether they stand in the first row.
    fn names(&self) -> Result<(Vec<String>, bool)> {
        let mut first = StringRecord::new();
        let read = reader(self.text, self.delimiter).read_record(&mut first);
        read.map_err(|error| Error::file(self.path, error))?;
        if first.len() > MOST_COLUMNS {
            let problem = format!(
                "has {} columns, expected at most {MOST_COLUMNS}: is the delimiter `{}`? \
                 An array of numbers belongs in a .npy file",
                first.len(),
                char::from(self.delimiter).escape_default()
            );
            return Err(Error::file(self.path, problem));
        }
        if first
            .iter()
            .any(|cell| is_missing(cell) || number(cell).is_some())
        {
            let texts = first
                .iter()
                .filter(|c| !is_missing(c) && number(c).is_none())
                .count();
            // One nameless column, as an index has when a table is exported.
            if texts + 1 == first.len() && texts > 0 && first.get(0) == Some("") {
                let names = first.iter().map(|name| match name {
                    "" => "column_0".to_owned(),
                    name => name.to_owned(),
                });
                return Ok((names.collect(), true));
            }
            return Ok((
                (0..first.len()).map(|n| format!("column_{n}")).collect(),
                false,
            ));
        }
        let mut places = HashMap::new();
        for (place, name) in first.iter().enumerate() {
            if let Some(before) = places.insert(name, place) {
                let problem = format!(
                    "line 1: columns {} and {} are both named `{name}`",
                    before + 1,
                    place + 1
                );
                return Err(Error::file(self.path, problem));
            }
        }
        Ok((first.iter().map(str::to_owned).collect(), true))
    }

    /// Calls `see` with each row's line and cells; an error where a row is not
    /// `width` cells wide.
    fn each(
        &self,
        has_header: bool,
        width: usize,
        mut see: impl FnMut(usize, &StringRecord) -> Result<()>,
    ) -> Result<()> {
        let mut reader = reader(self.text, self.delimiter);
        let mut row = StringRecord::new();
        let mut first = true;
        // The reader's own count stands before the empty lines that it skips.
        let bytes = self.text.as_bytes();
        let (mut line, mut counted) = (1, 0);
        loop {
            let more = reader.read_record(&mut row);
            if !more.map_err(|error| Error::file(self.path, error))? {
                return Ok(());
            }
            let begins = row.position().map_or(0, csv::Position::byte) as usize;
            let before = bytes.iter().enumerate().skip(counted);
            let before = before.take_while(|&(at, byte)| at < begins || b"\r\n".contains(byte));
            for (at, &byte) in before {
                counted = at + 1;
                line += usize::from(byte == b'\n');
            }
            if std::mem::replace(&mut first, false) && has_header {
                continue;
            }
            if row.len() != width {
                let s = if row.len() == 1 { "" } else { "s" };
                let problem = format!(
                    "line {line}: found {} cell{s}, expected {width} as in line 1: is a cell with \
                     `{}` in it not quoted?",
                    row.len(),
                    char::from(self.delimiter).escape_default()
                );
                return Err(Error::file(self.path, problem));
            }
            see(line, &row)?;
        }
    }
}

fn reader(text: &str, delimiter: u8) -> csv::Reader<&[u8]> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .delimiter(delimiter)
        .from_reader(text.as_bytes())
}

/// The delimiter that cuts the first rows into the same number of cells, the
/// most if several do; if none does, the one with the most cells in the first row.
fn delimiter(text: &str) -> u8 {
    let score = |delimiter: u8| {
        let rows = reader(text, delimiter).into_records().take(LOOKED_AT);
        let widths: Vec<usize> = rows.flatten().map(|row| row.len()).collect();
        let first = widths.first().copied().unwrap_or(0);
        let same = widths.iter().all(|&width| width == first);
        (first > 1, same, first)
    };
    let mut best = (b',', score(b','));
    for other in *b";\t|" {
        let score = score(other);
        if score > best.1 {
            best = (other, score);
        }
    }
    best.0
}

/// What a first pass finds in a column.
#[derive(Default)]
struct Found {
    filled: usize,
    /// How many cells are numbers, booleans, dates.
    can_be: [usize; 3],
    /// The first cell that is none of that type, with its line.
    not: [Option<(usize, String)>; 3],
}

/// The types that a text may have, the narrowest first.
const NARROW: [Kind; 3] = [Kind::Number, Kind::Boolean, Kind::Date];

impl Found {
    fn add(&mut self, line: usize, cell: &str) {
        if is_missing(cell) {
            return;
        }
        self.filled += 1;
        for (n, kind) in NARROW.into_iter().enumerate() {
            if is(kind, cell) {
                self.can_be[n] += 1;
                // A cell has one of the types at most.
                if self.not.iter().all(Option::is_some) {
                    return;
                }
            } else if self.not[n].is_none() {
                self.not[n] = Some((line, cell.chars().take(40).collect()));
            }
        }
    }

    /// The column's type, or why it has none.
    fn kind(&self, given: Option<Kind>) -> Result<Kind, String> {
        let wrong = |n: usize| match &self.not[n] {
            Some((line, cell)) => format!("line {line} has `{cell}`"),
            None => String::new(),
        };
        if let Some(kind) = given {
            return match NARROW.iter().position(|&k| k == kind) {
                Some(n) if self.can_be[n] < self.filled => {
                    Err(format!("{}, expected a {}", wrong(n), kind.name()))
                }
                _ => Ok(kind),
            };
        }
        if let Some(n) = (0..3).find(|&n| self.can_be[n] == self.filled) {
            return Ok(NARROW[n]);
        }
        // A few strays are a mistake; many are texts that look like numbers at times.
        let strays = |n: usize| self.filled - self.can_be[n];
        let few = |n: &usize| strays(*n) * 20 <= self.filled || strays(*n) == 1 && self.filled > 2;
        match (0..3).find(few) {
            None => Ok(Kind::Category),
            Some(n) => Err(format!(
                "{}, but {} of its {} filled cells are {}s: mend it, leave it empty, or say that \
                 the column is a category",
                wrong(n),
                self.can_be[n],
                self.filled,
                NARROW[n].name()
            )),
        }
    }
}

/// A column in the making.
struct Making {
    column: Column,
    /// The place of each category.
    places: HashMap<String, u32>,
}

impl Making {
    fn new(name: String, kind: Kind, rows: usize) -> Self {
        let cells = match kind {
            Kind::Number => Cells::Number(Vec::with_capacity(rows)),
            Kind::Boolean => Cells::Boolean(Vec::with_capacity(rows)),
            Kind::Date => Cells::Date(Vec::with_capacity(rows)),
            Kind::Category => Cells::Category {
                names: Vec::new(),
                codes: Vec::with_capacity(rows),
            },
        };
        Making {
            column: Column { name, cells },
            places: HashMap::new(),
        }
    }

    fn add(&mut self, cell: &str) {
        let there = !is_missing(cell);
        match &mut self.column.cells {
            Cells::Number(all) => all.push(number(cell).unwrap_or(f32::NAN)),
            Cells::Boolean(all) => all.push(boolean(cell).unwrap_or(f32::NAN)),
            Cells::Date(all) => all.push(date(cell)),
            Cells::Category { codes, .. } if !there => codes.push(None),
            Cells::Category { names, codes } => {
                let code = match self.places.get(cell) {
                    Some(&code) => code,
                    None => {
                        let code = names.len() as u32;
                        names.push(cell.to_owned());
                        self.places.insert(cell.to_owned(), code);
                        code
                    }
                };
                codes.push(Some(code));
            }
        }
    }
}
