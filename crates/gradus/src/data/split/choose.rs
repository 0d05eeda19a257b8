//! From `validation` and `test` to rows: the words of a configuration, applied
//! to the keys of each row.

use super::hold_out::{HoldOut, SplitBy};
use super::keys::Keys;
use crate::data::split::{self, Sides};
use crate::error::{Error, Result};
use std::collections::HashMap;
use std::ops::Range;

/// The rows of a run by their use, ascending; those with files of their own are `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::data) struct Chosen {
    pub train: Vec<usize>,
    pub validation: Option<Vec<usize>>,
    pub test: Option<Vec<usize>>,
}

/// Chooses the rows for the test first, then those for the validation of the rest.
pub(in crate::data) fn choose(
    validation: Option<&HoldOut>,
    test: Option<&HoldOut>,
    keys: &dyn Keys,
    seed: u64,
) -> Result<Chosen> {
    let mut chosen = Chosen {
        train: (0..keys.rows()).collect(),
        validation: None,
        test: None,
    };
    if let Some(how) = test {
        chosen.test = take(how, &mut chosen.train, keys, seed).map_err(|e| e.under("data.test"))?;
    }
    if let Some(how) = validation {
        let taken = take(how, &mut chosen.train, keys, seed);
        chosen.validation = taken.map_err(|e| e.under("data.validation"))?;
    }
    Ok(chosen)
}

/// Takes the rows that are held out at an end of those that are left: what can be done
/// without a list of rows.
pub(in crate::data) fn take_end(how: &HoldOut, left: &mut Range<usize>) -> Result<Range<usize>> {
    match how {
        HoldOut::First { first } => {
            let end = left.start + split::first_rows(left.len(), *first)?;
            let held_out = left.start..end;
            left.start = end;
            Ok(held_out)
        }
        HoldOut::Fraction {
            fraction,
            by: SplitBy::Last,
        } => {
            let start = left.end - split::share(left.len(), *fraction)?;
            let held_out = start..left.end;
            left.end = start;
            Ok(held_out)
        }
        HoldOut::Fraction { .. } | HoldOut::Fold { .. } => {
            let expected = "the first rows, the last `fraction` or files of their own: the data is \
                            larger than `data.memory`, and stays in its files";
            Err(Error::invalid("", how, expected))
        }
        own => Err(Error::Internal(format!("{own} are no rows of these"))),
    }
}

/// Removes the held-out rows from `rows` and returns them.
fn take(
    how: &HoldOut,
    rows: &mut Vec<usize>,
    keys: &dyn Keys,
    seed: u64,
) -> Result<Option<Vec<usize>>> {
    let Some(sides) = sides(how, rows, keys, seed)? else {
        return Ok(None);
    };
    let of = |places: Vec<usize>| places.into_iter().map(|place| rows[place]).collect();
    let held_out = of(sides.held_out);
    *rows = of(sides.rest);
    Ok(Some(held_out))
}

/// Splits the indices of `rows` into both sides.
fn sides(how: &HoldOut, rows: &[usize], keys: &dyn Keys, seed: u64) -> Result<Option<Sides>> {
    let sides = match how {
        HoldOut::Files { .. } | HoldOut::Table { .. } | HoldOut::Images { .. } => return Ok(None),
        HoldOut::First { first } => split::first(rows.len(), *first),
        HoldOut::Fraction { fraction, by } => match Key::of(by, rows, keys)? {
            Key::Place => split::last(rows.len(), *fraction),
            Key::Chance => split::random(rows.len(), *fraction, seed),
            Key::Class(classes) => split::stratified(&classes, *fraction, seed),
            Key::Group(groups) => split::grouped(&groups, *fraction, seed),
            Key::Time(times) => split::latest(&times, *fraction),
        },
        HoldOut::Fold { fold, folds, by } => {
            let by = Key::of(by, rows, keys)?;
            let by_time = matches!(by, Key::Time(_));
            let dealt = by.folds(rows, *folds, seed)?;
            let first = if by_time { 0 } else { 1 };
            split::fold(&dealt, fold.wrapping_sub(first), by_time)
        }
    };
    sides.map(Some)
}

