//! A Parquet file and its row groups, validated.

use super::super::arrow;
use super::super::typed::Making;
use super::super::{Cells, ReadTable};
use super::chunks::Chunks;
use crate::error::{Error, Result};
use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};
use ::parquet::file::reader::{ChunkReader, Length};
use arrow_array::RecordBatch;
use std::ops::Range;
use std::path::Path;

/// First and last bytes of a Parquet file.
const MAGIC: &[u8; 4] = b"PAR1";
/// Rows unpacked at a time.
pub(super) const ROWS: usize = 1 << 14;

/// A file whose column offsets were validated.
pub(super) struct Opened<'a> {
    pub path: &'a Path,
    chunks: Chunks,
    pub about: ArrowReaderMetadata,
    /// Number of rows before each group.
    pub before: Vec<usize>,
    pub rows: usize,
}

impl<'a> Opened<'a> {
    pub fn new(path: &'a Path) -> Result<Self> {
        let chunks = Chunks::open(path)?;
        let length = chunks.len();
        check_ends(path, &chunks)?;
        let about = ArrowReaderMetadata::load(&chunks, ArrowReaderOptions::new());
        let about = about.map_err(|error| failed(path, error))?;
        let groups = about.metadata().row_groups();
        let mut before = Vec::with_capacity(groups.len());
        let mut rows = 0_usize;
        for (n, group) in groups.iter().enumerate() {
            check_places(path, n, group, length)?;
            before.push(rows);
            let more = usize::try_from(group.num_rows()).ok();
            rows = more
                .and_then(|more| rows.checked_add(more))
                .filter(|&rows| u32::try_from(rows).is_ok())
                .ok_or_else(|| {
                    let rows = group.num_rows();
                    let problem = format!(
                        "row group {n} has {rows} rows, expected fewer than 2^32 in all groups"
                    );
                    Error::file(path, problem)
                })?;
        }
        Ok(Opened {
            path,
            chunks,
            about,
            before,
            rows,
        })
    }

    pub fn making(&self, options: &ReadTable) -> Result<Making> {
        let source = self.path.display().to_string();
        Making::new(&source, arrow::heads(self.about.schema()), options)
    }

    /// The rows of a group, in batches.
    pub fn each(
        &self,
        group: usize,
        options: &ReadTable,
        visit: &mut dyn FnMut(Vec<(String, Cells)>, usize) -> Result<()>,
    ) -> Result<()> {
        let mut before = self.before[group];
        let making = self.making(options)?;
        let looked_at = |n| making.is_read(n) && !making.is_ignored(n);
        // Wide tables have smaller batches.
        const CELLS: usize = 1 << 20;
        let columns = self.about.schema().fields().len();
        let rows = ROWS.min(CELLS / columns.max(1)).max(1);
        let mut read = self.group(group, rows, &looked_at)?;
        while let Some(batch) = read.next()? {
            let mut making = self.making(options)?;
            read.add(&batch, before, &mut making)?;
            before += batch.num_rows();
            visit(making.columns()?, before)?;
        }
        Ok(())
    }

    /// The bytes of those of a group's columns that are read.
    fn ranges(&self, group: usize, mask: &ProjectionMask) -> Vec<Range<u64>> {
        let columns = self.about.metadata().row_group(group).columns();
        let read = columns.iter().enumerate();
        let read = read.filter(|(leaf, _)| mask.leaf_included(*leaf));
        read.filter_map(|(_, column)| place(column)).collect()
    }

    /// Begins to read some columns of a group, `rows` rows at a time.
    pub fn group(
        &self,
        group: usize,
        rows: usize,
        looked_at: &dyn Fn(usize) -> bool,
    ) -> Result<Group<'_>> {
        let path = self.path;
        let all = 0..self.about.schema().fields().len();
        let (wanted, left): (Vec<usize>, Vec<usize>) = all.partition(|&n| looked_at(n));
        let mask = ProjectionMask::roots(self.about.parquet_schema(), wanted.iter().copied());
        let chunks = self.chunks.some(path, self.ranges(group, &mask))?;
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(chunks, self.about.clone())
            .with_row_groups(vec![group])
            .with_projection(mask)
            .with_batch_size(rows)
            .build();
        let promised = self.about.metadata().row_group(group).num_rows();
        Ok(Group {
            path,
            number: group,
            reader: reader.map_err(|error| failed(path, error))?,
            wanted,
            left,
            rows: 0,
            promised: usize::try_from(promised).unwrap_or_default(),
        })
    }
}

