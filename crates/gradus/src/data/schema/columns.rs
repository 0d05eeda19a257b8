//! Conversion of columns to tensors.

use super::{Feature, KnownTexts, Schema, TableOptions, Target};
use crate::base::written;
use crate::data::check::WEIGHT;
use crate::data::table::{Cells, Column, Kind, Table};
use crate::data::{Dataset, Tensor};
use crate::error::{Error, Result};
use std::sync::Arc;

/// Features of a date with a time of day, the first as those of a date. The hour of day is cyclic:
/// by its sine and cosine, 23:59 is near 0:00.
pub(crate) const DATETIME_PARTS: [&str; 8] = [
    "year",
    "month",
    "day",
    "weekday",
    "day of the year",
    "sine of the time of day",
    "cosine of the time of day",
    "second of the day",
];

/// Features of a date, one number each.
pub(crate) const DATE_PARTS: [&str; 5] = ["year", "month", "day", "weekday", "day of the year"];

impl Schema {
    /// The rows of a table as a model's inputs, and its targets if `labelled`.
    ///
    /// A number or boolean is a row of one number, NaN where it is missing; a date is five
    /// numbers (year, month, day, weekday, day of the year), with a time of day eight; a
    /// category is a text, the empty one where it is missing.
    /// A class is its number. An error where a target is missing, or no class.
    pub fn dataset(&self, table: &Table, labelled: bool) -> Result<Dataset> {
        let columns = table.by_name();
        let column = |name: &str| {
            let found = columns.get(name).copied();
            let known = || table.columns.iter().map(|c| c.name.as_str());
            found.ok_or_else(|| Error::unknown(&table.name, "column", name, known()))
        };
        let named =
            |tensor: Tensor, name: &str| tensor.named(&format!("{}, column `{name}`", table.name));
        let mut inputs = Vec::with_capacity(self.features.len());
        for feature in &self.features {
            let tensor = input(feature, column(&feature.name)?, &self.known)?;
            inputs.push(named(tensor, &feature.name));
        }
        let mut targets = Vec::new();
        for target in self.targets.iter().filter(|_| labelled) {
            let values = numbers(&table.name, target, column(&target.name)?)?;
            targets.push(named(Tensor::from_f64([], values)?, &target.name));
        }
        let inputs_named: Vec<&str> = self.features.iter().map(|f| f.input.as_str()).collect();
        let targets_named: Vec<String> = self.targets.iter().map(Target::output).collect();
        let targets_named = match labelled {
            true => &targets_named[..],
            false => &[],
        };
        let data = Dataset::from_parts(inputs, targets)?
            .named(&table.name)
            .with_names(&inputs_named, targets_named)?;
        let mut ids = Vec::new();
        for name in self.ids.iter() {
            // New rows may come without the weight column.
            if let Some(column) = columns.get(name.as_str()) {
                ids.push((name.clone(), texts(column)?));
            }
        }
        let data = self.subtracted(data.with_ids(ids)?)?;
        Ok(match &self.targets[..] {
            [one] => data.with_class_names(&one.classes),
            _ => data,
        })
    }
}

impl TableOptions {
    /// These rows of the table with their weights, if a weight column is named.
    ///
    /// An error if it is missing or not numeric, or a weight is missing or below 0.
    pub fn weighted(&self, rows: Dataset, table: &Table) -> Result<Dataset> {
        match self.weights(table)? {
            Some(weights) => rows.with_sample_weight(weights),
            None => Ok(rows),
        }
    }

    fn weights(&self, table: &Table) -> Result<Option<Tensor>> {
        let Some(name) = &self.sample_weight else {
            return Ok(None);
        };
        let found = table.columns.iter().find(|c| c.name == *name);
        match found.map(|c| &c.cells) {
            Some(Cells::Number(all)) => {
                if let Some(row) = all.iter().position(|&w| !(0.0..f64::INFINITY).contains(&w)) {
                    return Err(Error::Data {
                        source_name: format!("{}, column `{name}`", table.name),
                        row: Some(row),
                        column: None,
                        found: match all[row].is_nan() {
                            true => "nothing".into(),
                            false => written::double(all[row]),
                        },
                        expected: WEIGHT.into(),
                    });
                }
                let title = format!("{}, column `{name}`", table.name);
                Ok(Some(Tensor::from_f64([], all.clone())?.named(&title)))
            }
            Some(other) => {
                let found = format!("a column of type {}", other.kind().name());
                let at = format!("sample_weight, `{name}`");
                Err(Error::invalid(&at, found, "numbers"))
            }
            None => {
                let known = table.columns.iter().map(|c| c.name.as_str());
                Err(Error::unknown("sample_weight", "column", name, known))
            }
        }
    }
}

