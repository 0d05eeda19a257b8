//! From a CSV file to a table, in one pass by all threads.

use super::header::{delimiter, names};
use super::infer::Found;
use super::part::{Part, join};
use super::records::cells;
use super::source::{Block, Blocks};
use super::{Cells, Column, Kind, ReadTable, Table};
use crate::base::threads::{lock, parallel, threads, together};
use crate::error::{Error, Result};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many bytes of the file a thread reads at a time.
const BLOCK: usize = 4 << 20;
/// How many bytes of the first block tell what types to expect.
const LOOKED_AT: usize = 1 << 20;

/// The table of a CSV file, read by all threads.
pub(super) fn read(path: &Path, options: &ReadTable) -> Result<Table> {
    read_by(path, options, threads(), BLOCK)
}

/// The names of the columns, seen in the first block.
pub(super) fn column_names(path: &Path) -> Result<Vec<String>> {
    let (pass, _) = Pass::begin(path, &ReadTable::default(), 1, LOOKED_AT)?;
    Ok(pass.names)
}

/// The same, on so many threads, in blocks of so many bytes.
pub(super) fn read_by(
    path: &Path,
    options: &ReadTable,
    threads: usize,
    block: usize,
) -> Result<Table> {
    let (mut pass, blocks) = Pass::begin(path, options, threads, block)?;
    let (rows, mut parts) = pass.run(blocks)?;
    if u32::try_from(rows).is_err() {
        return Err(too_many(path, rows));
    }
    let mut found = Vec::with_capacity(parts.len());
    for parts in &mut parts {
        let mut whole = Found::default();
        for (_, found) in &mut *parts {
            whole.append(std::mem::take(found));
        }
        found.push(whole);
    }
    let kinds = pass.settled(rows, &found)?;
    // Where the first rows promised another type, those columns are read again.
    let again = kinds.iter().zip(&pass.kinds);
    let again = again.map(|(&kind, &was)| (was != Some(kind)).then_some(kind));
    pass.kinds = again.collect();
    if pass.kinds.iter().any(Option::is_some) {
        for (parts, kind) in parts.iter_mut().zip(&pass.kinds) {
            if kind.is_some() {
                parts.clear();
            }
        }
        let (rows_again, read) = pass.run(Blocks::open(path, block)?)?;
        if rows_again != rows {
            return Err(changed(path));
        }
        for ((parts, read), kind) in parts.iter_mut().zip(read).zip(&pass.kinds) {
            if kind.is_some() {
                *parts = read;
            }
        }
    }
    let making = kinds.into_iter().zip(parts);
    let making: Vec<Mutex<Option<_>>> = making.map(|column| Mutex::new(Some(column))).collect();
    let columns = parallel(threads, making.len(), |n| {
        let (kind, parts) = lock(&making[n]).take()?;
        Some(join(kind, rows, parts.into_iter().map(|part| part.0)))
    });
    let columns = pass.names.into_iter().zip(columns);
    Ok(Table {
        name: path.display().to_string(),
        rows,
        columns: columns
            .map(|(name, cells)| Column { name, cells })
            .collect(),
    })
}

pub(super) fn too_many(path: &Path, rows: usize) -> Error {
    Error::file(path, format!("has {rows} rows, expected fewer than 2^32"))
}

pub(super) fn changed(path: &Path) -> Error {
    Error::file(path, "was changed while it was read")
}

/// The parts of each column, from the file's first block to its last.
type Parts = Vec<Vec<(Cells, Found)>>;

/// One reading of a file.
pub(super) struct Pass<'a> {
    path: &'a Path,
    delimiter: u8,
    has_header: bool,
    threads: usize,
    /// The columns' names.
    pub names: Vec<String>,
    /// The types that were said.
    given: Vec<Option<Kind>>,
    /// Whether words for true and false stay texts.
    as_written: Vec<bool>,
    /// As what each column is read; a column without is passed over.
    pub kinds: Vec<Option<Kind>>,
    /// The most rows that a block had.
    rows: AtomicUsize,
}

impl<'a> Pass<'a> {
    /// Opens a file, and sees from its first rows what to expect.
    pub fn begin(
        path: &'a Path,
        options: &ReadTable,
        threads: usize,
        block: usize,
    ) -> Result<(Self, Blocks<'a>)> {
        let blocks = Blocks::open(path, block)?;
        let start = blocks.start()?;
        let delimiter = delimiter(start);
        let (names, has_header) = names(path, start, delimiter)?;
        for name in options.kinds.keys() {
            if !names.contains(name) {
                let known = names.iter().map(String::as_str);
                let at = path.display().to_string();
                return Err(Error::unknown(&at, "column", name, known));
            }
        }
        let given = names.iter().map(|n| options.given(n));
        let as_written = names.iter().map(|n| options.as_written.contains(n));
        let mut pass = Pass {
            path,
            delimiter,
            has_header,
            threads,
            given: given.collect(),
            as_written: as_written.collect(),
            names,
            kinds: Vec::new(),
            rows: AtomicUsize::new(0),
        };
        pass.kinds = pass.expected(start);
        Ok((pass, blocks))
    }

