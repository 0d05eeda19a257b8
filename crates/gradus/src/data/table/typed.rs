//! Columns of a typed source: a file of typed columns, a frame.

use super::block_column::{Places, place};
use super::calendar::date_text;
use super::cell::{number, said_boolean};
use super::dates::{DAY, is_day, moment_text};
use super::gaps::{Gap, Gaps};
use super::{Cells, Column, DateFormat, Kind, NumberFormat, ReadTable, Reading, Table};
use crate::error::{Error, Result};
use std::collections::HashSet;
use std::fmt::Write;

/// A cell of known type.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cell<'a> {
    Missing,
    Boolean(bool),
    Whole(i128),
    Single(f32),
    Double(f64),
    /// A decimal: a whole number and the power of ten to divide it by.
    Decimal(i128, i8),
    /// Days since 1970-01-01.
    Date(i64),
    /// Microseconds since 1970-01-01.
    Time(i64),
    Text(&'a str),
}

/// A source's declaration of a column, known before its cells.
pub(super) struct Head {
    pub name: String,
    /// Type of the column; `None` if it is unsupported.
    pub kind: Option<Kind>,
    /// Name of the type in the source.
    pub called: String,
}

/// A table in the making.
pub(super) struct Making {
    name: String,
    columns: Vec<Typed>,
    /// Columns whose type is given by the options.
    said: HashSet<String>,
}

impl Making {
    /// Refuses columns of unsupported types, unless they are ignored.
    pub fn new(source: &str, heads: Vec<Head>, options: &ReadTable) -> Result<Making> {
        let columns = names(source, &heads, options)?.into_iter().zip(heads);
        let typed = |(name, head): (String, Head)| {
            let ignored = options.ignores(&name);
            let given = options.kinds.get(&name).copied();
            let format = options.dates.get(&name).copied();
            let given = given.or(format.map(|_| Kind::DateTime));
            let kind = match head.kind {
                None if !ignored => {
                    let problem = format!(
                        "column `{name}` is of type {}, which no cell of a table can hold: \
                         `exclude` it, or turn it into numbers, dates or texts",
                        head.called
                    );
                    return Err(Error::file(source, problem));
                }
                // An ignored column keeps its type.
                Some(kind) if ignored => kind,
                kind => given.or(kind).unwrap_or(Kind::Category),
            };
            let (decimal, thousands) = options.text.separators(&name);
            let point = if thousands == Some('.') { ',' } else { '.' };
            let said = NumberFormat {
                decimal: decimal.unwrap_or(point),
                thousands,
                unit: None,
            };
            Ok(Typed {
                format: options.formats.get(&name).copied().unwrap_or(said),
                gaps: Gaps::new(options.text.missing_values.as_ref()),
                is_read: head.kind.is_some() && !options.leaves(&name),
                name,
                ignored,
                cells: Cells::new(kind, 0),
                places: Places::default(),
                dates: format.unwrap_or_default(),
                text: String::new(),
            })
        };
        Ok(Making {
            name: source.to_owned(),
            columns: columns.map(typed).collect::<Result<_>>()?,
            said: options.kinds.keys().cloned().collect(),
        })
    }

    /// True if the column's cells are kept.
    pub fn is_read(&self, column: usize) -> bool {
        self.columns[column].is_read
    }

    /// True if the column is ignored.
    #[cfg(feature = "parquet")]
    pub fn is_ignored(&self, column: usize) -> bool {
        self.columns[column].ignored
    }

