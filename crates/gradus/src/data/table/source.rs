//! The bytes of a table file, in blocks that end at a record's end, and the refusal of files that
//! are no tables.

use super::content;
use super::header::delimiter;
use crate::error::{Error, Result};
use memchr::{memchr, memchr_iter, memrchr};
use std::io::Read;
use std::path::Path;

/// Length limit of a record: a longer one has a quote that is never closed.
const LONGEST_RECORD: usize = 64 << 20;

/// First bytes of other kinds of files, their format, and advice.
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
    (b"PAR1", "is a Parquet file: its name must end in .parquet"),
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

/// A block: some records of a file.
pub(super) struct Block {
    /// Index among the blocks, from 0.
    pub number: usize,
    /// Line that it begins in, from 1.
    pub line: usize,
    bytes: Vec<u8>,
}

impl Block {
    /// Length in bytes.
    pub fn length(&self) -> usize {
        self.bytes.len()
    }

    /// Its text; an error that names the position of invalid UTF-8.
    pub fn text(&self, path: &Path) -> Result<&str> {
        utf8(path, &self.bytes, self.line)
    }
}

/// A file cut into blocks at record ends, never within quotes. The cuts depend on the file alone.
///
/// Only the blocks in use and one more are in memory.
pub(super) struct Blocks<'a> {
    path: &'a Path,
    file: Box<dyn Read + Send>,
    /// Approximate size of a block in bytes.
    size: usize,
    /// Bytes read and not yet handed out.
    rest: Vec<u8>,
    /// Line in which `rest` begins, and its block's number.
    line: usize,
    number: usize,
    ended: bool,
    /// The delimiter that the first line names.
    named: Option<u8>,
}

impl<'a> Blocks<'a> {
    /// Opens a file, and refuses it if its first block shows that it is no table.
    pub fn open(path: &'a Path, size: usize) -> Result<Self> {
        let mut blocks = Blocks {
            path,
            file: content::reader(path, "a CSV file")?,
            size,
            rest: Vec::new(),
            line: 1,
            number: 0,
            ended: false,
            named: None,
        };
        blocks.read_to(size.max(16))?;
        while !blocks.ended
            && blocks.rest.len() < LONGEST_RECORD
            && memchr(b'\n', &blocks.rest).is_none()
        {
            blocks.read_to(blocks.rest.len() * 2)?;
        }
        if blocks.ended && blocks.rest.trim_ascii().is_empty() {
            return Err(Error::file(path, "is empty, expected a header and rows"));
        }
        Ok(blocks)
    }

    /// The text read so far, the first block included, for the detection of delimiter and header.
    pub fn start(&self) -> Result<&str> {
        // The last row may be cut, even within a character.
        let whole = match memrchr(b'\n', &self.rest) {
            Some(end) if !self.ended => end + 1,
            _ => self.rest.len(),
        };
        utf8(self.path, &self.rest[..whole], self.line)
    }

    /// The delimiter: the one that a first line `sep=;` names, or that the first rows show.
    pub fn delimiter(&self) -> Result<u8> {
        match self.named {
            Some(delimiter) => Ok(delimiter),
            None => self.start().map(delimiter),
        }
    }

    /// True once the whole file is read.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// The next block; `None` at the end.
    pub fn next(&mut self, delimiter: u8) -> Result<Option<Block>> {
        self.read_to(self.size)?;
        if self.rest.is_empty() {
            return Ok(None);
        }
        let end = loop {
            let found = match cut(&self.rest, delimiter, b'\n', self.ended) {
                // Old files end their lines with a lone carriage return.
                Ok(None) if self.rest.len() >= LONGEST_RECORD => {
                    cut(&self.rest, delimiter, b'\r', self.ended)
                }
                found => found,
            };
            match found {
                Ok(Some(end)) => break end,
                Ok(None) if self.rest.len() < LONGEST_RECORD => {
                    self.read_to((self.rest.len() * 2).min(LONGEST_RECORD))?;
                }
                Ok(None) => {
                    let problem = "a record of more than 64 MiB begins here: is a quote opened \
                                   and never closed?";
                    return Err(self.problem(0, problem));
                }
                Err((at, problem)) => {
                    utf8(self.path, &self.rest, self.line)?;
                    return Err(self.problem(at, problem));
                }
            }
        };
        let tail = self.rest.split_off(end);
        let bytes = std::mem::replace(&mut self.rest, tail);
        let (number, line) = (self.number, self.line);
        self.line += memchr_iter(b'\n', &bytes).count();
        self.number += 1;
        Ok(Some(Block {
            number,
            line,
            bytes,
        }))
    }

    /// Number of blocks handed out.
    pub fn count(&self) -> usize {
        self.number
    }

