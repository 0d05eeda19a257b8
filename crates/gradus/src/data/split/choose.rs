//! From `validation` and `test` to rows: the words of a configuration, applied
//! to what is known of each row.

use super::config::{Choice, DataConfig, HeldOut};
use super::split::{self, Parts};
use crate::error::{Error, Result};
use std::collections::HashMap;

/// What a split may ask of the rows of a source.
pub(crate) trait Keys {
    /// What messages call the source.
    fn name(&self) -> &str;

    /// How many rows there are.
    fn rows(&self) -> usize;

    /// The class of each row by the target.
    fn classes(&self) -> Result<Vec<u32>>;

    /// The category of each row by a column; `None` where it is missing.
    fn codes(&self, column: &str) -> Result<Vec<Option<u32>>>;

    /// The time of each row by a column; NaN where it is missing.
    fn times(&self, column: &str) -> Result<Vec<f64>>;
}

/// The rows of each part, ascending; what has files of its own is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub train: Vec<usize>,
    pub validation: Option<Vec<usize>>,
    pub test: Option<Vec<usize>>,
}

impl DataConfig {
    /// What is held out at an end of the source, since nothing else is said.
    pub(super) fn neighbours(&self) -> Vec<&'static str> {
        let parts = [("validation", &self.validation), ("test", &self.test)];
        let parts = parts.into_iter().filter(|(_, how)| match how {
            Some(HeldOut::First { .. }) => true,
            Some(HeldOut::Fraction { choice, .. }) => *choice == Choice::Last,
            _ => false,
        });
        parts.map(|(part, _)| part).collect()
    }
}

/// The rows for the test first, then those for the validation of the rest.
pub(crate) fn choose(config: &DataConfig, keys: &dyn Keys, seed: u64) -> Result<Chosen> {
    let mut chosen = Chosen {
        train: (0..keys.rows()).collect(),
        validation: None,
        test: None,
    };
    if let Some(how) = &config.test {
        chosen.test = take(how, &mut chosen.train, keys, seed).map_err(|e| e.under("data.test"))?;
    }
    if let Some(how) = &config.validation {
        let taken = take(how, &mut chosen.train, keys, seed);
        chosen.validation = taken.map_err(|e| e.under("data.validation"))?;
    }
    Ok(chosen)
}

/// Takes what is held out of the rows.
fn take(
    how: &HeldOut,
    rows: &mut Vec<usize>,
    keys: &dyn Keys,
    seed: u64,
) -> Result<Option<Vec<usize>>> {
    let Some(parts) = parts(how, rows, keys, seed)? else {
        return Ok(None);
    };
    let of = |places: Vec<usize>| places.into_iter().map(|place| rows[place]).collect();
    let held_out = of(parts.held_out);
    *rows = of(parts.rest);
    Ok(Some(held_out))
}

/// The places in `rows` of both sides.
fn parts(how: &HeldOut, rows: &[usize], keys: &dyn Keys, seed: u64) -> Result<Option<Parts>> {
    let parts = match how {
        HeldOut::Files { .. } | HeldOut::Table { .. } | HeldOut::Images { .. } => return Ok(None),
        HeldOut::First { first } => split::first(rows.len(), *first),
        HeldOut::Fraction { fraction, choice } => match By::of(choice, rows, keys)? {
            By::Place => split::last(rows.len(), *fraction),
            By::Chance => split::random(rows.len(), *fraction, seed),
            By::Class(classes) => split::stratified(&classes, *fraction, seed),
            By::Group(groups) => split::grouped(&groups, *fraction, seed),
            By::Time(times) => split::latest(&times, *fraction),
        },
        HeldOut::Fold {
            fold,
            folds,
            choice,
        } => {
            let by = By::of(choice, rows, keys)?;
            let by_time = matches!(by, By::Time(_));
            let dealt = by.folds(rows, *folds, seed)?;
            let first = if by_time { 0 } else { 1 };
            split::fold(&dealt, fold.wrapping_sub(first), by_time)
        }
    };
    parts.map(Some)
}

/// What decides on which side a row is, of the rows that are to be split.
enum By {
    Place,
    Chance,
    Class(Vec<u32>),
    Group(Vec<u32>),
    Time(Vec<f64>),
}

impl By {
    fn of(choice: &Choice, rows: &[usize], keys: &dyn Keys) -> Result<By> {
        Ok(match choice {
            Choice::Last => By::Place,
            Choice::Shuffle => By::Chance,
            Choice::Stratify(None) => {
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
                By::Class(pick(&classes, rows))
            }
            Choice::Stratify(Some(column)) => {
                // What is missing is a class of its own.
                let codes = keys.codes(column).map_err(|e| e.under("stratify"))?;
                let classes = codes.iter().map(|code| code.unwrap_or(u32::MAX));
                let classes: Vec<u32> = classes.collect();
                By::Class(pick(&classes, rows))
            }
            Choice::Group(column) => {
                let codes = keys.codes(column).map_err(|e| e.under("group"))?;
                let groups: Option<Vec<u32>> = codes.iter().copied().collect();
                let groups = groups.ok_or_else(|| {
                    let row = codes.iter().position(Option::is_none);
                    missing(keys, column, row, "a group")
                })?;
                By::Group(pick(&groups, rows))
            }
            Choice::Time(column) => {
                let times = keys.times(column).map_err(|e| e.under("time"))?;
                if let Some(row) = times.iter().position(|time| !time.is_finite()) {
                    return Err(missing(keys, column, Some(row), "a time"));
                }
                By::Time(pick(&times, rows))
            }
        })
    }

    /// The fold of each row.
    fn folds(&self, rows: &[usize], folds: usize, seed: u64) -> Result<Vec<usize>> {
        match self {
            By::Place => split::block_folds(rows.len(), folds),
            By::Chance => split::folds(rows.len(), folds, seed),
            By::Class(classes) => {
                let dealt = split::stratified_folds(classes, folds, seed)?;
                Self::enough_of_each_class(classes, rows, folds)?;
                Ok(dealt)
            }
            By::Group(groups) => split::grouped_folds(groups, folds, seed),
            By::Time(times) => split::time_folds(times, folds),
        }
    }

    /// Refuses a class that cannot be in every fold.
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