    /// Adds cells to a column; `before` is the number of the source's rows before the ones that
    /// this table has.
    pub fn add<'a>(
        &mut self,
        column: usize,
        before: usize,
        cells: impl IntoIterator<Item = Cell<'a>>,
    ) -> Result<()> {
        let to = &mut self.columns[column];
        for cell in cells {
            let cell = if to.is_read { cell } else { Cell::Missing };
            let Err(found) = to.add(cell) else {
                continue;
            };
            if !to.ignored || to.add(Cell::Missing).is_err() {
                return Err(Error::Data {
                    source_name: format!("{}, column `{}`", self.name, to.name),
                    row: Some(before + to.cells.len()),
                    column: None,
                    found,
                    expected: match to.cells.kind() {
                        Kind::Number => "a number that 32 bits can hold".into(),
                        Kind::Date | Kind::DateTime => "a date of the years 0 to 9999".into(),
                        other => format!("a {}", other.name()),
                    },
                });
            }
        }
        Ok(())
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |column| column.cells.len())
    }

    /// The columns' cells, all of one length.
    pub fn columns(self) -> Result<Vec<(String, Cells)>> {
        let rows = self.rows();
        if let Some(odd) = self.columns.iter().find(|c| c.cells.len() != rows) {
            let (first, cells) = (&self.columns[0].name, odd.cells.len());
            let problem = format!(
                "column `{}` has {cells} cells, expected {rows} as in column `{first}`",
                odd.name
            );
            return Err(Error::file(&self.name, problem));
        }
        Ok(self
            .columns
            .into_iter()
            .map(|c| (c.name, c.cells))
            .collect())
    }

    /// The finished table, which must have rows.
    pub fn table(self) -> Result<Table> {
        let (name, said) = (self.name.clone(), self.said.clone());
        whole(name, self.columns()?, &|column| said.contains(column))
    }
}

/// A table of these columns, all of one length; an error if there are no rows, or too many. Times
/// that are all midnight become dates, unless the column's type was `said`.
pub(super) fn whole(
    name: String,
    columns: Vec<(String, Cells)>,
    said: &dyn Fn(&str) -> bool,
) -> Result<Table> {
    let rows = columns.first().map_or(0, |(_, cells)| cells.len());
    if rows == 0 {
        return Err(Error::file(&name, "has columns and no rows"));
    }
    if u32::try_from(rows).is_err() {
        let problem = format!("has {rows} rows, expected fewer than 2^32");
        return Err(Error::file(&name, problem));
    }
    let columns = columns.into_iter();
    let columns = columns.map(|(name, cells)| Column {
        cells: match cells {
            Cells::DateTime(all) if !said(&name) && !is_timed(&all) => {
                let day = |time: i64| time.div_euclid(DAY) as i32;
                Cells::Date(all.into_iter().map(|time| time.map(day)).collect())
            }
            cells => cells,
        },
        name,
        reading: Reading::default(),
    });
    Ok(Table {
        name,
        rows,
        columns: columns.collect(),
        note: None,
    })
}

/// True if one of these times is not midnight.
pub(super) fn is_timed(times: &[Option<i64>]) -> bool {
    times.iter().flatten().any(|time| time % DAY != 0)
}

/// Refuses columns of the same name.
fn names(source: &str, heads: &[Head], options: &ReadTable) -> Result<Vec<String>> {
    if heads.is_empty() {
        return Err(Error::file(source, "has no columns"));
    }
    let most = super::header::MOST_COLUMNS;
    if heads.len() > most {
        let problem = format!(
            "has {} columns, expected at most {most}: an array of numbers belongs in a .npy file",
            heads.len()
        );
        return Err(Error::file(source, problem));
    }
    let named = |(place, head): (usize, &Head)| super::header::named(place, &head.name);
    let names: Vec<String> = heads.iter().enumerate().map(named).collect();
    let mut seen = HashSet::new();
    if let Some(twice) = names.iter().find(|name| !seen.insert(name.as_str())) {
        return Err(Error::file(
            source,
            format!("two columns are named `{twice}`"),
        ));
    }
    for name in options.kinds.keys().chain(options.dates.keys()) {
        if !seen.contains(name.as_str()) {
            let known = names.iter().map(String::as_str);
            return Err(Error::unknown(source, "column", name, known));
        }
    }
    Ok(names)
}

/// A column in the making.
struct Typed {
    name: String,
    is_read: bool,
    ignored: bool,
    cells: Cells,
    places: Places,
    /// Format of its dates in text files.
    dates: DateFormat,
    text: String,
    /// Format of numbers in texts.
    format: NumberFormat,
    gaps: Gaps,
}

