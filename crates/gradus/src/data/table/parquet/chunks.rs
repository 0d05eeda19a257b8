//! The bytes that the library reads a Parquet file from.

use crate::base::files;
use crate::base::url::is_url;
use crate::data::store::Object;
use crate::error::{Error, Result};
use ::parquet::errors::{ParquetError, Result as Parquet};
use ::parquet::file::reader::{ChunkReader, Length};
use bytes::Bytes;
use std::fs::File;
use std::io::{Cursor, Read};
use std::ops::Range;
use std::path::Path;

/// The last bytes of an object, which are read first: most often, all that says where its columns are.
const END: u64 = 64 << 10;
/// Bytes between two ranges of an object that are read along rather than in a request of their own.
const GAP: u64 = 1 << 20;

/// A file, or some ranges of an object; what is not among these is asked for.
pub(super) enum Chunks {
    File(File),
    Object { object: Box<Object>, held: Held },
}

/// The first byte of each range, and its bytes.
pub(super) type Held = Vec<(u64, Bytes)>;

impl Chunks {
    pub fn open(path: &Path) -> Result<Self> {
        if !is_url(path) {
            return files::open(path, "a Parquet file").map(Chunks::File);
        }
        let object = Object::open(path)?;
        let start = object.length().saturating_sub(END);
        let end = object.range(start..object.length())?;
        let held = vec![(start, Bytes::from(end))];
        Ok(Chunks::Object {
            object: Box::new(object),
            held,
        })
    }

    /// The same file with a position of its own; of an object, these ranges.
    pub fn some(&self, path: &Path, ranges: Vec<Range<u64>>) -> Result<Self> {
        match self {
            Chunks::File(_) => {
                let file = File::open(path).map_err(|cause| Error::io("read", path, cause))?;
                Ok(Chunks::File(file))
            }
            Chunks::Object { object, .. } => {
                let read = |range: Range<u64>| Ok((range.start, Bytes::from(object.range(range)?)));
                let held = joined(ranges)
                    .into_iter()
                    .map(read)
                    .collect::<Result<_>>()?;
                Ok(Chunks::Object {
                    object: object.clone(),
                    held,
                })
            }
        }
    }
}

/// Ranges in their order, those that are near each other as one.
fn joined(mut ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    ranges.sort_by_key(|range| range.start);
    let mut joined: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end.saturating_add(GAP) => {
                last.end = last.end.max(range.end);
            }
            _ => joined.push(range),
        }
    }
    joined
}

/// Those of the held bytes from `start` on.
fn of(held: &Held, start: u64) -> Option<Bytes> {
    held.iter().find_map(|(first, bytes)| {
        let at = usize::try_from(start.checked_sub(*first)?).ok()?;
        (at < bytes.len()).then(|| bytes.slice(at..))
    })
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        match self {
            Chunks::File(file) => file.len(),
            Chunks::Object { object, .. } => object.length(),
        }
    }
}

impl ChunkReader for Chunks {
    type T = Box<dyn Read>;

    fn get_read(&self, start: u64) -> Parquet<Self::T> {
        Ok(match self {
            Chunks::File(file) => Box::new(file.get_read(start)?),
            Chunks::Object { object, held } => match of(held, start) {
                Some(bytes) => Box::new(Cursor::new(bytes)),
                None => Box::new(object.reader(start)),
            },
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Parquet<Bytes> {
        let (object, held) = match self {
            Chunks::File(file) => return file.get_bytes(start, length),
            Chunks::Object { object, held } => (object, held),
        };
        if let Some(bytes) = of(held, start).filter(|bytes| bytes.len() >= length) {
            return Ok(bytes.slice(..length));
        }
        let end = start.checked_add(length as u64);
        let end = end.filter(|end| *end <= object.length());
        let end = end.ok_or_else(|| ParquetError::EOF("it ends before its bytes".into()))?;
        let read = object.range(start..end);
        read.map(Bytes::from)
            .map_err(|error| ParquetError::External(Box::new(error)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_ranges_are_read_as_one() {
        let far = 10 * GAP;
        let ranges = vec![far..far + 5, 100..200, 0..150, 300..400];
        assert_eq!(joined(ranges), [0..400, far..far + 5]);
        let held = vec![(100, Bytes::from_static(b"abc"))];
        assert_eq!(of(&held, 101).unwrap(), "bc");
        assert!(of(&held, 103).is_none() && of(&held, 99).is_none());
    }
}
