//! Tar archives, gzipped: reading some files of one without unpacking it.

use crate::data::npy::open;
use crate::data::numbers::unreadable;
use crate::error::{Error, Result};
use flate2::read::MultiGzDecoder;
use std::io::{self, BufRead, Read};
use std::path::Path;

const BLOCK: usize = 512;

/// Calls `take` for each plain file of a `.tar.gz`: its name without folders, its length and its
/// contents. What `take` leaves unread is skipped.
///
/// Nothing is written to the disk, so that no name in the archive can point
/// outside of a folder. An archive that unpacks to more than `most` bytes is an
/// error.
pub(super) fn each_file(
    path: &Path,
    most: u64,
    mut take: impl FnMut(&str, u64, &mut dyn Read) -> Result<()>,
) -> Result<()> {
    let (mut file, _) = open(path)?;
    let start = file.fill_buf().map_err(|cause| unreadable(path, cause))?;
    if !start.starts_with(&[0x1f, 0x8b]) {
        let problem = "it is no gzip file, which a .tar.gz archive begins as";
        return Err(Error::file(path, problem));
    }
    let mut from = MultiGzDecoder::new(file).take(most);
    let failed = |cause| unreadable(path, cause);
    loop {
        let mut header = [0; BLOCK];
        from.read_exact(&mut header).map_err(failed)?;
        if header.iter().all(|&byte| byte == 0) {
            return Ok(());
        }
        let Some(entry) = Entry::of(&header) else {
            let problem = "it is damaged: what should be a tar archive's header is none";
            return Err(Error::file(path, problem));
        };
        if entry.length > from.limit() {
            let problem = format!(
                "{} has {} bytes: the archive holds more than the {most} bytes of its data set",
                entry.name, entry.length
            );
            return Err(Error::file(path, problem));
        }
        let mut contents = (&mut from).take(entry.length);
        if entry.is_file {
            take(&entry.name, entry.length, &mut contents)?;
        }
        // The rest of the file, and the padding of its last block.
        let rest = contents.limit() + (BLOCK as u64 - entry.length % BLOCK as u64) % BLOCK as u64;
        let skipped = io::copy(&mut (&mut from).take(rest), &mut io::sink()).map_err(failed)?;
        if skipped < rest {
            return Err(unreadable(path, io::ErrorKind::UnexpectedEof.into()));
        }
    }
}

struct Entry {
    name: String,
    length: u64,
    is_file: bool,
}

impl Entry {
    /// A header of the formats `v7`, `ustar` and GNU; `None` if its checksum is
    /// wrong or its length no number.
    fn of(header: &[u8; BLOCK]) -> Option<Entry> {
        let sum: u64 = header
            .iter()
            .enumerate()
            .map(|(place, &byte)| match place {
                148..156 => u64::from(b' '),
                _ => u64::from(byte),
            })
            .sum();
        if octal(&header[148..156])? != sum {
            return None;
        }
        let name = header[..100].split(|&byte| byte == 0).next()?;
        let name = String::from_utf8_lossy(name);
        Some(Entry {
            name: name.rsplit('/').next().unwrap_or_default().to_owned(),
            length: octal(&header[124..136])?,
            is_file: matches!(header[156], 0 | b'0'),
        })
    }
}

/// A number in octal digits, with blanks and zeros around it.
fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?;
    let digits = text.trim_matches([' ', '\0']);
    u64::from_str_radix(digits, 8).ok()
}
