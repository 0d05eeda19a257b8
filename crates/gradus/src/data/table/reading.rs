//! Remarks for the user on the reading of a table's text.

use super::{Column, DateFormat, Kind, NumberFormat, Table};
use crate::base::shown::first;
use serde::{Deserialize, Serialize};

/// The reading of a column's text, if it was not plain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Format of its numbers.
    #[serde(default, skip_serializing_if = "NumberFormat::is_plain")]
    pub format: NumberFormat,
    /// Format of its dates.
    #[serde(default, skip_serializing_if = "DateFormat::is_iso")]
    pub dates: DateFormat,
    /// Remarks on its dates: the order of day and month was guessed, or hours are in UTC.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub date_notes: Vec<String>,
    /// The choice made, if its cells are ambiguous.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guess: Option<String>,
    /// The words read as missing values, with their counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<(String, usize)>,
}

/// Limit of columns, and of words of one, that are named.
const NAMED: usize = 4;

impl Table {
    /// Remarks for the user on the reading of the text, a line each: a first line read as data,
    /// numbers that are not plain, guesses, words for missing values. `wanted` selects the columns.
    pub fn notes(&self, wanted: &dyn Fn(&str) -> bool) -> Vec<String> {
        let columns = || self.columns.iter().filter(|column| wanted(&column.name));
        let mut notes: Vec<String> = self.note.iter().cloned().collect();
        let named = |all: Vec<String>| first(NAMED, all);
        let numbers = columns().filter(|c| c.cells.kind() == Kind::Number);
        let written = numbers.filter(|c| !c.reading.format.is_plain());
        let written = written.map(|c| format!("{} ({})", c.name, c.reading.format));
        let written: Vec<String> = written.collect();
        if !written.is_empty() {
            notes.push(format!("numbers as they are written: {}", named(written)));
        }
        let gaps = columns().filter(|column| !column.reading.gaps.is_empty());
        let gaps = gaps.map(|c| format!("{} ({})", c.name, gap_words(&c.reading.gaps)));
        let gaps: Vec<String> = gaps.collect();
        if !gaps.is_empty() {
            notes.push(format!("words read as gaps: {}", named(gaps)));
        }
        for Column { name, reading, .. } in columns() {
            let of_column = reading.guess.iter().chain(&reading.date_notes);
            notes.extend(of_column.map(|note| format!("column `{name}`: {note}")));
        }
        notes
    }
}

/// Words with their counts: `NA` 12, `?` 2.
fn gap_words(words: &[(String, usize)]) -> String {
    let first = words.iter().take(NAMED);
    let first: Vec<String> = first.map(|(word, n)| format!("`{word}` {n}")).collect();
    match words.len() {
        n if n > NAMED => format!("{}, …", first.join(", ")),
        _ => first.join(", "),
    }
}
