//! A binary copy of a table that is larger than memory: made once, in one pass, and
//! read by ranges of rows.
//!
//! The file consists, little-endian, of `MAGIC`; chunks of some 64 kB of rows (`encode`, `chunk`);
//! a description of the original, as JSON; rows and bytes of each chunk; and a tail of fixed length
//! with the lengths of these two and their checksum. Each chunk has a checksum, too, and the
//! categories of its own rows: it can be read without the others, and no dictionary of the whole
//! table is ever in memory. `make` writes such a file, `open` validates it.

mod chunk;
mod encode;
mod make;
mod open;
mod progress;
#[cfg(test)]
mod tests;

pub use progress::{CopyProgress, OnCopy};

use super::block_column::{Places, place};
use super::infer::Way;
use super::path::is_parquet;
use super::{Cells, Column, DateFormat, Kind, ReadTable, Reading, Table, TextOptions};
use crate::base::threads::lock;
use crate::error::{Error, Result};
use chunk::Chunk;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::iter::once;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Mutex;

const MAGIC: &[u8; 16] = b"gradus tables 2\n";

/// A table's copy.
#[derive(Debug)]
pub(in crate::data) struct Copied {
    /// The file and its path.
    pub path: PathBuf,
    file: Mutex<File>,
    about: About,
    /// First row of each chunk, and the number of all rows.
    starts: Vec<usize>,
    /// Offset of each chunk, and the end of the last one.
    places: Vec<u64>,
}

/// The description of the original table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct About {
    origin: Origin,
    columns: Vec<OfColumn>,
    /// The remark on the first line for the user.
    note: Option<String>,
    /// The text options in effect.
    text: TextOptions,
    /// The date format set for all columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    date_format: Option<DateFormat>,
}

/// The original file and its state when it was copied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Origin {
    /// The name used in messages.
    name: String,
    path: PathBuf,
    bytes: u64,
    /// Time of change in nanoseconds since 1970; of an object in a store, a number that changes with it.
    changed: u64,
}

/// A column of a copy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct OfColumn {
    name: String,
    /// The reading by which it was copied; `None` for an ignored column, which is not in the copy.
    way: Option<Way>,
    /// The reading without options; `None` if that is an error.
    own: Option<Way>,
    /// The date format set for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    said: Option<DateFormat>,
    /// The formats, guesses and missing-value words by which its text was read.
    reading: Reading,
    /// True if it is no column of the table: a last one without name and cells.
    left: bool,
    /// Bytes of its texts, in all chunks.
    texts: u64,
}

impl OfColumn {
    fn kind(&self) -> Option<Kind> {
        self.way.map(|way| way.kind)
    }
}