    /// The types that the first rows promise.
    fn expected(&self, start: &str) -> Vec<Option<Kind>> {
        let mut found: Vec<Found> = self.given.iter().map(|_| Found::default()).collect();
        let mut end = start.len().min(LOOKED_AT);
        while !start.is_char_boundary(end) {
            end -= 1;
        }
        let width = self.given.len();
        // A damaged row is met again, with its place.
        let _ = cells(
            &start[..end],
            self.delimiter,
            1,
            self.has_header,
            width,
            |_, n, cell| {
                found[n].add(0, cell);
            },
        );
        let found = found.iter().enumerate();
        let kinds = found.map(|(n, found)| match self.given[n] {
            Some(kind) => kind,
            None => self.kind(n, found).unwrap_or(Kind::Category),
        });
        kinds.map(Some).collect()
    }

    /// The types that all rows have, or why they have none.
    pub fn settled(&self, rows: usize, found: &[Found]) -> Result<Vec<Kind>> {
        if rows == 0 {
            return Err(Error::file(self.path, "has a header and no rows under it"));
        }
        let columns = self.names.iter().zip(found).enumerate();
        let kinds = columns.map(|(n, (name, found))| {
            let kind = self.kind(n, found);
            kind.map_err(|why| Error::file(self.path, format!("column `{name}`: {why}")))
        });
        kinds.collect()
    }

    /// The type of a column of which this was found, or why it has none.
    fn kind(&self, column: usize, found: &Found) -> Result<Kind, String> {
        let given = self.given[column];
        found.kind(given).map(|kind| match kind {
            Kind::Boolean if given.is_none() && self.as_written[column] => Kind::Category,
            kind => kind,
        })
    }

    /// How many rows there are, and the columns' parts.
    fn run(&self, blocks: Blocks) -> Result<(usize, Parts)> {
        let blocks = Mutex::new(Some(blocks));
        let read = self.some(&blocks, usize::MAX, |_, cells| cells);
        let mut parts: Parts = self
            .kinds
            .iter()
            .map(|_| Vec::with_capacity(read.len()))
            .collect();
        let mut rows = 0;
        for block in read {
            let (of_block, cells) = block?;
            rows += of_block;
            for (parts, part) in parts.iter_mut().zip(cells) {
                parts.extend(part);
            }
        }
        Ok((rows, parts))
    }

    /// The rows of the next blocks, of so many at most, and what `make` makes of their
    /// bytes and cells: none at the end. Behind an error nothing counts.
    pub fn some<T: Send>(
        &self,
        blocks: &Mutex<Option<Blocks>>,
        most: usize,
        make: impl Fn(usize, OfColumns) -> T + Sync,
    ) -> Vec<Result<(usize, T)>> {
        let (ended, first) = match &*lock(blocks) {
            Some(blocks) => (blocks.ended(), blocks.count()),
            None => return Vec::new(),
        };
        let threads = if ended { 1 } else { self.threads.max(1) };
        let last = first.saturating_add(most);
        let work = || {
            let mut read = Vec::new();
            loop {
                // Blocks are handed out in order, and after a bad one no more: the
                // first of the bad ones is always met.
                let next = match &mut *lock(blocks) {
                    Some(blocks) if blocks.count() < last => {
                        (blocks.count(), blocks.next(self.delimiter))
                    }
                    _ => return read,
                };
                let (number, block) = match next {
                    (_, Ok(None)) => return read,
                    (number, Ok(Some(block))) => {
                        let made = self.block(&block);
                        let length = block.length();
                        (
                            number,
                            made.map(|(rows, cells)| (rows, make(length, cells))),
                        )
                    }
                    (number, Err(error)) => (number, Err(error)),
                };
                if block.is_err() {
                    lock(blocks).take();
                }
                read.push((number, block));
            }
        };
        together(threads, work)
    }

    /// A block's rows, and what it has of each column.
    fn block(&self, block: &Block) -> Result<(usize, OfColumns)> {
        let text = block.text(self.path)?;
        // Blocks have about as many rows as the ones before.
        let rows = self.rows.load(Ordering::Relaxed);
        let kinds = self.kinds.iter();
        let mut parts: Vec<Option<Part>> = kinds.map(|k| k.map(|k| Part::new(k, rows))).collect();
        let header = self.has_header && block.number == 0;
        let width = parts.len();
        let read = cells(
            text,
            self.delimiter,
            block.line,
            header,
            width,
            |line, n, cell| {
                if let Some(part) = &mut parts[n] {
                    part.add(line, cell);
                }
            },
        );
        let rows = read.map_err(|ragged| {
            let s = if ragged.cells == 1 { "" } else { "s" };
            let problem = format!(
                "line {}: found {} cell{s}, expected {width} as in line 1: is a cell with \
                 `{}` in it not quoted?",
                ragged.line,
                ragged.cells,
                char::from(self.delimiter).escape_default()
            );
            Error::file(self.path, problem)
        })?;
        self.rows.fetch_max(rows, Ordering::Relaxed);
        let parts = parts.into_iter().map(|part| part.map(Part::done));
        Ok((rows, parts.collect()))
    }
}

/// What was found in each column that is read.
pub(super) type OfColumns = Vec<Option<(Cells, Found)>>;
