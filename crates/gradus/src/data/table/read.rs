//! From a CSV file to a table, in one pass by all threads.

use super::gaps::Gaps;
use super::header::{Layout, delimiter, layout};
use super::infer::{Found, Said, Way};
use super::line;
use super::number::{COMMA_POINTS, NumberFormat};
use super::part::{Part, join};
use super::records::cells;
use super::source::{Block, Blocks};
use super::written::{Around, allowed};
use super::{Cells, Column, Kind, ReadTable, Reading, Table};
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
    let mut found: Vec<Found> = parts.iter_mut().map(found_in).collect();
    let settled = loop {
        let settled = pass.settled(rows, &found)?;
        // Where the first rows promised another type, those columns are read again.
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

/// What the parts of a column look like together.
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

/// The parts of each column, from the file's first block to its last.
type Parts = Vec<Vec<(Cells, Found)>>;

/// One reading of a file.
pub(super) struct Pass<'a> {
    path: &'a Path,
    delimiter: u8,
    /// The columns' names, and whether they are in the file.
    pub layout: Layout,
    threads: usize,
    options: &'a ReadTable,
    gaps: Gaps,
    /// What was said of each column.
    said: Vec<Said>,
    /// As what each column is read; a column without is passed over.
    pub ways: Vec<Option<Way>>,
    /// The most rows that a block had.
    rows: AtomicUsize,
}

/// What all rows say of the columns.
pub(super) struct Settled {
    /// As what each is to be read.
    pub ways: Vec<Option<Way>>,
    /// As what each would be read if nothing were said of it.
    pub own: Vec<Option<Way>>,
    /// What is to be said of each.
    pub readings: Vec<Reading>,
    /// Whether some columns are to be read once more before all is settled.
    pub open: bool,
}

impl<'a> Pass<'a> {
    /// Opens a file, and sees from its first rows what to expect.
    pub fn begin(
        path: &'a Path,
        options: &'a ReadTable,
        threads: usize,
        block: usize,
    ) -> Result<(Self, Blocks<'a>)> {
        let blocks = Blocks::open(path, block)?;
        let start = blocks.start()?;
        let delimiter = delimiter(start);
        let layout = layout(path, start, delimiter, options)?;
        line::remember(path, layout.header);
        for name in options.kinds.keys() {
            if !layout.names.contains(name) {
                let known = layout.names.iter().map(String::as_str);
                let at = match (&layout.note, layout.header) {
                    (Some(note), false) => format!("{}: {note}", path.display()),
                    _ => path.display().to_string(),
                };
                return Err(Error::unknown(&at, "column", name, known));
            }
        }
        let said = layout.names.iter().map(|name| Said {
            kind: options.kinds.get(name).copied(),
            format: options.formats.get(name).copied(),
        });
        let mut pass = Pass {
            path,
            delimiter,
            threads,
            options,
            gaps: Gaps::new(options.text.missing_values.as_ref()),
            said: said.collect(),
            layout,
            ways: Vec::new(),
            rows: AtomicUsize::new(0),
        };
        pass.ways = pass.expected(start);
        Ok((pass, blocks))
    }

    /// As what the first rows promise to be read.
    fn expected(&self, start: &str) -> Vec<Option<Way>> {
        let mut found: Vec<Found> = self.said.iter().map(|_| Found::default()).collect();
        let mut end = start.len().min(LOOKED_AT);
        while !start.is_char_boundary(end) {
            end -= 1;
        }
        let width = self.said.len();
        // A damaged row is met again, with its place.
        let _ = cells(
            &start[..end],
            self.delimiter,
            1,
            self.layout.header,
            width,
            |_, n, cell| {
                found[n].add(0, cell, &self.gaps);
            },
        );
        let around = self.around(&found);
        let found = found.iter().zip(&self.said);
        let ways = found.map(|(found, &said)| match found.way(said, &around) {
            Ok((way, _)) => way,
            Err(_) => Way {
                kind: said.kind.unwrap_or(Kind::Category),
                format: said.format.unwrap_or_default(),
            },
        });
        ways.map(Some).collect()
    }

