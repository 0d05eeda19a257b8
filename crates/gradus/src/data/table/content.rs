//! The bytes of a table file, which lies on a disk, or in a store.

use crate::base::files;
use crate::base::url::is_url;
use crate::data::store::Object;
use crate::error::{Error, Result};
use std::fs;
use std::io::Read;
use std::path::Path;
use std::time::UNIX_EPOCH;

/// The bytes of a table file from the first to the last; `expected` is for the error's text.
pub(super) fn reader(path: &Path, expected: &str) -> Result<Box<dyn Read + Send>> {
    Ok(match is_url(path) {
        true => Box::new(Object::open(path)?.reader(0)),
        false => Box::new(files::open(path, expected)?),
    })
}

/// Length of a table file in bytes, and a number that changes with its bytes: the nanoseconds since 1970
/// of a file's last change.
pub(super) fn about(path: &Path) -> Result<(u64, u64)> {
    if is_url(path) {
        let object = Object::open(path)?;
        return Ok((object.length(), object.version()));
    }
    let failed = |cause| Error::io("read", path, cause);
    let about = fs::metadata(path).map_err(failed)?;
    let changed = about.modified().map_err(failed)?;
    let changed = changed.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok((about.len(), changed.as_nanos() as u64))
}
