//! Who is told how far a copy is.

use std::fmt;
use std::path::Path;

/// How far the binary copy of a table is that is larger than memory.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// The table.
    pub table: &'a Path,
    /// Bytes of it that are copied; of a Parquet file rows.
    pub done: u64,
    /// How many there are.
    pub all: u64,
}

/// Who is told how far a copy is; by default nobody.
#[derive(Clone, Copy, Default)]
pub struct Listener<'a>(Option<&'a dyn Fn(Told<'_>)>);

impl<'a> Listener<'a> {
    /// Somebody who is told now and then, and at the end.
    pub fn new(tell: &'a dyn Fn(Told<'_>)) -> Self {
        Listener(Some(tell))
    }

    pub(super) fn tell(&self, table: &Path, done: u64, all: u64) {
        if let Some(tell) = self.0 {
            tell(Told { table, done, all });
        }
    }
}

impl fmt::Debug for Listener<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listener")
    }
}
