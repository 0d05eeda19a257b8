//! A table: its columns, and a guess of the one to predict.

use super::text::{Rows, toml};
use crate::data::{ColumnLook, HOUSING, Kind, LookValues, Table, TableOptions};
use crate::error::{Error, Result};
use std::path::Path;

/// Names of columns that say themselves what is to be predicted.
const TARGETS: [&str; 4] = ["target", "label", "class", "y"];

/// The target of the built-in table.
const OF_HOUSING: &str = "median_house_value";

/// Columns that are described before the others are only counted.
const DESCRIBED: usize = 60;

/// Rows of a class that are needed to give each part its share of it.
const OF_A_CLASS: usize = 20;

/// Looks at the table of a path, which the user calls `data`.
pub fn look(data: &str, path: &Path) -> Result<Rows> {
    let table = Table::read(path, &TableOptions::new().read_table(&[]))?;
    let looks = table.looks();
    let mut rows = Rows::default();
    let columns = looks.len();
    rows.seen.push(format!(
        "{} rows, {columns} columns, as they were read:",
        table.rows
    ));
    let longest = looks.iter().map(|look| look.name.chars().count()).max();
    let width = longest.unwrap_or(0).min(32);
    for look in looks.iter().take(DESCRIBED) {
        rows.seen
            .push(format!("  {:<width$}  {}", look.name, about(look)));
    }
    if columns > DESCRIBED {
        rows.seen
            .push(format!("  and {} more", columns - DESCRIBED));
    }
    rows.seen
        .push(format!("`gradus data show {data}` says more of them."));
    match data == HOUSING {
        true => rows.key("dataset", data),
        false => rows.key("table", data),
    }
    let (target, why) = target(&looks, data, table.rows)?;
    rows.remark(&format!("The column to predict{why}."));
    rows.key("target", target.name.as_str());
    rows.remark("What a column is, if it was read wrongly, and columns that are not to be used:");
    let other = looks.iter().find(|look| look.name != target.name);
    let other = other.map_or("NAME", |look| look.name.as_str());
    rows.remark(&format!("columns = {{ {} = \"category\" }}", key(other)));
    rows.remark(&format!("exclude = [{}]", toml(other)));
    let way = match is_split_by_class(target) {
        true => "stratify",
        false => "shuffle",
    };
    rows.hold_out(table.rows, way, true);
    Ok(rows)
}

/// The column to predict, and a remark on how it was found.
fn target<'a>(
    looks: &'a [ColumnLook],
    data: &str,
    rows: usize,
) -> Result<(&'a ColumnLook, String)> {
    if looks.len() < 2 {
        let expected = "two at least: one to predict, and one to predict it from";
        return Err(Error::invalid(data, "a table of one column", expected));
    }
    if data == HOUSING
        && let Some(look) = looks.iter().find(|look| look.name == OF_HOUSING)
    {
        return Ok((look, String::new()));
    }
    let is_named = |look: &&ColumnLook| TARGETS.contains(&look.name.to_lowercase().as_str());
    let fits = |look: &&ColumnLook| can_be_predicted(look, rows);
    if let Some(look) = looks.iter().filter(is_named).find(fits) {
        let why = ", by its name: change this if it is another";
        return Ok((look, why.into()));
    }
    let Some(last) = looks.iter().rev().find(fits) else {
        let expected = "a column of numbers, or of texts that come more than once";
        return Err(Error::invalid(
            data,
            "no column that could be predicted",
            expected,
        ));
    };
    let which = match looks.last() == Some(last) {
        true => "the last column",
        false => "the last column with numbers or classes",
    };
    Ok((last, format!(": a guess, {which}; change this")))
}

/// True if a column has different values that are no dates, and no texts of their own for each row.
fn can_be_predicted(look: &ColumnLook, rows: usize) -> bool {
    let repeats = look.kind != Kind::Category || look.distinct <= rows / 2;
    let is_date = matches!(look.kind, Kind::Date | Kind::DateTime);
    look.distinct > 1 && repeats && !is_date
}

/// True if the rows of each class are enough for a share of them in every part.
fn is_split_by_class(target: &ColumnLook) -> bool {
    match &target.values {
        LookValues::Counts(counts) => counts.iter().all(|(_, count)| *count >= OF_A_CLASS),
        _ => false,
    }
}

/// A column's type and values: `category, 3 texts: a, b, c`.
fn about(look: &ColumnLook) -> String {
    let gaps = match look.missing {
        0 => String::new(),
        missing => format!(", {missing} missing"),
    };
    let values = match &look.values {
        LookValues::Nothing => ", empty".into(),
        LookValues::Always(one) => format!(", always {one}"),
        LookValues::Range(least, most) => format!(", {least} to {most}"),
        LookValues::Counts(counts) => {
            /// Texts that are named, and characters of them.
            const NAMED: usize = 4;
            const LONGEST: usize = 24;
            let short = |text: &str| text.chars().take(LONGEST).collect::<String>();
            let named: Vec<String> = counts
                .iter()
                .take(NAMED)
                .map(|(text, _)| short(text))
                .collect();
            let more = if counts.len() > NAMED { ", …" } else { "" };
            format!(", {} different: {}{more}", counts.len(), named.join(", "))
        }
    };
    format!("{}{values}{gaps}", look.kind.name())
}

/// A key of a table in TOML, quoted if need be.
fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    match !name.is_empty() && name.chars().all(bare) {
        true => name.to_owned(),
        false => toml(name),
    }
}
