//! Parquet files: row groups are read by all threads, each into its share of every
//! column.

use super::part::join;
use super::read::parallel;
use super::typed::{Making, whole};
use super::{Cells, ReadTable, Table, arrow};
use crate::base::threads::{lock, threads};
use crate::error::{Error, Result};
use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use ::parquet::file::metadata::RowGroupMetaData;
use std::cell::Cell;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::path::Path;
use std::sync::{Mutex, Once};

/// What a Parquet file begins and ends with.
const MAGIC: &[u8; 4] = b"PAR1";
/// So many rows are unpacked at a time.
const ROWS: usize = 1 << 14;

/// The table of a Parquet file.
pub(super) fn read(path: &Path, options: &ReadTable) -> Result<Table> {
    let failed = |cause| Error::io("read", path, cause);
    let file = File::open(path).map_err(failed)?;
    let about = file.metadata().map_err(failed)?;
    if !about.is_file() {
        let problem = match about.is_dir() {
            true => "is a folder, expected a Parquet file",
            false => "is no ordinary file, expected a Parquet file",
        };
        return Err(Error::file(path, problem));
    }
    check_ends(path, &file, about.len())?;
    guarded(path, || read_file(path, &file, about.len(), options))
}

/// What `read` gives. Of 11,000 damaged files the library panicked at 15, where it had
/// promised errors: slices out of range, deep within its decoders. That is the file's
/// fault as well, and nobody wants to read of it twice: what this thread panics at
/// here is not printed.
fn guarded<T>(path: &Path, read: impl FnOnce() -> Result<T>) -> Result<T> {
    thread_local! {
        static QUIET: Cell<bool> = const { Cell::new(false) };
    }
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |about| {
            // Other threads, and this one elsewhere, are heard as ever.
            if !QUIET.with(Cell::get) {
                before(about);
            }
        }));
    });
    let was = QUIET.replace(true);
    let read = catch_unwind(AssertUnwindSafe(read));
    QUIET.set(was);
    read.unwrap_or_else(|_| Err(damaged(path, "its pages do not hold what they promise")))
}

fn read_file(path: &Path, file: &File, length: u64, options: &ReadTable) -> Result<Table> {
    let wrong = |error| damaged(path, error);
    let about = ArrowReaderMetadata::load(file, ArrowReaderOptions::new()).map_err(wrong)?;
    let source = path.display().to_string();
    let making = || Making::new(&source, arrow::heads(about.schema()), options);
    // Refused at once, whatever is in the rows.
    drop(making()?);
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
    let group = |n: usize| -> Result<Vec<(String, Cells)>> {
        let mut making = making()?;
        read_group(path, &about, n, before[n], &mut making)?;
        making.columns()
    };
    // After a bad group no more are begun; the first of the bad ones is always met.
    let bad = Mutex::new(usize::MAX);
    let read = parallel(threads(), groups.len(), |n| {
        if *lock(&bad) < n {
            return None;
        }
        let read = guarded(path, || group(n));
        if read.is_err() {
            let mut bad = lock(&bad);
            *bad = n.min(*bad);
        }
        Some(read)
    });
    together(source, read)
}

/// One table of the groups' columns.
fn together(source: String, groups: Vec<Result<Vec<(String, Cells)>>>) -> Result<Table> {
    let mut columns: Vec<(String, Vec<Cells>)> = Vec::new();
    for group in groups {
        for (n, (name, cells)) in group?.into_iter().enumerate() {
            match columns.get_mut(n) {
                Some((_, parts)) => parts.push(cells),
                None => columns.push((name, vec![cells])),
            }
        }
    }
    let joined = |(name, mut parts): (String, Vec<Cells>)| match parts.len() {
        1 => (name, parts.remove(0)),
        _ => {
            let rows = parts.iter().map(Cells::len).sum();
            (name, join(parts[0].kind(), rows, parts.into_iter()))
        }
    };
    whole(source, columns.into_iter().map(joined).collect())
}

/// Adds the rows of a group.
fn read_group(
    path: &Path,
    about: &ArrowReaderMetadata,
    group: usize,
    before: usize,
    making: &mut Making,
) -> Result<()> {
    let wrong =
        |error: &dyn std::fmt::Display| damaged(path, format!("row group {group}: {error}"));
    // Each has a place of its own in the file.
    let file = File::open(path).map_err(|cause| Error::io("read", path, cause))?;
    let all = 0..about.schema().fields().len();
    let (wanted, left): (Vec<usize>, Vec<usize>) = all.partition(|&n| making.is_read(n));
    let mask = ProjectionMask::roots(about.parquet_schema(), wanted.iter().copied());
    let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, about.clone())
        .with_row_groups(vec![group])
        .with_projection(mask)
        .with_batch_size(ROWS)
        .build()
        .map_err(|error| wrong(&error))?;
    let mut rows = 0;
    for batch in reader {
        let batch = batch.map_err(|error| wrong(&error))?;
        rows += batch.num_rows();
        for (array, &n) in batch.columns().iter().zip(&wanted) {
            arrow::add_column(making, n, array.as_ref(), before)?;
        }
    }
    let promised = about.metadata().row_group(group).num_rows();
    if usize::try_from(promised) != Ok(rows) {
        return Err(wrong(&format!("it has {rows} rows, expected {promised}")));
    }
    for n in left {
        arrow::add_missing(making, n, rows)?;
    }
    Ok(())
}

/// Refuses columns that are said to be where the file is not.
fn check_places(path: &Path, n: usize, group: &RowGroupMetaData, length: u64) -> Result<()> {
    for column in group.columns() {
        // As the library reckons it, which panics at negative ones.
        let start = column.dictionary_page_offset();
        let start = u64::try_from(start.unwrap_or(column.data_page_offset()));
        let end = match (start, u64::try_from(column.compressed_size())) {
            (Ok(start), Ok(size)) => start.checked_add(size),
            _ => None,
        };
        if end.is_none_or(|end| end > length) {
            let name = column.column_path().string();
            let problem = format!("row group {n}: column `{name}` is not within the file");
            return Err(damaged(path, problem));
        }
    }
    Ok(())
}

/// Refuses what does not begin and end as a Parquet file.
fn check_ends(path: &Path, mut file: &File, length: u64) -> Result<()> {
    let failed = |cause| Error::io("read", path, cause);
    if length == 0 {
        return Err(Error::file(path, "is empty, expected a Parquet file"));
    }
    let (mut start, mut end) = ([0; 4], [0; 4]);
    if length >= 12 {
        file.read_exact(&mut start).map_err(failed)?;
        file.seek(SeekFrom::End(-4)).map_err(failed)?;
        file.read_exact(&mut end).map_err(failed)?;
    }
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

fn damaged(path: &Path, why: impl std::fmt::Display) -> Error {
    // The library's own words may hold whole schemas.
    let why: String = why.to_string().chars().take(200).collect();
    let problem = format!("is a damaged Parquet file, or of a kind that is not read: {why}");
    Error::file(path, problem.replace(char::is_control, " "))
}
