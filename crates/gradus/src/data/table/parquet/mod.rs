//! Parquet files: row groups are read by all threads, each into its share of every
//! column.

mod chunks;
mod opened;

use super::block_column::join;
use super::typed::{Head, whole};
use super::{Cells, ReadTable, Table, arrow};
use crate::base::threads::{lock, parallel, threads};
use crate::error::Result;
use opened::{Opened, ROWS, damaged};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::path::Path;
use std::sync::{Mutex, Once};

/// The table of a Parquet file.
pub(super) fn read(path: &Path, options: &ReadTable) -> Result<Table> {
    guarded(path, || read_file(&Opened::new(path)?, options))
}

/// The numbers of rows and columns of a Parquet file.
pub(super) fn size(path: &Path) -> Result<(usize, usize)> {
    let opened = guarded(path, || Opened::new(path))?;
    Ok((opened.rows, opened.about.schema().fields().len()))
}

/// The column declarations of a Parquet file, known before its rows are read.
pub(super) fn heads(path: &Path) -> Result<Vec<Head>> {
    let opened = guarded(path, || Opened::new(path))?;
    Ok(arrow::heads(opened.about.schema()))
}

/// Calls `visit` with the columns of some rows, one row group after the other, and the number of
/// rows so far. Ignored columns are missing.
pub(super) fn each(
    path: &Path,
    options: &ReadTable,
    visit: &mut dyn FnMut(Vec<(String, Cells)>, usize) -> Result<()>,
) -> Result<()> {
    let opened = guarded(path, || Opened::new(path))?;
    for group in 0..opened.before.len() {
        guarded(path, || opened.each(group, options, visit))?;
    }
    Ok(())
}

/// Runs `read`, turning panics of the library into errors. Of 11,000 damaged files it panicked at
/// 15, where it promises errors: slices out of range, deep within its decoders. The fault is the
/// file's, and the error reports it already: panics of this thread within `read` are not printed.
fn guarded<T>(path: &Path, read: impl FnOnce() -> Result<T>) -> Result<T> {
    thread_local! {
        static QUIET: Cell<bool> = const { Cell::new(false) };
    }
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |about| {
            // Panics of other threads, and of this one elsewhere, are printed as usual.
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

fn read_file(opened: &Opened<'_>, options: &ReadTable) -> Result<Table> {
    let path = opened.path;
    // Refused at once, before any row is read.
    drop(opened.making(options)?);
    let group = |n: usize| -> Result<Vec<(String, Cells)>> {
        let mut making = opened.making(options)?;
        let mut read = opened.group(n, ROWS, &|n| making.is_read(n))?;
        while let Some(batch) = read.next()? {
            read.add(&batch, opened.before[n], &mut making)?;
        }
        making.columns()
    };
    // No groups are begun after a bad one; the first bad one is always found.
    let bad = Mutex::new(usize::MAX);
    let read = parallel(threads(), opened.before.len(), |n| {
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
    together(path.display().to_string(), read, options)
}

/// Combines the groups' columns into one table.
fn together(
    source: String,
    groups: Vec<Result<Vec<(String, Cells)>>>,
    options: &ReadTable,
) -> Result<Table> {
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
    let said = |name: &str| options.kinds.contains_key(name);
    whole(source, columns.into_iter().map(joined).collect(), &said)
}
