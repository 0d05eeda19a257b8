//! The text of a table file, or what is wrong with it as a whole.

use crate::error::{Error, Result};
use std::path::Path;

/// What other kinds of files begin with, what they are, and what to do about it.
const OTHERS: &[(&[u8], &str)] = &[
    (
        b"\x1f\x8b",
        "is compressed with gzip: unpack it first (`gunzip`)",
    ),
    (
        b"PK\x03\x04",
        "is a zip archive or an Excel file: unpack it, or export it as CSV",
    ),
    (
        b"PK\x05\x06",
        "is an empty zip archive, expected a CSV file",
    ),
    (
        b"PAR1",
        "is a Parquet file, which is not read yet: export it as CSV",
    ),
    (
        b"\x28\xb5\x2f\xfd",
        "is compressed with zstd: unpack it first (`unzstd`)",
    ),
    (
        b"BZh",
        "is compressed with bzip2: unpack it first (`bunzip2`)",
    ),
    (
        b"\xfd7zXZ\0",
        "is compressed with xz: unpack it first (`unxz`)",
    ),
    (
        b"\xd0\xcf\x11\xe0",
        "is an old Excel file: export it as CSV",
    ),
    (b"\xff\xfe", "is UTF-16 text: save it as UTF-8"),
    (b"\xfe\xff", "is UTF-16 text: save it as UTF-8"),
    (
        b"SQLite format 3\0",
        "is an SQLite database: export the table as CSV",
    ),
    (b"\x93NUMPY", "is a NumPy array: its name must end in .npy"),
    (b"%PDF", "is a PDF, expected a CSV file"),
];

/// The file's text, without a byte order mark.
pub(super) fn text(path: &Path) -> Result<String> {
    let about = std::fs::metadata(path).map_err(|cause| Error::io("read", path, cause))?;
    if about.is_dir() {
        return Err(Error::file(path, "is a folder, expected a CSV file"));
    }
    if !about.is_file() {
        return Err(Error::file(
            path,
            "is no ordinary file, expected a CSV file",
        ));
    }
    let bytes = std::fs::read(path).map_err(|cause| Error::io("read", path, cause))?;
    if let Some((_, what)) = OTHERS.iter().find(|(start, _)| bytes.starts_with(start)) {
        return Err(Error::file(path, what));
    }
    if let Some(at) = bytes.iter().position(|&byte| byte == 0) {
        let problem = "a NUL byte, which no text has: is the file binary, UTF-16, or cut off?";
        return Err(problem_at(path, place(&bytes, at), problem));
    }
    let mut text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let byte = error.as_bytes()[at];
        let problem = format!(
            "byte {byte:#04x} is not UTF-8: save the file as UTF-8 \
             (`iconv -f WINDOWS-1252 -t UTF-8`)"
        );
        problem_at(path, place(error.as_bytes(), at), problem)
    })?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    if text.trim().is_empty() {
        return Err(Error::file(path, "is empty, expected a header and rows"));
    }
    Ok(text)
}

/// Refuses quotes that do not pair: read leniently, one of them would swallow
/// the rest of the file.
pub(super) fn check_quotes(path: &Path, text: &str, delimiter: u8) -> Result<()> {
    let bytes = text.as_bytes();
    let ends = |at: usize| match bytes.get(at) {
        None => true,
        Some(&byte) => byte == delimiter || byte == b'\n' || byte == b'\r',
    };
    let mut at = 0;
    while let Some(found) = bytes[at..].iter().position(|&byte| byte == b'"') {
        let opens = at + found;
        if opens > 0 && !ends(opens - 1) {
            // A quote within a plain field is a character like any other.
            at = opens + 1;
            continue;
        }
        at = opens + 1;
        loop {
            let Some(found) = bytes[at..].iter().position(|&byte| byte == b'"') else {
                let problem = "a quote is opened and never closed";
                return Err(problem_at(path, place(bytes, opens), problem));
            };
            at += found + 1;
            if bytes.get(at) != Some(&b'"') {
                break;
            }
            at += 1;
        }
        if !ends(at) {
            let problem = "text follows a closing quote: a quote within a quoted field is \
                           written twice (`\"\"`)";
            return Err(problem_at(path, place(bytes, at), problem));
        }
    }
    Ok(())
}

/// Line and column of a byte, both counted from 1; the column in characters.
fn place(bytes: &[u8], at: usize) -> (usize, usize) {
    let before = &bytes[..at];
    let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
    let start = before
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |n| n + 1);
    let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
    (line, column)
}

fn problem_at(path: &Path, (line, column): (usize, usize), problem: impl AsRef<str>) -> Error {
    Error::file(
        path,
        format!("line {line}, column {column}: {}", problem.as_ref()),
    )
}
