//! Making of a copy: block by block of a CSV file, some rows at a time of a Parquet file.

#[cfg(feature = "parquet")]
use super::super::Reading;
use super::super::header::layout;
use super::super::infer::Found;
use super::super::infer::Way;
use super::super::path::is_parquet;
use super::super::read::{Pass, changed, too_many};
use super::super::settle::Settled;
use super::super::source::Blocks;
use super::super::{Cells, ReadTable, line};
use super::encode::{Encoded, encode};
use super::open::{Size, finish};
use super::progress::OnCopy;
use super::{About, Copied, MAGIC, OfColumn, Origin};
use crate::base::atomic_file::fill_atomic;
use crate::base::threads::threads;
use crate::error::{Error, Result};
use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

impl Copied {
    /// The copy of a table for these `options`: the existing one, or a new one, made within
    /// `memory` bytes.
    pub fn of(
        table: &Path,
        options: &ReadTable,
        memory: u64,
        on_copy: OnCopy<'_>,
    ) -> Result<Copied> {
        let origin = Origin::of(table)?;
        let path = origin.copy()?;
        let there = Copied::open(path.clone(), &origin);
        let names = match is_parquet(table) {
            true => None,
            false => Some(names(table, options)?),
        };
        if let Some(there) = there.filter(|there| there.serves(options, names.as_deref())) {
            return Ok(there);
        }
        if let Some(folder) = path.parent() {
            let made = std::fs::create_dir_all(folder);
            made.map_err(|cause| Error::io("create", folder, cause))?;
            remove_left(folder, &path);
        }
        let making = Making {
            table,
            options,
            memory,
            on_copy,
            origin: &origin,
            path: &path,
        };
        match is_parquet(table) {
            true => making.parquet()?,
            false => making.csv()?,
        }
        let made = Copied::open(path.clone(), &Origin::of(table)?);
        made.ok_or_else(|| changed(table))
    }
}

/// The names of a text file's columns under the current options.
fn names(table: &Path, options: &ReadTable) -> Result<Vec<String>> {
    const START: usize = 64 << 10;
    let blocks = Blocks::open(table, START)?;
    let start = blocks.start()?;
    let layout = layout(table, start, blocks.delimiter()?, options)?;
    line::remember(table, layout.header);
    Ok(layout.names)
}

/// Removes the unfinished copies of killed processes: files that nobody has written to for a while.
pub(super) fn remove_left(folder: &Path, copy: &Path) {
    const OLD: Duration = Duration::from_secs(600);
    let name = copy.file_name().unwrap_or_default().to_string_lossy();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let left = entry.file_name().to_string_lossy().into_owned();
        let is_old = || {
            let age = entry.metadata().ok()?.modified().ok()?.elapsed().ok()?;
            Some(age > OLD)
        };
        let is_its = left.starts_with(&format!(".{name}.")) && left.ends_with(".tmp");
        if is_its && is_old() == Some(true) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// The inputs of a copy.
pub(super) struct Making<'a> {
    pub table: &'a Path,
    pub options: &'a ReadTable,
    pub memory: u64,
    pub on_copy: OnCopy<'a>,
    pub origin: &'a Origin,
    pub path: &'a Path,
}

/// A copy's file, as far as it is written.
struct Writer<'a> {
    file: &'a mut BufWriter<File>,
    path: &'a Path,
    sizes: Vec<Size>,
    rows: usize,
    /// Bytes of each column's texts.
    texts: Vec<u64>,
}

impl Writer<'_> {
    fn add(&mut self, chunks: Vec<Encoded>) -> Result<()> {
        for Encoded { rows, bytes, texts } in chunks {
            let written = self.file.write_all(&bytes);
            written.map_err(|cause| Error::io("write", self.path, cause))?;
            self.sizes.push((rows as u32, bytes.len() as u64));
            self.rows += rows;
            self.texts.resize(texts.len(), 0);
            let sums = self.texts.iter_mut().zip(texts);
            sums.for_each(|(sum, more)| *sum += more);
        }
        Ok(())
    }
}