fn input(feature: &Feature, column: &Column, known: &KnownTexts) -> Result<Tensor> {
    match &column.cells {
        cells if cells.kind() != feature.kind => Err(Error::invalid(
            &format!("column `{}`", feature.name),
            cells.kind().name(),
            feature.kind.name(),
        )),
        Cells::Number(all) => Tensor::from_f64([1], all.clone()),
        Cells::Boolean(all) => Tensor::from_f32([1], all.clone()),
        Cells::Date(days) => {
            let parts = days.iter().flat_map(|&day| match day {
                Some(day) => parts(day),
                None => [f32::NAN; DATE_PARTS.len()],
            });
            Tensor::from_f32([DATE_PARTS.len()], parts.collect())
        }
        Cells::DateTime(times) => {
            let parts = times.iter().flat_map(|&time| match time {
                Some(time) => time_parts(time),
                None => [f32::NAN; DATETIME_PARTS.len()],
            });
            Tensor::from_f32([DATETIME_PARTS.len()], parts.collect())
        }
        Cells::Category { names, .. } => {
            let known = known.get(&feature.name);
            let same = |name: &String| known?.same(name);
            if !names.iter().any(|name| same(name).is_some()) {
                return texts(column);
            }
            let mut column = column.clone();
            if let Cells::Category { names, .. } = &mut column.cells {
                for name in names {
                    if let Some(same) = same(name) {
                        name.clone_from(same);
                    }
                }
            }
            texts(&column)
        }
    }
}

/// A column of texts, empty if missing.
fn texts(column: &Column) -> Result<Tensor> {
    let Cells::Category { names, codes } = &column.cells else {
        let found = column.cells.kind().name();
        return Err(Error::invalid(&column.name, found, "texts"));
    };
    let mut names = names.clone();
    if codes.iter().any(Option::is_none) {
        names.push(String::new());
    }
    let missing = names.len().saturating_sub(1) as u32;
    let codes = codes.iter().map(|code| code.unwrap_or(missing));
    Tensor::from_dictionary([1], Arc::new(names), codes.collect())
}

/// The features of a date, of which 1970-01-01 is day 0. Monday is weekday 0.
fn parts(day: i32) -> [f32; DATE_PARTS.len()] {
    let (year, month, of_month) = crate::data::table::date_parts(day);
    let first = crate::data::table::day_of(year, 1, 1);
    let weekday = (i64::from(day) + 3).rem_euclid(7);
    [
        year as f32,
        month as f32,
        of_month as f32,
        weekday as f32,
        (day - first + 1) as f32,
    ]
}

/// The features of a time in microseconds since 1970-01-01.
fn time_parts(micros: i64) -> [f32; DATETIME_PARTS.len()] {
    let (day, time) = crate::data::table::day_and_time(micros);
    let [year, month, of_month, weekday, of_year] = parts(day);
    let seconds = time as f64 / 1e6;
    let angle = seconds / 86_400.0 * std::f64::consts::TAU;
    [
        year,
        month,
        of_month,
        weekday,
        of_year,
        angle.sin() as f32,
        angle.cos() as f32,
        seconds as f32,
    ]
}

/// The values of a target: numbers as they are, or class labels.
fn numbers(table: &str, target: &Target, column: &Column) -> Result<Vec<f64>> {
    let problem = |row: usize, found: String, expected: String| Error::Data {
        source_name: format!("{table}, target `{}`", target.name),
        row: Some(row),
        column: None,
        found,
        expected,
    };
    let missing = |row: usize| {
        let expected = "a value in each row: leave such rows out";
        problem(row, "nothing".into(), expected.into())
    };
    let wrong = || {
        let at = format!("{table}, target `{}`", target.name);
        Error::invalid(&at, column.cells.kind().name(), target.kind.name())
    };
    match &column.cells {
        Cells::Number(all) if target.kind == Kind::Number => {
            match all.iter().position(|x| x.is_nan()) {
                Some(row) => Err(missing(row)),
                None if target.classes.is_empty() => Ok(all.clone()),
                None => {
                    let class = all.iter().enumerate().map(|(row, &x)| {
                        let class = target.class_of_number(x).map(|n| n as f64);
                        class.ok_or_else(|| {
                            let expected = format!(
                                "one of the classes {}; `columns = {{ {:?} = \"number\" }}` makes \
                                 numbers of them",
                                target.class_list(),
                                target.name
                            );
                            problem(row, format!("`{}`", written::double(x)), expected)
                        })
                    });
                    class.collect()
                }
            }
        }
        Cells::Boolean(all) if target.kind == Kind::Boolean => {
            match all.iter().position(|x| x.is_nan()) {
                Some(row) => Err(missing(row)),
                None => Ok(all.iter().map(|&x| x.into()).collect()),
            }
        }
        Cells::Category { names, codes } if target.kind == Kind::Category => {
            let places: Vec<Option<usize>> = match names == &target.classes {
                true => (0..names.len()).map(Some).collect(),
                false => names
                    .iter()
                    .map(|name| target.class_of_text(name))
                    .collect(),
            };
            let codes = codes.iter().enumerate();
            let number = |(row, code): (usize, &Option<u32>)| match code {
                None => Err(missing(row)),
                Some(code) => places[*code as usize].map(|n| n as f64).ok_or_else(|| {
                    let found = format!("`{}`", names[*code as usize]);
                    problem(
                        row,
                        found,
                        format!("one of the classes {}", target.class_list()),
                    )
                }),
            };
            codes.map(number).collect()
        }
        _ => Err(wrong()),
    }
}
