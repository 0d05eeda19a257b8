//! The rows that a page's predictions are of.

use crate::data::{Data, Dataset, RunData};
use crate::error::{Error, Result};

/// The most rows.
const MOST: usize = 10_000;

/// Some rows of a run, and words about them.
pub struct Sample {
    pub rows: Dataset,
    pub words: String,
}

/// Rows that the run was not trained on if it has such: of the validation, else of the test; else
/// of the training.
pub fn sample(data: &RunData) -> Result<Sample> {
    let (rows, name, seen) = match (&data.validation, &data.test) {
        (Some(validation), _) => (validation, "validation", ""),
        (None, Some(test)) => (test, "test", ""),
        (None, None) => {
            let seen = " The model was trained on them: on new rows it will do worse.";
            (&data.train, "training", seen)
        }
    };
    let (taken, all, place) = match rows {
        Data::Memory(rows) => (of_memory(rows)?, rows.rows(), "evenly spread"),
        Data::Stream(stream) => {
            let all = stream.rows();
            // As many of the first as are in memory at once.
            let mut first = None;
            stream.slice(0..all.min(MOST))?.each(&mut |rows| {
                first.get_or_insert_with(|| rows.clone());
                Ok(())
            })?;
            let first = first.unwrap_or_else(|| stream.sample().clone());
            (first, all, "the first ones")
        }
        Data::Generator(_) => return Err(Error::Internal("a run with a generator".into())),
    };
    let words = match taken.rows() {
        some if some < all => format!("Of {some} of the {all} {name} rows, {place}.{seen}"),
        _ => format!("Of the {all} {name} rows.{seen}"),
    };
    Ok(Sample { rows: taken, words })
}

fn of_memory(rows: &Dataset) -> Result<Dataset> {
    match rows.rows() {
        all if all <= MOST => Ok(rows.clone()),
        all => rows.take(&evenly(all, MOST)),
    }
}

/// `some` of `all` places, evenly spread.
pub fn evenly(all: usize, some: usize) -> Vec<usize> {
    let some = some.min(all);
    (0..some).map(|n| n * all / some).collect()
}