impl Typed {
    /// Adds a cell, or returns its value's description if it does not fit the column's type. A cell
    /// of another type is written as text, and read as a cell of a CSV file would be.
    fn add(&mut self, cell: Cell<'_>) -> Result<(), String> {
        let number = |all: &mut Vec<f64>, x: f64| match (x as f32).is_infinite() {
            false => {
                all.push(x);
                Ok(())
            }
            true => Err(written(cell)),
        };
        match (&mut self.cells, cell) {
            (Cells::Number(all), Cell::Missing) => all.push(f64::NAN),
            (Cells::Boolean(all), Cell::Missing) => all.push(f32::NAN),
            (Cells::Date(all), Cell::Missing) => all.push(None),
            (Cells::DateTime(all), Cell::Missing) => all.push(None),
            (Cells::Category { codes, .. }, Cell::Missing) => codes.push(None),
            (Cells::Number(all), Cell::Single(x)) => return number(all, x.into()),
            (Cells::Number(all), Cell::Double(x)) => return number(all, x),
            (Cells::Number(all), Cell::Whole(n)) => all.push(n as f64),
            (Cells::Boolean(all), Cell::Boolean(x)) => all.push(f32::from(u8::from(x))),
            (Cells::Date(all), Cell::Date(day)) => match is_day(day) {
                true => all.push(Some(day as i32)),
                false => return Err(written(cell)),
            },
            (Cells::Date(all), Cell::Time(time)) => match is_day(time.div_euclid(DAY)) {
                true => all.push(Some(time.div_euclid(DAY) as i32)),
                false => return Err(written(cell)),
            },
            (Cells::DateTime(all), Cell::Time(time)) => match is_day(time.div_euclid(DAY)) {
                true => all.push(Some(time)),
                false => return Err(written(cell)),
            },
            (Cells::DateTime(all), Cell::Date(day)) => match is_day(day) {
                true => all.push(Some(day * DAY)),
                false => return Err(written(cell)),
            },
            (_, Cell::Text(text)) => return self.read(text.trim(), self.format),
            (_, cell) => {
                let mut text = std::mem::take(&mut self.text);
                text.clear();
                write_cell(&mut text, cell);
                let read = self.read(&text, NumberFormat::PLAIN);
                self.text = text;
                return read;
            }
        }
        Ok(())
    }

    /// Parses a text and adds its value.
    fn read(&mut self, text: &str, format: NumberFormat) -> Result<(), String> {
        let in_numbers = matches!(self.cells.kind(), Kind::Number | Kind::Date);
        match self.gaps.of(text) {
            Gap::Always => return self.add(Cell::Missing),
            Gap::InNumbers if in_numbers => return self.add(Cell::Missing),
            _ => {}
        }
        let wrong = || written(Cell::Text(text));
        match &mut self.cells {
            Cells::Number(all) => {
                let number = format.number(text, number);
                all.push(number.ok_or_else(wrong)?);
            }
            Cells::Boolean(all) => all.push(said_boolean(text).ok_or_else(wrong)?),
            Cells::Date(all) => all.push(Some(self.dates.read(text).ok_or_else(wrong)?.day)),
            Cells::DateTime(all) => {
                all.push(Some(self.dates.read(text).ok_or_else(wrong)?.micros));
            }
            Cells::Category { names, codes } => codes.push(Some(match self.places.get(text) {
                Some(&code) => code,
                None => place(text.to_owned(), names, &mut self.places),
            })),
        }
        Ok(())
    }
}

/// A cell as errors print it.
fn written(cell: Cell<'_>) -> String {
    let mut text = String::new();
    write_cell(&mut text, cell);
    let short: String = text.chars().take(40).collect();
    format!("`{short}`")
}