    /// What is known beside a column's cells.
    fn around(&self, found: &[Found]) -> Around {
        let looked_at = |name: &String| !self.options.ignored.contains(name);
        let columns = self.layout.names.iter().zip(found).zip(&self.said);
        let clear = columns
            .filter(|((name, found), said)| looked_at(name) && found.is_number(said))
            .map(|((_, found), _)| found.numbers.clear());
        let mut around = Around {
            delimiter: self.delimiter,
            allowed: allowed(&self.options.text),
            point: false,
            comma: false,
        };
        for (point, comma) in clear {
            around.point |= point;
            around.comma |= comma;
        }
        around
    }

    /// What all rows say, or why they cannot be read.
    pub fn settled(&self, rows: usize, found: &[Found]) -> Result<Settled> {
        if rows == 0 {
            return Err(Error::file(self.path, "has a header and no rows under it"));
        }
        let around = self.around(found);
        let columns = self.layout.names.iter().zip(found).zip(&self.said);
        let is_open = |found: &Found, said: &Said| {
            said.format.is_none() && found.is_number(said) && found.numbers.is_open(&around)
        };
        let mut settled = Settled {
            open: columns
                .clone()
                .any(|((_, found), said)| is_open(found, said)),
            ways: Vec::new(),
            own: Vec::new(),
            readings: Vec::new(),
        };
        if settled.open {
            // Read in any format but the plain one, all that they can be is counted.
            let counted = |found: &Found, said: &Said| {
                let chosen = found.way(*said, &around).ok().map(|(way, _)| way.format);
                let other = NumberFormat::of(COMMA_POINTS, None);
                Way {
                    kind: Kind::Number,
                    format: chosen.filter(|f| !f.is_plain()).unwrap_or(other),
                }
            };
            let ways = columns.zip(&self.ways);
            let ways = ways.map(|(((_, found), said), &way)| match is_open(found, said) {
                true => Some(counted(found, said)),
                false => way,
            });
            settled.ways = ways.collect();
            return Ok(settled);
        }
        for ((name, found), &said) in columns {
            let way = found.way(said, &around);
            let (way, guess) = way.map_err(|why| {
                let row = match (why.starts_with("line 1 has"), self.layout.header) {
                    (true, false) => {
                        "; line 1 is taken as a row: `data.header = true` makes it \
                                      the columns' names"
                    }
                    _ => "",
                };
                Error::file(self.path, format!("column `{name}`: {why}{row}"))
            })?;
            settled.ways.push(Some(way));
            settled.own.push(match said {
                Said {
                    kind: None,
                    format: None,
                } => Some(way),
                _ => {
                    let own = found.way(Said::default(), &around);
                    own.ok().map(|(way, _)| way)
                }
            });
            settled.readings.push(Reading {
                format: way.format,
                guess,
                gaps: found.gaps(way.kind),
            });
        }
        Ok(settled)
    }

    /// The ways in which columns are to be read that were read in another.
    fn again(&self, settled: &Settled) -> Vec<Option<Way>> {
        let ways = settled.ways.iter().zip(&self.ways);
        let ways = ways.map(|(&way, was)| way.filter(|way| *was != Some(*way)));
        ways.collect()
    }

    /// How many columns there are without the last ones, if these have neither a name nor a
    /// cell.
    pub fn kept(&self, found: &[Found]) -> usize {
        let all = self.layout.names.len();
        let may_go = |n: &usize| {
            let is_asked_for = self.options.kinds.contains_key(&self.layout.names[*n]);
            found[*n].is_empty() && !is_asked_for
        };
        let last = (1..all).rev().take(self.layout.nameless);
        all - last.take_while(may_go).count()
    }

    /// How many rows there are, and the columns' parts.
    fn run(&self, blocks: Blocks) -> Result<(usize, Parts)> {
        let blocks = Mutex::new(Some(blocks));
        let read = self.some(&blocks, usize::MAX, |_, cells| cells);
        let mut parts: Parts = self
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
        let ways = self.ways.iter();
        let part = |way| Part::new(way, &self.gaps, rows);
        let mut parts: Vec<Option<Part<'_>>> = ways.map(|way| way.map(part)).collect();
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
        let parts = parts.into_iter().map(|part| part.map(Part::done));
        Ok((rows, parts.collect()))
    }
}

/// What was found in each column that is read.
pub(super) type OfColumns = Vec<Option<(Cells, Found)>>;