    /// Reads on until this many bytes are there, or the file ends.
    fn read_to(&mut self, size: usize) -> Result<()> {
        let before = self.rest.len();
        if self.ended || before >= size {
            return Ok(());
        }
        self.rest.reserve_exact(size - before);
        let mut more = (&mut self.file).take((size - before) as u64);
        let read = more.read_to_end(&mut self.rest);
        read.map_err(|cause| Error::io("read", self.path, cause))?;
        self.ended = self.rest.len() < size;
        if before == 0 && self.line == 1 {
            let other = OTHERS
                .iter()
                .find(|(start, _)| self.rest.starts_with(start));
            if let Some((_, what)) = other {
                return Err(Error::file(self.path, what));
            }
        }
        if let Some(at) = memchr(0, &self.rest[before..]) {
            let problem = "a NUL byte, which no text has: is the file binary, UTF-16, or cut off?";
            return Err(self.problem(before + at, problem));
        }
        if before == 0 && self.line == 1 && self.rest.starts_with("\u{feff}".as_bytes()) {
            self.rest.drain(.."\u{feff}".len());
        }
        if before == 0
            && self.line == 1
            && let Some((delimiter, end)) = named(&self.rest)
        {
            self.rest.drain(..end);
            self.named = Some(delimiter);
            self.line = 2;
        }
        Ok(())
    }

    fn problem(&self, at: usize, problem: &str) -> Error {
        problem_at(self.path, place(&self.rest, at, self.line), problem)
    }
}

/// The delimiter in a first line `sep=;`, as Excel writes and reads it, and the line's end.
fn named(start: &[u8]) -> Option<(u8, usize)> {
    let rest = start
        .strip_prefix(b"sep=")
        .or_else(|| start.strip_prefix(b"SEP="))?;
    let (delimiter, rest) = rest.split_first()?;
    let rest = rest
        .strip_prefix(b"\r")
        .unwrap_or(rest)
        .strip_prefix(b"\n")?;
    let is_one = !delimiter.is_ascii_alphanumeric() && delimiter.is_ascii() && *delimiter != b'"';
    is_one.then_some((*delimiter, start.len() - rest.len()))
}

/// The end of the last complete record, terminated by `end`; `None` if none is complete. Refuses
/// unbalanced quotes: read leniently, one of them would swallow the rest of the file.
fn cut(
    bytes: &[u8],
    delimiter: u8,
    end: u8,
    all: bool,
) -> Result<Option<usize>, (usize, &'static str)> {
    let ends = |at: usize| match bytes.get(at) {
        None => true,
        Some(&byte) => byte == delimiter || byte == b'\n' || byte == b'\r',
    };
    let (mut at, mut whole) = (0, None);
    while let Some(found) = memchr(b'"', &bytes[at..]) {
        let opens = at + found;
        whole = memrchr(end, &bytes[at..opens]).map_or(whole, |n| Some(at + n + 1));
        at = opens + 1;
        if opens > 0 && !ends(opens - 1) {
            // A quote within an unquoted field is an ordinary character.
            continue;
        }
        loop {
            let Some(found) = memchr(b'"', &bytes[at..]) else {
                if all {
                    return Err((opens, "a quote is opened and never closed"));
                }
                return Ok(whole);
            };
            at += found + 1;
            if at == bytes.len() && !all {
                return Ok(whole);
            }
            if bytes.get(at) != Some(&b'"') {
                break;
            }
            at += 1;
        }
        if !ends(at) {
            let problem = "text follows a closing quote: a quote within a quoted field is \
                           written twice (`\"\"`)";
            return Err((at, problem));
        }
    }
    if all {
        return Ok(Some(bytes.len()));
    }
    Ok(memrchr(end, &bytes[at..]).map_or(whole, |n| Some(at + n + 1)))
}

fn utf8<'b>(path: &Path, bytes: &'b [u8], line: usize) -> Result<&'b str> {
    std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        let byte = bytes.get(at).copied().unwrap_or_default();
        let problem = format!(
            "byte {byte:#04x} is not UTF-8: save the file as UTF-8 \
             (`iconv -f WINDOWS-1252 -t UTF-8`)"
        );
        problem_at(path, place(bytes, at, line), problem)
    })
}

/// Line and column of a byte, both from 1, the column in characters; `line` is that of the first
/// byte.
fn place(bytes: &[u8], at: usize, line: usize) -> (usize, usize) {
    let before = &bytes[..at];
    let line = line + memchr_iter(b'\n', before).count();
    let start = memrchr(b'\n', before).map_or(0, |n| n + 1);
    let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
    (line, column)
}

fn problem_at(path: &Path, (line, column): (usize, usize), problem: impl AsRef<str>) -> Error {
    Error::file(
        path,
        format!("line {line}, column {column}: {}", problem.as_ref()),
    )
}