/// A row group being read.
pub(super) struct Group<'a> {
    path: &'a Path,
    number: usize,
    reader: ParquetRecordBatchReader,
    /// The columns that are read, and the others.
    wanted: Vec<usize>,
    left: Vec<usize>,
    rows: usize,
    promised: usize,
}

impl Group<'_> {
    fn wrong(&self, why: impl std::fmt::Display) -> Error {
        damaged(self.path, format!("row group {}: {why}", self.number))
    }

    /// The next batch.
    pub fn next(&mut self) -> Result<Option<RecordBatch>> {
        match self.reader.next() {
            Some(batch) => {
                let batch = batch.map_err(|error| self.wrong(error))?;
                self.rows += batch.num_rows();
                Ok(Some(batch))
            }
            None if self.rows == self.promised => Ok(None),
            None => {
                let (rows, promised) = (self.rows, self.promised);
                Err(self.wrong(format!("it has {rows} rows, expected {promised}")))
            }
        }
    }

    /// Adds a batch; `before` is the number of the file's rows before this group's.
    pub fn add(&self, batch: &RecordBatch, before: usize, making: &mut Making) -> Result<()> {
        for (array, &n) in batch.columns().iter().zip(&self.wanted) {
            arrow::add_column(making, n, array.as_ref(), before)?;
        }
        let missing = |&n: &usize| arrow::add_missing(making, n, batch.num_rows());
        self.left.iter().try_for_each(missing)
    }
}

/// Refuses column offsets outside of the file.
fn check_places(path: &Path, n: usize, group: &RowGroupMetaData, length: u64) -> Result<()> {
    for column in group.columns() {
        if place(column).is_none_or(|place| place.end > length) {
            let name = column.column_path().string();
            let problem = format!("row group {n}: column `{name}` is not within the file");
            return Err(damaged(path, problem));
        }
    }
    Ok(())
}

/// The bytes of a column, computed as in the library, which panics at negative numbers.
fn place(column: &ColumnChunkMetaData) -> Option<Range<u64>> {
    let start = column.dictionary_page_offset();
    let start = u64::try_from(start.unwrap_or(column.data_page_offset())).ok()?;
    let size = u64::try_from(column.compressed_size()).ok()?;
    Some(start..start.checked_add(size)?)
}

/// Refuses a file without the magic at its beginning and end.
fn check_ends(path: &Path, chunks: &Chunks) -> Result<()> {
    let length = chunks.len();
    if length == 0 {
        return Err(Error::file(path, "is empty, expected a Parquet file"));
    }
    let four = |start| {
        let bytes = chunks
            .get_bytes(start, 4)
            .map_err(|error| failed(path, error))?;
        Ok(<[u8; 4]>::try_from(&bytes[..]).unwrap_or_default())
    };
    let (start, end) = match length {
        12.. => (four(0)?, four(length - 4)?),
        _ => Default::default(),
    };
    let problem = match (&start, &end) {
        (MAGIC, MAGIC) => return Ok(()),
        (_, b"PARE") | (b"PARE", _) => {
            "is an encrypted Parquet file: write it without encryption, or export it as CSV"
        }
        (MAGIC, _) => {
            "is cut off: a Parquet file ends with PAR1, behind what says where its columns are: \
             copy or write it again"
        }
        _ => {
            "is no Parquet file, which begins with PAR1: is it a table of another kind? Its \
              name says what it is read as"
        }
    };
    Err(Error::file(path, problem))
}

pub(super) fn damaged(path: &Path, why: impl std::fmt::Display) -> Error {
    // The library's messages may contain whole schemas.
    let why: String = why.to_string().chars().take(200).collect();
    let problem = format!("is a damaged Parquet file, or of a kind that is not read: {why}");
    Error::file(path, problem.replace(char::is_control, " "))
}

/// The error of the library: of a damaged file, or of what could not be read.
fn failed(path: &Path, error: ParquetError) -> Error {
    match error {
        ParquetError::External(cause) => match cause.downcast() {
            Ok(error) => *error,
            Err(cause) => damaged(path, cause),
        },
        error => damaged(path, error),
    }
}