/// A cell as a CSV file has it.
fn write_cell(to: &mut String, cell: Cell<'_>) {
    // A number without a fraction is printed as a whole number, whatever its stored type.
    let float = |to: &mut String, text: String| {
        to.push_str(text.strip_suffix(".0").unwrap_or(&text));
    };
    match cell {
        Cell::Missing => {}
        Cell::Boolean(x) => to.push_str(if x { "true" } else { "false" }),
        Cell::Single(x) => float(to, format!("{x:?}")),
        Cell::Double(x) => float(to, format!("{x:?}")),
        Cell::Whole(n) | Cell::Decimal(n, 0) => {
            let _ = write!(to, "{n}");
        }
        Cell::Decimal(n, scale) => write_decimal(to, n, scale),
        Cell::Date(day) if is_day(day) => to.push_str(&date_text(day as i32)),
        Cell::Date(day) => {
            let _ = write!(to, "day {day} from 1970-01-01 on");
        }
        // As pandas writes a column of midnights.
        Cell::Time(time) if is_day(time.div_euclid(DAY)) => match time % DAY {
            0 => to.push_str(&date_text(time.div_euclid(DAY) as i32)),
            _ => to.push_str(&moment_text(time)),
        },
        Cell::Time(time) => {
            let _ = write!(to, "microsecond {time} from 1970-01-01 on");
        }
        Cell::Text(text) => to.push_str(text),
    }
}

fn write_decimal(to: &mut String, n: i128, scale: i8) {
    let mut digits = n.unsigned_abs().to_string();
    let point = usize::from(scale.unsigned_abs());
    if n < 0 {
        to.push('-');
    }
    if scale < 0 {
        digits.extend(std::iter::repeat_n('0', if n == 0 { 0 } else { point }));
        return to.push_str(&digits);
    }
    let zeros = (point + 1).saturating_sub(digits.len());
    digits.insert_str(0, &"0".repeat(zeros));
    let (whole, part) = digits.split_at(digits.len() - point);
    to.push_str(whole);
    let part = part.trim_end_matches('0');
    if !part.is_empty() {
        to.push('.');
        to.push_str(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(kind: Kind, cells: &[Cell<'_>]) -> Result<Cells> {
        let head = Head {
            name: "x".into(),
            kind: Some(kind),
            called: String::new(),
        };
        let mut making = Making::new("frame", vec![head], &ReadTable::default())?;
        making.add(0, 100, cells.iter().copied())?;
        Ok(making.table()?.columns.remove(0).cells)
    }

    #[test]
    fn a_number_as_a_category_is_the_text_that_a_csv_has() {
        let numbers = [
            Cell::Whole(i128::from(i64::MAX)),
            Cell::Double(3.0),
            Cell::Whole(3),
            Cell::Single(0.1),
            Cell::Double(f64::NAN),
            Cell::Decimal(-1050, 2),
            Cell::Decimal(7, 3),
            Cell::Decimal(7, -2),
            Cell::Date(19_000),
            Cell::Boolean(true),
            Cell::Text(" a "),
            Cell::Text("NA"),
        ];
        let Cells::Category { names, codes } = one(Kind::Category, &numbers).unwrap() else {
            panic!()
        };
        let expected = "9223372036854775807 3 0.1 -10.5 0.007 700 2022-01-08 true a";
        assert_eq!(names.join(" "), expected);
        let codes: Vec<i64> = codes.iter().map(|c| c.map_or(-1, i64::from)).collect();
        assert_eq!(codes, [0, 1, 1, 2, -1, 3, 4, 5, 6, 7, 8, -1]);
    }

    #[test]
    fn a_cell_that_does_not_fit_is_named_with_its_row() {
        let error = |kind, cell| {
            let error = one(kind, &[Cell::Missing, cell]).unwrap_err();
            error.to_string()
        };
        assert_eq!(
            error(Kind::Number, Cell::Double(1e99)),
            "frame, column `x`, row 101: found `1e99`, expected a number that 32 bits can hold"
        );
        let text = error(Kind::Number, Cell::Single(f32::INFINITY));
        assert!(text.contains("`inf`"), "{text}");
        let text = error(Kind::Boolean, Cell::Whole(2));
        assert!(text.ends_with("found `2`, expected a boolean"), "{text}");
        let text = error(Kind::Date, Cell::Date(i64::MAX));
        assert!(text.contains("day 9223372036854775807"), "{text}");
        error(Kind::Date, Cell::Text("2024-02-30"));
    }
}
