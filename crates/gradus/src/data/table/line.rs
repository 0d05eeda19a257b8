//! The line in its file where a row begins.

use super::header::layout;
use super::records::cells;
use super::source::Blocks;
use super::{ReadTable, Table, TextOptions};
use crate::base::threads::lock;
use crate::error::Error;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Bytes read at a time.
const BLOCK: usize = 4 << 20;

/// True for each file read with a header. Kept here because the caller who asks for a row's line
/// does not know the reading options.
static HEADERS: Mutex<BTreeMap<PathBuf, bool>> = Mutex::new(BTreeMap::new());

/// Records whether the first line of a file was read as its header.
pub(super) fn remember(path: &Path, header: bool) {
    lock(&HEADERS).insert(path.to_owned(), header);
}

impl Table {
    /// The line, from 1, where a row of a file begins. It reads the file up to there: quoted cells
    /// may span lines. `None` if there is no such row, or the file cannot be read any more.
    pub fn line_of_row(path: impl AsRef<Path>, row: usize) -> Option<usize> {
        let path = path.as_ref();
        let mut blocks = Blocks::open(path, BLOCK).ok()?;
        let (delimiter, columns, has_header) = {
            let start = blocks.start().ok()?;
            let delimiter = blocks.delimiter().ok()?;
            let options = ReadTable {
                text: TextOptions {
                    header: lock(&HEADERS).get(path).copied(),
                    ..TextOptions::default()
                },
                ..ReadTable::default()
            };
            let layout = layout(path, start, delimiter, &options).ok()?;
            (delimiter, layout.names.len(), layout.header)
        };
        let (mut rows, mut found) = (0, None);
        while let Some(block) = blocks.next(delimiter).ok()? {
            let text = block.text(path).ok()?;
            let header = has_header && block.number == 0;
            cells(
                text,
                delimiter,
                block.line,
                header,
                columns,
                |line, n, _| {
                    if n == 0 {
                        if rows == row {
                            found = Some(line);
                        }
                        rows += 1;
                    }
                },
            )
            .ok()?;
            if found.is_some() {
                break;
            }
        }
        found
    }
}

/// The same error, with the line in place of the row if the table is a file with lines. `name` is
/// the table's.
pub(in crate::data) fn with_line(name: impl AsRef<Path>, error: Error) -> Error {
    match error {
        Error::Data {
            source_name,
            row: Some(row),
            column,
            found,
            expected,
        } => {
            let line = Table::line_of_row(name, row);
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
