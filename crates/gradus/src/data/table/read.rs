//! From a file to a table, in one pass by all threads.

use super::header::{delimiter, names};
use super::infer::Found;
use super::part::{Part, join};
use super::records::cells;
use super::source::{Block, Blocks};
use super::{Cells, Column, Kind, ReadTable, Table};
use crate::base::threads::{lock, threads, together};
use crate::error::{Error, Result};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many bytes of the file a thread reads at a time.
const BLOCK: usize = 4 << 20;
/// How many bytes of the first block tell what types to expect.
const LOOKED_AT: usize = 1 << 20;

impl Table {
    /// Reads a CSV or TSV file: UTF-8 with or without a byte order mark, any
    /// line ends, delimited by commas, semicolons, tabs or bars, quoted with
    /// `"`. The first row is a header if all its cells are different texts, or if
    /// some are numbers and no fewer are texts above nothing but numbers or dates.
    ///
    /// A column's type is the narrowest of number, boolean and date that all
    /// its cells have, else category. Cells that are empty or `NA`, `N/A`,
    /// `NaN`, `null`, `None` or `?` are missing. A single text among numbers, or few of
    /// them, is an error that names its line, unless `options` says what the column is.
    ///
    /// As many threads read as [`set_threads`](crate::set_threads) allows; the table is
    /// the same on any number of them. In memory is
    /// the table, twice while its blocks are put together, and for each thread 4 MiB of
    /// the file. A record (a quoted cell may span lines) is of 64 MiB at most.
    pub fn read(path: impl AsRef<Path>, options: &ReadTable) -> Result<Table> {
        read_by(path.as_ref(), options, threads(), BLOCK)
    }
}

/// The same error, with the line of the table in `path` in place of the row.
pub(in crate::data) fn with_line(path: &Path, error: Error) -> Error {
    match error {
        Error::Data {
            source_name,
            row: Some(row),
            column,
            found,
            expected,
        } => {
            let line = line_of(path, row);
            Error::Data {
                source_name: match line {
                    Some(line) => format!("{source_name}, line {line}"),
                    None => source_name,
                },
                row: if line.is_some() { None } else { Some(row) },
                column,
                found,
                expected,
            }
        }
        other => other,
    }
}

/// The line that a row begins in, counted from 1: the table is read again for it, since
/// hardly any is ever asked for.
fn line_of(path: &Path, row: usize) -> Option<usize> {
    let mut blocks = Blocks::open(path, BLOCK).ok()?;
    let start = blocks.start().ok()?;
    let delimiter = delimiter(start);
    let (names, has_header) = names(path, start, delimiter).ok()?;
    let (mut rows, mut found) = (0, None);
    while let (None, Some(block)) = (found, blocks.next(delimiter).ok()?) {
        let header = has_header && block.number == 0;
        let text = block.text(path).ok()?;
        let see = |line: usize, column: usize, _: &str| {
            if column == 0 {
                if rows == row {
                    found = Some(line);
                }
                rows += 1;
            }
        };
        cells(text, delimiter, block.line, header, names.len(), see).ok()?;
    }
    found
}

/// What [`Table::read`] does, on so many threads, in blocks of so many bytes.
pub(super) fn read_by(
    path: &Path,
    options: &ReadTable,
    threads: usize,
    block: usize,
) -> Result<Table> {
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
    let given: Vec<Option<Kind>> = names
        .iter()
        .map(|n| options.kinds.get(n).copied())
        .collect();
    let mut pass = Pass {
        path,
        delimiter,
        has_header,
        threads,
        kinds: Vec::new(),
    };
    pass.kinds = pass.expected(start, &given);
    let (rows, mut parts) = pass.run(blocks)?;
    if rows == 0 {
        return Err(Error::file(path, "has a header and no rows under it"));
    }
    if u32::try_from(rows).is_err() {
        let problem = format!("has {rows} rows, expected fewer than 2^32");
        return Err(Error::file(path, problem));
    }
    let mut kinds = Vec::with_capacity(names.len());
    for ((name, parts), given) in names.iter().zip(&mut parts).zip(given) {
        let mut whole = Found::default();
        for (_, found) in &mut *parts {
            whole.append(std::mem::take(found));
        }
        let kind = whole.kind(given);
        kinds.push(kind.map_err(|why| Error::file(path, format!("column `{name}`: {why}")))?);
    }
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
            return Err(Error::file(path, "was changed while it was read"));
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
    let columns = names.into_iter().zip(columns);
    Ok(Table {
        name: path.display().to_string(),
        rows,
        columns: columns
            .map(|(name, cells)| Column { name, cells })
            .collect(),
    })
}

/// The parts of each column, from the file's first block to its last.
type Parts = Vec<Vec<(Cells, Found)>>;

/// One reading of a file.
struct Pass<'a> {
    path: &'a Path,
    delimiter: u8,
    has_header: bool,
    threads: usize,
    /// As what each column is read; a column without is passed over.
    kinds: Vec<Option<Kind>>,
}

impl Pass<'_> {
    /// The types that the first rows promise.
    fn expected(&self, start: &str, given: &[Option<Kind>]) -> Vec<Option<Kind>> {
        let mut found: Vec<Found> = given.iter().map(|_| Found::default()).collect();
        let mut end = start.len().min(LOOKED_AT);
        while !start.is_char_boundary(end) {
            end -= 1;
        }
        let width = given.len();
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
        let found = found.iter().zip(given);
        let kinds = found.map(|(found, &given)| match given {
            Some(kind) => kind,
            None => found.kind(None).unwrap_or(Kind::Category),
        });
        kinds.map(Some).collect()
    }

    /// How many rows there are, and the columns' parts.
    fn run(&self, blocks: Blocks) -> Result<(usize, Parts)> {
        let threads = if blocks.ended() {
            1
        } else {
            self.threads.max(1)
        };
        let blocks = Mutex::new(Some(blocks));
        let rows_before = AtomicUsize::new(0);
        let work = || {
            let mut read = Vec::new();
            loop {
                // Blocks are handed out in order, and after a bad one no more: the
                // first of the bad ones is always met.
                let next = match &mut *lock(&blocks) {
                    Some(blocks) => (blocks.count(), blocks.next(self.delimiter)),
                    None => return read,
                };
                let (number, block) = match next {
                    (_, Ok(None)) => return read,
                    (number, Ok(Some(block))) => (number, self.block(&block, &rows_before)),
                    (number, Err(error)) => (number, Err(error)),
                };
                if block.is_err() {
                    lock(&blocks).take();
                }
                read.push((number, block));
            }
        };
        let read = together(threads, work);
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

    /// A block's rows, and what it has of each column.
    fn block(&self, block: &Block, rows_before: &AtomicUsize) -> Result<(usize, OfColumns)> {
        let text = block.text(self.path)?;
        // Blocks have about as many rows as the ones before.
        let rows = rows_before.load(Ordering::Relaxed);
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
        rows_before.fetch_max(rows, Ordering::Relaxed);
        let parts = parts.into_iter().map(|part| part.map(Part::done));
        Ok((rows, parts.collect()))
    }
}

/// What was found in each column that is read.
type OfColumns = Vec<Option<(Cells, Found)>>;

/// The results of so many tasks, done by so many threads, in their order.
fn parallel<T: Send>(
    threads: usize,
    tasks: usize,
    task: impl Fn(usize) -> Option<T> + Sync,
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mine = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        let mine = mine.take_while(|&n| n < tasks);
        mine.filter_map(|n| Some((n, task(n)?))).collect::<Vec<_>>()
    };
    together(threads.min(tasks), work)
}
