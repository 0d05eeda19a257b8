//! Detection of delimiter and header in a file's first rows.

use super::ReadTable;
use super::gaps::{Gap, Gaps};
use super::infer::{Found, narrow};
use super::number;
use crate::error::{Error, Result};
use csv::{ReaderBuilder, StringRecord, Trim};
use std::collections::HashMap;
use std::path::Path;

/// Column limit: more columns mean a wrong delimiter, or an array that should be a `.npy` file.
pub(super) const MOST_COLUMNS: usize = 10_000;
/// Rows examined for the delimiter, and below the first line for the header.
const LOOKED_AT: usize = 50;
const BELOW: usize = 200;
/// Index of numbers in [`NARROW`](super::infer::NARROW).
const NUMBER: usize = 0;

/// The result of reading a file's first line.
pub(super) struct Layout {
    /// The columns' names.
    pub names: Vec<String>,
    /// True if the first line is a header.
    pub header: bool,
    /// A remark on it for the user.
    pub note: Option<String>,
    /// Number of last columns without a name in the first line.
    pub nameless: usize,
}

/// The columns' names, and whether the first line is a header.
///
/// It is a header if the user says so or names one of its cells; if a text stands above numbers,
/// booleans or dates, and the numbers beside it could be names (`id,2019,2020`); or if all cells
/// are text and no other line repeats one of the first line's.
pub(super) fn layout(
    path: &Path,
    text: &str,
    delimiter: u8,
    options: &ReadTable,
) -> Result<Layout> {
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
    let names = first.iter().enumerate().map(|(n, name)| named(n, name));
    let names: Vec<String> = names.collect();
    let twice = twice(&names);
    let asked = options.text.header.or_else(|| by_names(&first, options));
    let (header, note) = match asked {
        Some(header) => (header, None),
        None => look(&first, records, twice.is_none()),
    };
    let last = (0..first.len()).rev();
    let nameless = last.take_while(|&n| first.get(n) == Some("")).count();
    match twice {
        _ if !header => {
            let names = (0..first.len()).map(|n| format!("column_{n}"));
            Ok(Layout {
                names: names.collect(),
                header,
                note,
                nameless,
            })
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
        None => Ok(Layout {
            names,
            header,
            note,
            nameless,
        }),
    }
}

/// True if the columns that the user names are in the first line; `None` if they don't decide.
fn by_names(first: &StringRecord, options: &ReadTable) -> Option<bool> {
    let of_numbers = || options.text.columns().map(|(_, name)| name);
    let asked = || {
        options
            .kinds
            .keys()
            .chain(&options.named)
            .chain(of_numbers())
    };
    if asked().any(|name| first.iter().any(|cell| cell == name)) {
        return Some(true);
    }
    // `column_3` is the fourth without a header, or with a header that has no name for it.
    let is_numbered = |name: &String| {
        let place = name.strip_prefix("column_")?.parse::<usize>().ok()?;
        first.get(place).map(|cell| !cell.is_empty())
    };
    asked()
        .any(|name| is_numbered(name) == Some(true))
        .then_some(false)
}

/// True if the first line looks like a header, with a remark.
fn look(
    first: &StringRecord,
    below: impl Iterator<Item = StringRecord>,
    distinct: bool,
) -> (bool, Option<String>) {
    let gaps = Gaps::default();
    let mut found: Vec<Found> = first.iter().map(|_| Found::default()).collect();
    let mut again = vec![false; first.len()];
    for row in below.take(BELOW) {
        for (n, (cell, name)) in row.iter().zip(first).enumerate() {
            found[n].add(0, cell, &gaps);
            again[n] |= cell == name;
        }
    }
    let is_gap = |cell: &str| gaps.of(cell) == Gap::Always;
    let (mut texts, mut above, mut odd, mut numbers, mut repeated) = (0, 0, 0, 0, 0);
    for ((cell, found), again) in first.iter().zip(&found).zip(again) {
        match narrow(cell) {
            _ if is_gap(cell) => odd += usize::from(!cell.is_empty()),
            Some(NUMBER) => {
                numbers += 1;
                odd += usize::from(!cell.bytes().all(|b| b.is_ascii_digit()));
                above += usize::from(found.has_no(NUMBER));
            }
            own => {
                texts += 1;
                above += usize::from(found.all_narrow().is_some_and(|of| Some(of) != own));
                repeated += usize::from(again);
            }
        }
    }
    let header = match (texts, above) {
        (0, _) => false,
        // Texts above nothing but texts are names if no row repeats them.
        (_, 0) => numbers == 0 && odd == 0 && repeated == 0 && distinct,
        _ if numbers > 0 => odd == 0 && distinct,
        _ => odd == 0,
    };
    let note = match (header, numbers) {
        (true, 0) => None,
        (true, _) => {
            let number = first.iter().find(|cell| narrow(cell) == Some(NUMBER));
            Some(format!(
                "line 1 is taken as the columns' names, `{}` among them: `data.header = false` \
                 makes it a row",
                number.unwrap_or_default()
            ))
        }
        (false, _) => Some(
            "line 1 is taken as a row, and the columns are named column_0 and so on: \
             `data.header = true` makes it their names"
                .to_owned(),
        ),
    };
    (header, note)
}

/// The name of a column with this header cell.
pub(super) fn named(place: usize, name: &str) -> String {
    match name {
        "" => format!("column_{place}"),
        name => name.to_owned(),
    }
}

/// The first two columns of one name.
fn twice(names: &[String]) -> Option<(usize, usize)> {
    let mut places = HashMap::new();
    for (place, name) in names.iter().enumerate() {
        if let Some(before) = places.insert(name, place) {
            return Some((before, place));
        }
    }
    None
}

/// The delimiter that cuts the first rows into equally many cells, the most if several do; if none
/// does, the one with the most cells in the first row. A comma that occurs only within numbers is
/// no delimiter.
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
        let decimal = || best.0 == b',' && score.0 && score.1 && decimal_commas(text, other);
        if score > best.1 || decimal() {
            best = (other, score);
        }
    }
    best.0
}

/// True if, cut by this delimiter, all commas below the first row are decimal commas.
fn decimal_commas(text: &str, delimiter: u8) -> bool {
    let mut commas = 0;
    let mut rows = records(text, delimiter).skip(1).take(LOOKED_AT);
    let all_numbers = |row: StringRecord| {
        row.iter().filter(|cell| cell.contains(',')).all(|cell| {
            commas += 1;
            number::look(cell).is_some_and(|looked| looked.pairs & number::COMMA != 0)
        })
    };
    rows.all(all_numbers) && commas > 0
}

fn records(text: &str, delimiter: u8) -> impl Iterator<Item = StringRecord> {
    let mut reader = ReaderBuilder::new();
    let reader = reader.has_headers(false).flexible(true).trim(Trim::All);
    let reader = reader.delimiter(delimiter).from_reader(text.as_bytes());
    reader.into_records().flatten()
}