impl Copied {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.starts.last().copied().unwrap_or_default()
    }

    /// The table's name in messages.
    pub fn name(&self) -> &str {
        &self.about.origin.name
    }

    /// Bytes per row of the texts of these columns in memory.
    pub fn text_bytes(&self, wanted: &dyn Fn(&str) -> bool) -> u64 {
        /// Factor for a text's length, code and share of a hash table in memory.
        const BESIDE: u64 = 4;
        let columns = self.about.columns.iter().filter(|c| wanted(&c.name));
        let texts: u64 = columns.map(|column| column.texts).sum();
        texts.saturating_mul(BESIDE) / self.rows().max(1) as u64
    }

    /// The columns without their cells.
    pub fn head(&self) -> Table {
        let column = |column: &OfColumn| Column {
            name: column.name.clone(),
            cells: Cells::new(column.kind().unwrap_or(Kind::Category), 0),
            reading: column.reading.clone(),
        };
        let columns = self.about.columns.iter().filter(|column| !column.left);
        Table {
            name: self.name().to_owned(),
            rows: 0,
            columns: columns.map(column).collect(),
            note: self.about.note.clone(),
        }
    }

    /// True if the copy equals the table read with these options and column names.
    fn serves(&self, options: &ReadTable, names: Option<&[String]>) -> bool {
        let columns = &self.about.columns;
        let here = columns.iter().filter(|column| !column.left);
        let here: HashSet<&String> = here.map(|column| &column.name).collect();
        let known = |name: &String| here.contains(name);
        let is_named = |names: &[String]| columns.iter().map(|c| &c.name).eq(names);
        let of_text = !is_parquet(&self.about.origin.path);
        let same = |column: &OfColumn| {
            let given = options.kinds.get(&column.name).copied();
            let wanted = given.or(match column.own.map(|own| own.kind) {
                Some(Kind::Boolean) if options.as_written.contains(&column.name) && of_text => {
                    Some(Kind::Category)
                }
                own => own,
            });
            let written = match (options.formats.get(&column.name), column.own) {
                (Some(format), _) => Some(*format),
                (None, Some(own)) if own.kind == Kind::Number => Some(own.format),
                (None, _) => None,
            };
            let is_written = |way: Way| {
                way.kind != Kind::Number || written.is_none_or(|format| format == way.format)
            };
            let is_date = matches!(wanted, Some(Kind::Date | Kind::DateTime));
            let dates = match options.dates.get(&column.name) {
                Some(format) => *format == column.reading.dates || !is_date,
                None => column.said.is_none(),
            };
            options.ignores(&column.name)
                || column.left
                || column.kind().is_some()
                    && column.kind() == wanted
                    && column.way.is_some_and(is_written)
                    && dates
        };
        // Formats given come with types.
        let all = self.about.date_format == options.date_format || !options.dates.is_empty();
        let asked = options.kinds.keys().chain(options.dates.keys());
        self.about.text == options.text
            && all
            && names.is_none_or(is_named)
            && { asked }.all(known)
            && columns.iter().all(same)
    }

    /// These rows, in ascending ranges, of the columns for which `wanted` is true.
    pub fn table(
        &self,
        wanted: &dyn Fn(&str) -> bool,
        ranges: impl IntoIterator<Item = Range<usize>>,
    ) -> Result<Table> {
        let stored = self.about.columns.iter().filter(|c| c.way.is_some());
        let places: Vec<usize> = stored
            .clone()
            .enumerate()
            .filter_map(|(place, column)| (wanted(&column.name) && !column.left).then_some(place))
            .collect();
        let kinds: Vec<Kind> = stored.filter_map(OfColumn::kind).collect();
        let mut cells: Vec<chunk::Growing> = places
            .iter()
            .map(|&place| chunk::Growing::new(kinds[place]))
            .collect();
        let (mut bytes, mut there) = (Vec::new(), usize::MAX);
        for mut range in ranges {
            if range.end > self.rows() {
                return Err(Error::Internal(format!("no rows {range:?} in a copy")));
            }
            while !range.is_empty() {
                let number = self.starts.partition_point(|&start| start <= range.start) - 1;
                if number != there {
                    self.read(number, &mut bytes)?;
                    there = number;
                }
                let (first, end) = (self.starts[number], self.starts[number + 1]);
                let part = range.start - first..range.end.min(end) - first;
                let chunk = Chunk::of(&bytes, &kinds, end - first);
                let chunk = chunk.ok_or_else(|| self.damaged())?;
                for (growing, &place) in cells.iter_mut().zip(&places) {
                    let added = growing.add(&chunk, place, part.clone());
                    added.ok_or_else(|| self.damaged())?;
                }
                range.start = first + part.end;
            }
        }
        let stored = self.about.columns.iter().filter(|c| c.way.is_some());
        let named: Vec<&OfColumn> = stored.collect();
        let columns = places.iter().zip(cells).map(|(&place, cells)| Column {
            name: named[place].name.clone(),
            cells: cells.done(),
            reading: Reading::default(),
        });
        let columns: Vec<Column> = columns.collect();
        Ok(Table {
            name: self.name().to_owned(),
            rows: columns.first().map_or(0, |column| column.cells.len()),
            columns,
            note: None,
        })
    }

    /// The distinct texts of a column, in the order of their first occurrence.
    pub fn texts(&self, name: &str) -> Result<Vec<String>> {
        /// Rows read at a time.
        const ROWS: usize = 1 << 16;
        let (mut all, mut places) = (Vec::new(), Places::default());
        for start in (0..self.rows()).step_by(ROWS) {
            let rows = start..self.rows().min(start + ROWS);
            let table = self.table(&|column| column == name, once(rows))?;
            for column in table.columns {
                if let Cells::Category { names, .. } = column.cells {
                    for text in names {
                        place(text, &mut all, &mut places);
                    }
                }
            }
        }
        Ok(all)
    }

    /// The first `most` distinct values of a column.
    pub fn different(&self, name: &str, most: usize) -> Result<Cells> {
        let mut different = Vec::new();
        for chunk in self.starts.windows(2) {
            let table = self.table(&|column| column == name, once(chunk[0]..chunk[1]))?;
            for column in table.columns {
                let Cells::Number(all) = column.cells else {
                    continue;
                };
                for x in all.into_iter().filter(|x| !x.is_nan()) {
                    if !different.contains(&x) {
                        different.push(x);
                    }
                    if different.len() == most {
                        return Ok(Cells::Number(different));
                    }
                }
            }
        }
        Ok(Cells::Number(different))
    }

    /// Reads a chunk and verifies it.
    fn read(&self, number: usize, bytes: &mut Vec<u8>) -> Result<()> {
        let (from, to) = (self.places[number], self.places[number + 1]);
        bytes.clear();
        let mut file = lock(&self.file);
        let read = file.seek(SeekFrom::Start(from));
        let read = read.and_then(|_| (&mut *file).take(to - from).read_to_end(bytes));
        let read = read.map_err(|cause| Error::io("read", &self.path, cause))?;
        match read as u64 == to - from && encode::is_whole(bytes) {
            true => Ok(()),
            false => Err(self.damaged()),
        }
    }

    /// The error, and the file's end: the next who needs it makes it anew.
    fn damaged(&self) -> Error {
        let problem = match std::fs::remove_file(&self.path) {
            Ok(()) => "was damaged and is removed: run again, and it is made anew",
            Err(_) => "is damaged: remove it, and it is made anew",
        };
        Error::file(
            &self.path,
            format!("this copy of {} {problem}", self.name()),
        )
    }
}