/// The key that decides on which side a row is, for each of the rows that are split.
enum Key {
    Place,
    Chance,
    Class(Vec<u32>),
    Group(Vec<u32>),
    Time(Vec<f64>),
}

impl Key {
    fn of(by: &SplitBy, rows: &[usize], keys: &dyn Keys) -> Result<Key> {
        Ok(match by {
            SplitBy::Last => Key::Place,
            SplitBy::Shuffle => Key::Chance,
            SplitBy::Stratify(None) => {
                let classes = keys.classes().map_err(|error| match error {
                    Error::Data { found, .. } => {
                        let expected = format!(
                            "a target of classes, and this one is a number ({found}): name a \
                             column of categories (`stratify = \"NAME\"`), or say \
                             `shuffle = true`"
                        );
                        Error::invalid("stratify", "true", expected)
                    }
                    other => other.under("stratify"),
                })?;
                Key::Class(pick(&classes, rows))
            }
            SplitBy::Stratify(Some(column)) => {
                // A missing one is a class of its own.
                let codes = keys.codes(column).map_err(|e| e.under("stratify"))?;
                let classes = codes.iter().map(|code| code.unwrap_or(u32::MAX));
                let classes: Vec<u32> = classes.collect();
                Key::Class(pick(&classes, rows))
            }
            SplitBy::Group(column) => {
                let codes = keys.codes(column).map_err(|e| e.under("group"))?;
                let groups: Option<Vec<u32>> = codes.iter().copied().collect();
                let groups = groups.ok_or_else(|| {
                    let row = codes.iter().position(Option::is_none);
                    missing(keys, column, row, "a group")
                })?;
                Key::Group(pick(&groups, rows))
            }
            SplitBy::Time(column) => {
                let times = keys.times(column).map_err(|e| e.under("time"))?;
                if let Some(row) = times.iter().position(|time| !time.is_finite()) {
                    return Err(missing(keys, column, Some(row), "a time"));
                }
                Key::Time(pick(&times, rows))
            }
        })
    }

    /// The fold of each row.
    fn folds(&self, rows: &[usize], folds: usize, seed: u64) -> Result<Vec<usize>> {
        match self {
            Key::Place => split::block_folds(rows.len(), folds),
            Key::Chance => split::folds(rows.len(), folds, seed),
            Key::Class(classes) => {
                let dealt = split::stratified_folds(classes, folds, seed)?;
                Self::enough_of_each_class(classes, rows, folds)?;
                Ok(dealt)
            }
            Key::Group(groups) => split::grouped_folds(groups, folds, seed),
            Key::Time(times) => split::time_folds(times, folds),
        }
    }

    /// Refuses a class with fewer rows than folds.
    fn enough_of_each_class(classes: &[u32], rows: &[usize], folds: usize) -> Result<()> {
        let mut counts = HashMap::new();
        for (place, class) in classes.iter().enumerate() {
            counts.entry(class).or_insert((0, place)).0 += 1;
        }
        let Some(&(count, place)) = counts.values().min() else {
            return Ok(());
        };
        if count >= folds {
            return Ok(());
        }
        let (row, s) = (rows[place], if count == 1 { "" } else { "s" });
        let expected = format!(
            "at most {count}: the class of row {row} has {count} row{s}; without `stratify` any \
             number goes"
        );
        Err(Error::invalid("folds", folds, expected))
    }
}

fn pick<T: Copy>(all: &[T], rows: &[usize]) -> Vec<T> {
    rows.iter().map(|&row| all[row]).collect()
}

fn missing(keys: &dyn Keys, column: &str, row: Option<usize>, what: &str) -> Error {
    Error::Data {
        source_name: format!("{}, `{column}`", keys.name()),
        row,
        column: None,
        found: "nothing".into(),
        expected: format!("{what}: each row is on one side of the split; leave such rows out"),
    }
}
