//! Columns that identify rows and carry no other information.

use super::finding::Finding;
use super::rows::{Column, Rows};
use foldhash::HashSet;

const NAME: &str = "id";
/// Fewer rows are no evidence.
const FEWEST_ROWS: usize = 50;
/// Share of the integers between minimum and maximum that an id column uses.
const NEARLY_ALL: f64 = 0.9;
const HALF: f64 = 0.5;

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
                match counts {
                    true => Some("it counts the rows of the file".to_owned()),
                    false => numbers_rows(column, rows),
                }
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

/// The reason to take a numeric column for ids, if it is one: its values are distinct whole
/// numbers, and nearly gapless, ascending from row to row, or the column's name says so.
fn numbers_rows(column: &Column<'_>, rows: &Rows<'_>) -> Option<String> {
    let all = rows.all();
    let mut seen = HashSet::default();
    let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
    let (mut before, mut rises) = (f64::NEG_INFINITY, true);
    for &row in &all {
        let x = column.number(row)?;
        if x.fract() != 0.0 || !seen.insert(x.to_bits()) {
            return None;
        }
        (least, most) = (least.min(x), most.max(x));
        (before, rises) = (x, rises && x > before);
    }
    let held_out: usize = rows.held_out.iter().map(|(_, data)| data.rows()).sum();
    // In larger data, the examined rows are evenly spread.
    let share = all.len() as f64 / rows.train.rows() as f64;
    let density = (rows.train.rows() + held_out) as f64 / (most - least + 1.0);
    let found = format!("another whole number in each of {} rows", all.len());
    if density >= NEARLY_ALL && share == 1.0 {
        return Some(format!("{found}, nearly without gaps"));
    }
    if rises && density >= HALF {
        return Some(format!("{found}, rising from row to row"));
    }
    let name = column.place.column.as_ref().filter(|_| rows.is_table())?;
    is_key(name).then(|| format!("{found}, and it is called `{name}`"))
}

/// True if a name is that of an id column: `id`, `PassengerId`, `order_key`, `Unnamed: 0`.
fn is_key(name: &str) -> bool {
    const WORDS: [&str; 14] = [
        "id", "ids", "key", "pk", "uuid", "guid", "index", "idx", "row", "rownum", "rowid",
        "number", "nr", "no",
    ];
    if name.starts_with("Unnamed") {
        return true;
    }
    // The last word of the name; words are separated by marks or capitals.
    let mut last = String::new();
    let mut was_small = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || c.is_uppercase() && was_small {
            last.clear();
        }
        if c.is_alphanumeric() {
            last.extend(c.to_lowercase());
        }
        was_small = c.is_lowercase();
    }
    WORDS.contains(&last.as_str())
}

/// Number of distinct cells.
pub(super) fn different(column: &Column<'_>, rows: &[usize]) -> usize {
    let mut seen = HashSet::default();
    rows.iter().for_each(|&row| {
        seen.insert(column.code(row));
    });
    seen.len()
}

/// True if the column counts the rows of its file, from any start.
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

#[cfg(test)]
mod tests {
    #[test]
    fn a_name_says_that_it_is_a_key_by_its_last_word() {
        let keys = [
            "id",
            "ID",
            "PassengerId",
            "CustomerID",
            "order_key",
            "row id",
            "Unnamed: 0",
        ];
        for name in keys {
            assert!(super::is_key(name), "{name}");
        }
        for name in [
            "grid", "idle", "id_count", "price", "keyboard", "", "paid", "width",
        ] {
            assert!(!super::is_key(name), "{name}");
        }
    }
}
