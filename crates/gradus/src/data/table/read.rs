//! From a CSV file to a table, in one pass by all threads.

use super::block_column::{BlockColumn, join};
use super::gaps::Gaps;
use super::header::{Layout, layout};
use super::infer::{Found, Said, Way};
use super::line;
use super::records::cells;
use super::source::{Block, Blocks};
use super::written::allowed;
use super::{Cells, Column, ReadTable, Table};
use crate::base::threads::{lock, parallel, threads, together};
use crate::error::{Error, Result};
use std::collections::HashSet;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes of the file that a thread reads at a time.
const BLOCK: usize = 4 << 20;

/// The table of a CSV file, read by all threads.
pub(super) fn read(path: &Path, options: &ReadTable) -> Result<Table> {
    read_by(path, options, threads(), BLOCK)
}

/// The bytes of the first block that tell which types to expect.
pub(super) const LOOKED_AT: usize = 1 << 20;

/// The names of the columns, from the first block.
pub(super) fn column_names(path: &Path) -> Result<Vec<String>> {
    let options = ReadTable::default();
    let (pass, _) = Pass::begin(path, &options, 1, LOOKED_AT)?;
    Ok(pass.layout.names)
}

/// The same, with this number of threads and block size.
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
    let mut found: Vec<Found> = parts.iter_mut().map(found_in).collect();
    let settled = loop {
        let settled = pass.settled(rows, &found)?;
        // Columns whose type was mispredicted from the first rows are read again.
        pass.ways = pass.again(&settled);
        if pass.ways.iter().all(Option::is_none) {
            break settled;
        }
        let (rows_again, read) = pass.run(Blocks::open(path, block)?)?;
        if rows_again != rows {
            return Err(changed(path));
        }
        let columns = parts.iter_mut().zip(&mut found).zip(read);
        for ((parts, found), mut read) in columns.filter(|(_, read)| !read.is_empty()) {
            *found = found_in(&mut read);
            *parts = read;
        }
        pass.ways.clone_from(&settled.ways);
        if !settled.open {
            break settled;
        }
    };
    let ways: Vec<Way> = settled.ways.iter().flatten().copied().collect();
    let making = ways.into_iter().zip(parts);
    let making: Vec<Mutex<Option<_>>> = making.map(|column| Mutex::new(Some(column))).collect();
    let columns = parallel(threads, making.len(), |n| {
        let (way, parts) = lock(&making[n]).take()?;
        Some(join(way.kind, rows, parts.into_iter().map(|part| part.0)))
    });
    let kept = pass.kept(&found);
    let columns = pass
        .layout
        .names
        .into_iter()
        .zip(columns)
        .zip(settled.readings);
    let columns = columns.take(kept).map(|((name, cells), reading)| Column {
        name,
        cells,
        reading,
    });
    Ok(Table {
        name: path.display().to_string(),
        rows,
        columns: columns.collect(),
        note: pass.layout.note,
    })
}

/// The combined statistics of a column's shares.
fn found_in(parts: &mut Vec<(Cells, Found)>) -> Found {
    let mut whole = Found::default();
    for (_, found) in parts {
        whole.append(std::mem::take(found));
    }
    whole
}

pub(super) fn too_many(path: &Path, rows: usize) -> Error {
    Error::file(path, format!("has {rows} rows, expected fewer than 2^32"))
}

pub(super) fn changed(path: &Path) -> Error {
    Error::file(path, "was changed while it was read")
}

/// The shares of each column, from the file's first block to its last.
type BlockColumns = Vec<Vec<(Cells, Found)>>;

/// One reading of a file.
pub(super) struct Pass<'a> {
    pub path: &'a Path,
    pub delimiter: u8,
    /// The columns' names, and true if they are in the file.
    pub layout: Layout,
    threads: usize,
    pub options: &'a ReadTable,
    pub gaps: Gaps,
    /// The options of each column.
    pub said: Vec<Said>,
    /// The possible formats of each column's numbers.
    pub allowed: Vec<u8>,
    /// The way to read each column; `None` skips it.
    pub ways: Vec<Option<Way>>,
    /// The most rows of a block so far.
    rows: AtomicUsize,
}

impl<'a> Pass<'a> {
    /// Opens a file, and predicts types from its first rows.
    pub fn begin(
        path: &'a Path,
        options: &'a ReadTable,
        threads: usize,
        block: usize,
    ) -> Result<(Self, Blocks<'a>)> {
        let blocks = Blocks::open(path, block)?;
        let start = blocks.start()?;
        let delimiter = blocks.delimiter()?;
        let layout = layout(path, start, delimiter, options)?;
        line::remember(path, layout.header);
        let known = || layout.names.iter().map(String::as_str);
        let at = match (&layout.note, layout.header) {
            (Some(note), false) => format!("{}: {note}", path.display()),
            _ => path.display().to_string(),
        };
        let of_numbers = options.text.columns();
        let of_numbers = of_numbers.map(|(key, name)| (format!("data.{key}"), name));
        let named = options.kinds.keys().chain(options.dates.keys());
        let named = named.map(|name| (at.clone(), name));
        let there: HashSet<&String> = layout.names.iter().collect();
        for (at, name) in of_numbers.chain(named) {
            if !there.contains(name) {
                return Err(Error::unknown(&at, "column", name, known()));
            }
        }
        let said = layout.names.iter().map(|name| Said {
            kind: options.given(name),
            format: options.formats.get(name).copied(),
            dates: options.dates.get(name).copied(),
            date_format: options.date_format,
            as_written: options.as_written.contains(name),
        });
        let names = layout.names.iter();
        let allowed = names.map(|name| allowed(options.text.separators(name)));
        let mut pass = Pass {
            path,
            delimiter,
            threads,
            options,
            gaps: Gaps::new(options.text.missing_values.as_ref()),
            said: said.collect(),
            allowed: allowed.collect(),
            layout,
            ways: Vec::new(),
            rows: AtomicUsize::new(0),
        };
        pass.ways = pass.expected(start);
        Ok((pass, blocks))
    }

    /// The number of rows, and the columns' shares.
    fn run(&self, blocks: Blocks) -> Result<(usize, BlockColumns)> {
        let blocks = Mutex::new(Some(blocks));
        let read = self.some(&blocks, usize::MAX, |_, cells| cells);
        let mut parts: BlockColumns = self
            .ways
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

    /// The rows of the next blocks, up to `most`, and the results of `make` for their bytes and
    /// cells; none at the end. Nothing after an error counts.
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
                // Blocks are handed out in order, and none after a bad one: the first bad one is
                // always found.
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

    /// A block's rows, and its share of each column.
    fn block(&self, block: &Block) -> Result<(usize, OfColumns)> {
        let text = block.text(self.path)?;
        // Blocks have about equally many rows.
        let rows = self.rows.load(Ordering::Relaxed);
        let ways = self.ways.iter().zip(&self.said);
        let part = |(way, said): (&Option<Way>, &Said)| {
            way.map(|way| BlockColumn::new(way, said, &self.gaps, rows))
        };
        let mut parts: Vec<Option<BlockColumn<'_>>> = ways.map(part).collect();
        let header = self.layout.header && block.number == 0;
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
        let parts = parts.into_iter().map(|part| part.map(BlockColumn::done));
        Ok((rows, parts.collect()))
    }
}

/// The cells and statistics of each column that is read.
pub(super) type OfColumns = Vec<Option<(Cells, Found)>>;
