//! Table files by their paths: text, or Parquet.

use super::{ReadTable, Table, Tabular, content, read};
use crate::error::Result;
use std::path::{Path, PathBuf};

impl Tabular for Path {
    fn name(&self) -> String {
        self.display().to_string()
    }

    fn to_table(&self, options: &ReadTable) -> Result<Table> {
        match is_parquet(self) {
            true => parquet(self, options),
            false => read::read(self, options),
        }
    }
}

/// True for a Parquet file, by its name.
pub(super) fn is_parquet(path: &Path) -> bool {
    let ending = path.extension().and_then(|e| e.to_str());
    ending.is_some_and(|e| e.eq_ignore_ascii_case("parquet"))
}

/// Bytes that a table file would take in memory, about, before it is read: as many as the
/// file of text has; of a Parquet file four for each cell.
pub(in crate::data) fn about_bytes(path: &Path) -> Result<u64> {
    match is_parquet(path) {
        true => parquet_bytes(path),
        false => Ok(content::about(path)?.0),
    }
}

/// The names of a table file's columns, without reading its rows.
pub(in crate::data) fn column_names(path: &Path) -> Result<Vec<String>> {
    match is_parquet(path) {
        true => parquet_names(path),
        false => read::column_names(path),
    }
}

#[cfg(feature = "parquet")]
use super::parquet::read as parquet;

#[cfg(feature = "parquet")]
fn parquet_names(path: &Path) -> Result<Vec<String>> {
    let heads = super::parquet::heads(path)?;
    let names = heads.iter().enumerate();
    Ok(names
        .map(|(n, head)| super::header::named(n, &head.name))
        .collect())
}

#[cfg(not(feature = "parquet"))]
fn parquet_names(path: &Path) -> Result<Vec<String>> {
    parquet(path, &ReadTable::default()).map(|_| Vec::new())
}

#[cfg(feature = "parquet")]
fn parquet_bytes(path: &Path) -> Result<u64> {
    let (rows, columns) = super::parquet::size(path)?;
    Ok(4 * rows as u64 * columns as u64)
}

#[cfg(not(feature = "parquet"))]
fn parquet_bytes(path: &Path) -> Result<u64> {
    parquet(path, &ReadTable::default()).map(|_| 0)
}

#[cfg(not(feature = "parquet"))]
fn parquet(path: &Path, _: &ReadTable) -> Result<Table> {
    // A missing file is reported as missing even without the feature.
    content::about(path)?;
    let problem = "is a Parquet file, which this program was built without: build it with \
                   `--features parquet`, or export the table as CSV";
    Err(crate::error::Error::file(path, problem))
}

macro_rules! as_path {
    ($($kind:ty),*) => {$(
        impl Tabular for $kind {
            fn name(&self) -> String {
                Path::new(self).name()
            }

            fn to_table(&self, options: &ReadTable) -> Result<Table> {
                Path::new(self).to_table(options)
            }
        }
    )*};
}

as_path!(PathBuf, str, String);
