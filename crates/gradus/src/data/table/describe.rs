//! An overview of a table's columns.

use super::calendar::date_text;
use super::dates::moment_text;
use super::{Cells, Kind, Reading, Table};
use crate::base::written;
use std::collections::HashSet;

/// Bars of a histogram.
const BARS: usize = 12;

/// An overview of a column.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnLook {
    /// The name.
    pub name: String,
    /// Type of the column.
    pub kind: Kind,
    /// Number of missing cells.
    pub missing: usize,
    /// Number of distinct values.
    pub distinct: usize,
    /// A histogram of its numbers or days, or of the counts of its most frequent texts; empty with
    /// fewer than two values.
    pub bars: String,
    /// The values themselves.
    pub values: LookValues,
    /// The formats, guesses and missing-value words by which its text was read.
    pub reading: Reading,
}

/// A summary of a column's values.
#[derive(Clone, Debug, PartialEq)]
pub enum LookValues {
    /// No values.
    Nothing,
    /// A single value.
    Always(String),
    /// The minimum and the maximum.
    Range(String, String),
    /// Distinct values with their counts, the most frequent first.
    Counts(Vec<(String, usize)>),
}

impl Table {
    /// Overviews of its columns, in their order.
    pub fn looks(&self) -> Vec<ColumnLook> {
        let look = |column: &super::Column| {
            let (distinct, bars, values) = look(&column.cells);
            ColumnLook {
                name: column.name.clone(),
                kind: column.cells.kind(),
                missing: column.cells.missing(),
                distinct,
                bars,
                values,
                reading: column.reading.clone(),
            }
        };
        self.columns.iter().map(look).collect()
    }
}

fn look(cells: &Cells) -> (usize, String, LookValues) {
    match cells {
        Cells::Number(all) => {
            let there = all.iter().copied().filter(|x| !x.is_nan());
            numbers(&there.collect::<Vec<_>>(), short)
        }
        Cells::Date(all) => {
            let there: Vec<f64> = all.iter().flatten().map(|&day| day.into()).collect();
            numbers(&there, |day| date_text(day as i32))
        }
        // A 64-bit float holds every microsecond of the years 1684 to 2255.
        Cells::DateTime(all) => {
            let there: Vec<f64> = all.iter().flatten().map(|&time| time as f64).collect();
            let different: HashSet<i64> = all.iter().flatten().copied().collect();
            let (_, bars, values) = numbers(&there, |time| moment_text(time as i64));
            (different.len(), bars, values)
        }
        Cells::Boolean(all) => {
            let count = |value| all.iter().filter(|&&x| x == value).count();
            counts(vec![
                ("true".into(), count(1.0)),
                ("false".into(), count(0.0)),
            ])
        }
        Cells::Category { names, codes } => {
            let mut found = vec![0_usize; names.len()];
            codes
                .iter()
                .flatten()
                .for_each(|&code| found[code as usize] += 1);
            counts(names.iter().cloned().zip(found).collect())
        }
    }
}

/// A number as short as it reads back, with an exponent if that is long; fractions have ten digits.
fn short(x: f64) -> String {
    let x = match x.fract() == 0.0 {
        true => x,
        false => format!("{x:.9e}").parse().unwrap_or(x),
    };
    let text = written::double(x);
    match text.len() > 12 {
        true => format!("{x:e}"),
        false => text,
    }
}

fn counts(mut all: Vec<(String, usize)>) -> (usize, String, LookValues) {
    all.retain(|(_, count)| *count > 0);
    all.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let first: Vec<usize> = all.iter().take(BARS).map(|(_, count)| *count).collect();
    let distinct = all.len();
    match &all[..] {
        [] => (0, String::new(), LookValues::Nothing),
        [(only, _)] => (1, String::new(), LookValues::Always(only.clone())),
        _ => (distinct, bars(&first), LookValues::Counts(all)),
    }
}

/// The number of distinct values, their histogram and range.
fn numbers(all: &[f64], written: impl Fn(f64) -> String) -> (usize, String, LookValues) {
    let distinct: HashSet<u64> = all.iter().map(|x| (x + 0.0).to_bits()).collect();
    let least = all.iter().copied().fold(f64::INFINITY, f64::min);
    let most = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    match distinct.len() {
        0 => return (0, String::new(), LookValues::Nothing),
        1 => return (1, String::new(), LookValues::Always(written(least))),
        _ => {}
    }
    let mut counts = [0_usize; BARS];
    for x in all {
        let bar = ((x - least) / (most - least) * BARS as f64) as usize;
        counts[bar.min(BARS - 1)] += 1;
    }
    let range = LookValues::Range(written(least), written(most));
    (distinct.len(), bars(&counts), range)
}

fn bars(counts: &[usize]) -> String {
    const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let highest = counts.iter().copied().max().unwrap_or(1);
    let bar = |&count: &usize| match count {
        0 => ' ',
        count => LEVELS[(count * LEVELS.len()).div_ceil(highest) - 1],
    };
    counts.iter().map(bar).collect()
}
