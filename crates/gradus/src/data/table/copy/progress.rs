//! The progress of a copy, and who is told of it.

use std::fmt;
use std::path::Path;

/// The progress of the binary copy of a table that is larger than memory.
#[derive(Clone, Copy, Debug)]
pub struct CopyProgress<'a> {
    /// The table.
    pub table: &'a Path,
    /// Bytes of it that are copied; rows of a Parquet file.
    pub done: u64,
    /// Bytes, or rows, that there are.
    pub all: u64,
}

/// Called with the progress of a copy; by default nothing is.
#[derive(Clone, Copy, Default)]
pub struct OnCopy<'a>(Option<&'a dyn Fn(CopyProgress<'_>)>);

impl<'a> OnCopy<'a> {
    /// Calls this now and then, and at the end.
    pub fn new(call: &'a dyn Fn(CopyProgress<'_>)) -> Self {
        OnCopy(Some(call))
    }

    pub(super) fn call(&self, table: &Path, done: u64, all: u64) {
        if let Some(call) = self.0 {
            call(CopyProgress { table, done, all });
        }
    }
}

impl fmt::Debug for OnCopy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnCopy")
    }
}
