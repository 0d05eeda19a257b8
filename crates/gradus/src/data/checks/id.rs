//! Columns that say which row it is, and nothing about it.

use super::finding::Finding;
use super::rows::{Column, Rows};
use foldhash::HashSet;

const NAME: &str = "id";
/// Fewer rows tell too little.
const FEWEST_ROWS: usize = 50;

pub(super) fn look(rows: &Rows<'_>) -> Vec<Finding> {
    let count = rows.train.rows();
    if count < FEWEST_ROWS {
        return Vec::new();
    }
    let (sample, mut findings) = (rows.sample(), Vec::new());
    for column in &rows.columns {
        let found = match column.texts() {
            Some(_) => {
                let texts = different(column, &rows.all());
                (texts * 2 > count).then(|| format!("{texts} different texts in {count} rows"))
            }
            None => {
                let source = |row| rows.train.inputs()[0].source_row(row);
                let counts = counts(column, &sample, source) && counts(column, &rows.all(), source);
                counts.then(|| "it counts the rows of the file".to_owned())
            }
        };
        if let Some(found) = found {
            let mut advice = format!("it tells rows apart: {}", rows.way_out(&column.place));
            if let (Some(name), true) = (&column.place.column, rows.is_table()) {
                advice += &format!(
                    ", or `columns = {{ {name:?} = \"id\" }}` to keep it beside predictions"
                );
            }
            findings.push(Finding::warning(NAME, column.place.clone(), found, advice));
        }
    }
    findings
}

/// How many different cells there are.
pub(super) fn different(column: &Column<'_>, rows: &[usize]) -> usize {
    let mut seen = HashSet::default();
    rows.iter().for_each(|&row| {
        seen.insert(column.code(row));
    });
    seen.len()
}

/// Whether the column is the row's number in its file, counted from anywhere.
fn counts(column: &Column<'_>, rows: &[usize], source: impl Fn(usize) -> usize) -> bool {
    let begin = |row: usize| {
        let number = column.number(row)?;
        Some(number - source(row) as f64)
    };
    let Some(first) = rows.first().and_then(|&row| begin(row)) else {
        return false;
    };
    first.fract() == 0.0 && rows.iter().all(|&row| begin(row) == Some(first))
}