impl Making<'_> {
    /// Copies a CSV file with the types predicted from the first rows; if these turn out wrong,
    /// once more.
    pub fn csv(&self) -> Result<()> {
        /// Memory for the text of a block, its cells, and their encoding.
        const SHARE: u64 = 16;
        const BLOCK: std::ops::RangeInclusive<u64> = (64 << 10)..=(4 << 20);
        let most = (self.memory / SHARE / BLOCK.start()).clamp(1, threads() as u64);
        let block = (self.memory / SHARE / most).clamp(*BLOCK.start(), *BLOCK.end()) as usize;
        let (mut pass, mut blocks) = Pass::begin(self.table, self.options, most as usize, block)?;
        let ignored = |name: &String| self.options.ignores(name);
        for (way, name) in pass.ways.iter_mut().zip(&pass.layout.names) {
            way.take_if(|_| ignored(name));
        }
        // The decision by all rows, once it is known.
        let mut known: Option<Settled> = None;
        loop {
            let mut ways = None;
            let written = self.write(|to| {
                let found = self.copy_blocks(&pass, blocks, 2 * most as usize, to)?;
                let settled = match known.take() {
                    Some(known) => known,
                    None => pass.settled(to.rows, &found)?,
                };
                let wanted = settled.ways.iter().zip(&pass.layout.names);
                let wanted: Vec<Option<Way>> = wanted
                    .map(|(way, name)| way.filter(|_| !ignored(name)))
                    .collect();
                let kept = pass.kept(&found);
                if wanted != pass.ways {
                    ways = Some(wanted);
                    known = (!settled.open).then_some(settled);
                    return Err(changed(self.table));
                }
                let of = settled.own.into_iter().zip(settled.readings);
                let columns = pass.layout.names.iter().zip(&pass.ways).zip(of);
                let columns = columns.enumerate();
                let column = columns.map(|(n, ((name, way), (own, reading)))| OfColumn {
                    name: name.clone(),
                    way: *way,
                    own: own.filter(|_| way.is_some()),
                    said: pass.said[n].dates,
                    reading,
                    left: n >= kept,
                    texts: 0,
                });
                Ok((column.collect(), pass.layout.note.clone()))
            });
            let Some(ways) = ways else {
                return written;
            };
            pass.ways = ways;
            blocks = Blocks::open(self.table, block)?;
        }
    }

    /// Writes all blocks, and returns the columns' statistics.
    fn copy_blocks(
        &self,
        pass: &Pass<'_>,
        blocks: Blocks<'_>,
        at_once: usize,
        to: &mut Writer<'_>,
    ) -> Result<Vec<Found>> {
        let names = pass.layout.names.iter();
        let mut found: Vec<Found> = names.map(|_| Found::default()).collect();
        let blocks = Mutex::new(Some(blocks));
        let mut done = 0;
        loop {
            let read = pass.some(&blocks, at_once, |length, cells| {
                let (cells, found): (Vec<Cells>, Vec<Option<Found>>) = {
                    let mut kept = Vec::new();
                    let found = cells.into_iter().map(|part| {
                        part.map(|(cells, found)| {
                            kept.push(cells);
                            found
                        })
                    });
                    let found = found.collect();
                    (kept, found)
                };
                (length, encode(&cells), found)
            });
            if read.is_empty() {
                return Ok(found);
            }
            for block in read {
                let (_, (length, chunks, of_block)) = block?;
                for (whole, part) in found.iter_mut().zip(of_block) {
                    part.into_iter().for_each(|part| whole.append(part));
                }
                to.add(chunks)?;
                done += length as u64;
            }
            if u32::try_from(to.rows).is_err() {
                return Err(too_many(self.table, to.rows));
            }
            self.on_copy.call(self.table, done, self.origin.bytes);
        }
    }

    /// A Parquet file declares its columns.
    #[cfg(feature = "parquet")]
    fn parquet(&self) -> Result<()> {
        use super::super::typed::is_timed;
        use super::super::{Kind, header, parquet};
        let heads = parquet::heads(self.table)?;
        let mut own: Vec<Option<Kind>> = heads.iter().map(|head| head.kind).collect();
        let mut timed = vec![false; own.len()];
        let names = heads.iter().enumerate();
        let names: Vec<String> = names.map(|(n, h)| header::named(n, &h.name)).collect();
        let ignored = |name: &String| self.options.ignores(name);
        let (rows, _) = parquet::size(self.table)?;
        self.write(|to| {
            parquet::each(self.table, self.options, &mut |columns, done| {
                for ((_, cells), timed) in columns.iter().zip(&mut timed) {
                    if let Cells::DateTime(all) = cells {
                        *timed |= is_timed(all);
                    }
                }
                let looked_at = columns.into_iter().filter(|(name, _)| !ignored(name));
                let cells: Vec<Cells> = looked_at.map(|(_, cells)| cells).collect();
                to.add(encode(&cells))?;
                self.on_copy.call(self.table, done as u64, rows as u64);
                Ok(())
            })?;
            if to.rows == 0 {
                return Err(Error::file(self.table, "has columns and no rows"));
            }
            // Times that are all midnight are dates.
            for (own, timed) in own.iter_mut().zip(&timed) {
                if *own == Some(Kind::DateTime) && !timed {
                    *own = Some(Kind::Date);
                }
            }
            let columns = names.iter().zip(&own).map(|(name, &own)| OfColumn {
                name: name.clone(),
                way: match self.options.kinds.get(name) {
                    _ if ignored(name) => None,
                    given => given.copied().or(own).map(|kind| Way {
                        kind,
                        format: self.options.formats.get(name).copied().unwrap_or_default(),
                        dates: self.options.dates.get(name).copied().unwrap_or_default(),
                    }),
                },
                own: own.map(Way::plain),
                said: self.options.dates.get(name).copied(),
                reading: Reading::default(),
                left: false,
                texts: 0,
            });
            Ok((columns.collect(), None))
        })
    }

    #[cfg(not(feature = "parquet"))]
    fn parquet(&self) -> Result<()> {
        // Reading it reports the error.
        super::super::Table::read(self.table, self.options).map(drop)
    }

    /// Writes a copy of the columns that `fill` encodes.
    fn write(
        &self,
        fill: impl FnOnce(&mut Writer<'_>) -> Result<(Vec<OfColumn>, Option<String>)>,
    ) -> Result<()> {
        let failed = |cause| Error::io("write", self.path, cause);
        let written = fill_atomic(self.path, |file| {
            file.write_all(MAGIC).map_err(failed)?;
            let mut to = Writer {
                file,
                path: self.path,
                sizes: Vec::new(),
                rows: 0,
                texts: Vec::new(),
            };
            let (mut columns, note) = fill(&mut to)?;
            let stored = columns.iter_mut().filter(|column| column.way.is_some());
            for (column, texts) in stored.zip(&to.texts) {
                column.texts = *texts;
            }
            let about = About {
                columns,
                date_format: self.options.date_format,
                origin: self.origin.clone(),
                note,
                text: self.options.text.clone(),
            };
            finish(to.file, &about, &to.sizes).map_err(failed)
        });
        written.map_err(|error| match &error {
            Error::Io { cause, .. } if cause.kind() == ErrorKind::StorageFull => {
                let problem = format!(
                    "no space is left for the binary copy of {}, which is about as large as the \
                     table: make room, or set XDG_CACHE_HOME to a folder on another disk",
                    self.origin.name
                );
                Error::file(self.path, problem)
            }
            _ => error,
        })
    }
}
