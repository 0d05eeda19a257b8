//! Delimiter and header, seen from a file's first rows.

use super::cell::{is_missing, number};
use super::infer::{Found, narrow};
use crate::error::{Error, Result};
use csv::{ReaderBuilder, StringRecord, Trim};
use std::collections::HashMap;
use std::path::Path;

/// More columns are a wrong delimiter, or an array that should be a `.npy` file.
pub(super) const MOST_COLUMNS: usize = 10_000;
/// How many rows decide what delimiter and header are.
const LOOKED_AT: usize = 50;

/// The columns' names, and whether they stand in the first row.
///
/// A row of different texts is a header. So is one with numbers among its texts
/// (`id,2019,2020`) where no fewer texts stand above nothing but numbers, booleans or
/// dates, and one whose first cell alone is empty, as an exported index is.
pub(super) fn names(path: &Path, text: &str, delimiter: u8) -> Result<(Vec<String>, bool)> {
    let mut records = records(text, delimiter);
    let first = records.next().unwrap_or_default();
    if first.len() > MOST_COLUMNS {
        let problem = format!(
            "has {} columns, expected at most {MOST_COLUMNS}: is the delimiter `{}`? \
             An array of numbers belongs in a .npy file",
            first.len(),
            char::from(delimiter).escape_default()
        );
        return Err(Error::file(path, problem));
    }
    let numbers = first.iter().filter(|c| number(c).is_some()).count();
    let gaps = first.iter().filter(|c| is_missing(c)).count();
    let index = usize::from(first.get(0) == Some(""));
    let texts = first.len() - numbers - gaps;
    let names = first.iter().enumerate().map(|(n, name)| named(n, name));
    let names: Vec<String> = names.collect();
    let twice = twice(&names);
    let above = || {
        let mut below: Vec<Found> = first.iter().map(|_| Found::default()).collect();
        for row in records.take(LOOKED_AT) {
            for (found, cell) in below.iter_mut().zip(&row) {
                found.add(0, cell);
            }
        }
        let columns = first.iter().zip(&below);
        let above =
            columns.filter(|(c, found)| !is_missing(c) && narrow(c).is_none() && found.is_narrow());
        above.count()
    };
    let is_header =
        texts > 0 && gaps == index && (numbers == 0 || twice.is_none() && above() >= numbers);
    match twice {
        _ if !is_header => {
            let names = (0..first.len()).map(|n| format!("column_{n}"));
            Ok((names.collect(), false))
        }
        Some((before, place)) => {
            let problem = format!(
                "line 1: columns {} and {} are both named `{}`",
                before + 1,
                place + 1,
                names[place]
            );
            Err(Error::file(path, problem))
        }
        None => Ok((names, true)),
    }
}

/// What a column is called whose name this is.
pub(super) fn named(place: usize, name: &str) -> String {
    match name {
        "" => format!("column_{place}"),
        name => name.to_owned(),
    }
}

/// The first two columns of the same name.
fn twice(names: &[String]) -> Option<(usize, usize)> {
    let mut places = HashMap::new();
    for (place, name) in names.iter().enumerate() {
        if let Some(before) = places.insert(name, place) {
            return Some((before, place));
        }
    }
    None
}

/// The delimiter that cuts the first rows into the same number of cells, the
/// most if several do; if none does, the one with the most cells in the first row.
pub(super) fn delimiter(text: &str) -> u8 {
    let score = |delimiter: u8| {
        let rows = records(text, delimiter).take(LOOKED_AT);
        let widths: Vec<usize> = rows.map(|row| row.len()).collect();
        let first = widths.first().copied().unwrap_or(0);
        let same = widths.iter().all(|&width| width == first);
        (first > 1, same, first)
    };
    let mut best = (b',', score(b','));
    for other in *b";\t|" {
        let score = score(other);
        if score > best.1 {
            best = (other, score);
        }
    }
    best.0
}

fn records(text: &str, delimiter: u8) -> impl Iterator<Item = StringRecord> {
    let mut reader = ReaderBuilder::new();
    let reader = reader.has_headers(false).flexible(true).trim(Trim::All);
    let reader = reader.delimiter(delimiter).from_reader(text.as_bytes());
    reader.into_records().flatten()
}
