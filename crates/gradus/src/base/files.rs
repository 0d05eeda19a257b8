//! Opening of files that others made: only what is a file, and only as much as is sensible.

use crate::base::url::{Url, is_url};
use crate::error::{Error, Result};
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

/// Opens a file for reading. A folder, a pipe (which would wait for its writer), a device (which may
/// never end) or a socket is refused; `expected` is for the error's text: `a CSV file`.
pub(crate) fn open(path: &Path, expected: &str) -> Result<File> {
    let failed = |cause| Error::io("read", path, cause);
    if is_url(path) {
        Url::of(path)?;
        let problem =
            "is a url, from which only tables are read (.csv, .tsv, .parquet): download the file";
        return Err(Error::file(path, problem));
    }
    let about = fs::metadata(path).map_err(failed)?;
    if !about.is_file() {
        let found = kind(about.file_type());
        return Err(Error::file(
            path,
            format!("is {found}, expected {expected}"),
        ));
    }
    File::open(path).map_err(failed)
}

/// Reads a whole file of at most so many bytes.
pub(crate) fn read(path: &Path, expected: &str, most: u64) -> Result<Vec<u8>> {
    read_from(open(path, expected)?, path, most)
}

/// As [`read`], of a text: also from a pipe that this process already has, such as standard input
/// (`/dev/stdin`) or a shell's `<(…)`.
pub(crate) fn read_text(path: &Path, expected: &str, most: u64) -> Result<String> {
    let file = match is_inherited(path) {
        true => File::open(path).map_err(|cause| Error::io("read", path, cause))?,
        false => open(path, expected)?,
    };
    let bytes = read_from(file, path, most)?;
    String::from_utf8(bytes).map_err(|_| Error::file(path, "is not a text file"))
}

/// As [`read`], of a file that is open.
pub(crate) fn read_from(file: impl Read, path: &Path, most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = file.take(most.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|cause| Error::io("read", path, cause))?;
    if bytes.len() as u64 > most {
        let problem = format!("has more than {} MiB, the most that is read", most >> 20);
        return Err(Error::file(path, problem));
    }
    Ok(bytes)
}

/// True for a name of one of this process' open files.
fn is_inherited(path: &Path) -> bool {
    let folders = ["/dev/fd", "/proc/self/fd"];
    path == Path::new("/dev/stdin") || folders.iter().any(|folder| path.starts_with(folder))
}

fn kind(found: fs::FileType) -> &'static str {
    if found.is_dir() {
        return "a folder";
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if found.is_fifo() {
            return "a pipe";
        }
        if found.is_socket() {
            return "a socket";
        }
        if found.is_char_device() || found.is_block_device() {
            return "a device";
        }
    }
    "no ordinary file"
}
