//! The head and the tail of a copy's file.

use super::super::content;
use super::{About, Copied, MAGIC, Origin};
use crate::base::files;
use crate::base::hash::fnv;
use crate::base::url::is_url;
use crate::data::folders::cache_folder;
use crate::error::{Error, Result};
use flate2::Crc;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Rows and bytes of a chunk.
pub(super) type Size = (u32, u64);

/// Bytes of a size entry in the file.
const SIZE: usize = 12;
/// Bytes of the tail: length of the text, number of chunks, a checksum of both, and `MAGIC`.
const TAIL: u64 = 8 + 8 + 4 + 16;

impl Origin {
    /// The identity of a table's file.
    pub fn of(table: &Path) -> Result<Self> {
        let (bytes, changed) = content::about(table)?;
        let path = match is_url(table) {
            true => table.to_owned(),
            false => {
                let path = std::path::absolute(table);
                path.map_err(|cause| Error::io("read", table, cause))?
            }
        };
        Ok(Origin {
            name: table.display().to_string(),
            path,
            bytes,
            changed,
        })
    }

    /// True if it is the same file, under any name.
    pub fn is(&self, other: &Origin) -> bool {
        let of = |origin: &Origin| (origin.path.clone(), origin.bytes, origin.changed);
        of(self) == of(other)
    }

    /// The path of this table's copy. A changed table's copy replaces the old one.
    pub fn copy(&self) -> Result<PathBuf> {
        let hash = fnv(self.path.as_os_str().as_encoded_bytes());
        let folder = cache_folder().ok_or_else(|| Error::NotReady {
            problem: format!(
                "{} is larger than the memory it may take (`data.memory`), and there is no folder \
                 for a binary copy of it: set XDG_CACHE_HOME",
                self.name
            ),
        })?;
        Ok(folder.join(format!("tables/{hash:016x}.bin")))
    }
}

/// Writes everything after the chunks.
pub(super) fn finish(to: &mut impl Write, about: &About, chunks: &[Size]) -> io::Result<()> {
    let mut end = serde_json::to_vec(about)?;
    let length = end.len() as u64;
    for (rows, bytes) in chunks {
        end.extend(rows.to_le_bytes());
        end.extend(bytes.to_le_bytes());
    }
    let mut sum = Crc::new();
    sum.update(&end);
    to.write_all(&end)?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(&(chunks.len() as u64).to_le_bytes())?;
    to.write_all(&sum.sum().to_le_bytes())?;
    to.write_all(MAGIC)
}

impl Copied {
    /// True of the error of a damaged copy that is now removed.
    pub fn is_gone(error: &Error) -> bool {
        let copies = cache_folder().map(|folder| folder.join("tables"));
        match (error, copies) {
            (Error::File { path, .. }, Some(copies)) => path.starts_with(copies) && !path.exists(),
            _ => false,
        }
    }

    /// Opens a copy; `None` if the file is none, or not of this table in its current state.
    pub(super) fn open(path: PathBuf, origin: &Origin) -> Option<Copied> {
        let mut file = files::open(&path, "a copy").ok()?;
        let length = file.metadata().ok()?.len();
        let end = length.checked_sub(TAIL)?;
        let mut magic = [0; 16];
        file.read_exact(&mut magic).ok()?;
        let mut tail = [0; TAIL as usize];
        file.seek(SeekFrom::Start(end)).ok()?;
        file.read_exact(&mut tail).ok()?;
        if magic != *MAGIC || !tail.ends_with(MAGIC) {
            return None;
        }
        let (numbers, rest) = tail.as_chunks::<8>();
        let [text, chunks] = [numbers[0], numbers[1]].map(u64::from_le_bytes);
        let _ = rest;
        let sizes = chunks.checked_mul(SIZE as u64)?;
        let about = end.checked_sub(text.checked_add(sizes)?)?;
        if about < MAGIC.len() as u64 {
            return None;
        }
        // At most the file's length.
        let mut both = Vec::new();
        both.try_reserve_exact((end - about) as usize).ok()?;
        file.seek(SeekFrom::Start(about)).ok()?;
        (&file).take(end - about).read_to_end(&mut both).ok()?;
        let mut sum = Crc::new();
        sum.update(&both);
        if sum.sum().to_le_bytes() != tail[16..20] {
            return None;
        }
        let (text, sizes) = both.split_at_checked(text as usize)?;
        let mut known: About = serde_json::from_slice(text).ok()?;
        if !known.origin.is(origin) {
            return None;
        }
        known.origin.name.clone_from(&origin.name);
        let (mut starts, mut places) = (vec![0], vec![MAGIC.len() as u64]);
        let (mut row, mut place) = (0_usize, MAGIC.len() as u64);
        for size in sizes.as_chunks::<SIZE>().0 {
            let (rows, bytes) = size.split_first_chunk::<4>()?;
            let rows = u32::from_le_bytes(*rows) as usize;
            row = row.checked_add(rows).filter(|_| rows > 0)?;
            place = place.checked_add(u64::from_le_bytes(bytes.try_into().ok()?))?;
            starts.push(row);
            places.push(place);
        }
        (place == about && row > 0).then_some(Copied {
            path,
            file: Mutex::new(file),
            about: known,
            starts,
            places,
        })
    }
}
