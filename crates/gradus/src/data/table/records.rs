//! Cutting of text into records and cells.
//!
//! The same as the crate `csv` with `flexible` and `Trim::All`, in one pass that copies nothing:
//! that reader copies each cell, and a trimmed record twice.

use memchr::{memchr, memchr_iter};

/// A record with the wrong number of cells.
pub(super) struct Ragged {
    pub line: usize,
    pub cells: usize,
}

/// Calls `see` with line, column and text of each cell, without surrounding white space, and
/// returns the number of records. `line` is the text's first; if `header`, the first record is
/// skipped. Quotes must be balanced.
pub(super) fn cells(
    text: &str,
    delimiter: u8,
    line: usize,
    header: bool,
    width: usize,
    mut see: impl FnMut(usize, usize, &str),
) -> Result<usize, Ragged> {
    let bytes = text.as_bytes();
    let mut stops = [false; 256];
    for stop in [delimiter, b'\n', b'\r'] {
        stops[usize::from(stop)] = true;
    }
    let (mut at, mut line, mut skip, mut records) = (0, line, header, 0);
    let mut unquoted = String::new();
    loop {
        // Empty lines are skipped.
        while let Some(&byte) = bytes.get(at)
            && (byte == b'\n' || byte == b'\r')
        {
            line += usize::from(byte == b'\n');
            at += 1;
        }
        if at == bytes.len() {
            return Ok(records);
        }
        let (begins, mut column) = (line, 0);
        loop {
            let cell = if bytes.get(at) == Some(&b'"') {
                let end = quoted(text, at, &mut unquoted);
                line += memchr_iter(b'\n', &bytes[at..end]).count();
                at = end;
                &unquoted
            } else {
                let start = at;
                while let Some(&byte) = bytes.get(at)
                    && !stops[usize::from(byte)]
                {
                    at += 1;
                }
                &text[start..at]
            };
            if !skip && column < width {
                see(begins, column, trim(cell));
            }
            column += 1;
            if bytes.get(at) != Some(&delimiter) {
                break;
            }
            at += 1;
        }
        if !std::mem::replace(&mut skip, false) {
            if column != width {
                return Err(Ragged {
                    line: begins,
                    cells: column,
                });
            }
            records += 1;
        }
    }
}

/// Unquotes the text in the quotes that open at `at` into `cell`, and returns where the next cell
/// or record may begin.
fn quoted(text: &str, at: usize, cell: &mut String) -> usize {
    let bytes = text.as_bytes();
    let mut from = at + 1;
    cell.clear();
    while let Some(found) = memchr(b'"', &bytes[from..]) {
        let quote = from + found;
        if bytes.get(quote + 1) != Some(&b'"') {
            cell.push_str(&text[from..quote]);
            return quote + 1;
        }
        cell.push_str(&text[from..=quote]);
        from = quote + 2;
    }
    bytes.len()
}

fn trim(cell: &str) -> &str {
    let plain = |byte: Option<&u8>| byte.is_none_or(|b| (b'!'..0x80).contains(b));
    let bytes = cell.as_bytes();
    match plain(bytes.first()) && plain(bytes.last()) {
        true => cell,
        false => cell.trim(),
    }
}
