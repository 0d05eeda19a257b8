//! The rows that a page's predictions are of.

use crate::data::{Data, Dataset, RunData};
use crate::error::{Error, Result};

/// The most rows, and the most numbers that a model may give for them.
const MOST: usize = 10_000;
const NUMBERS: usize = 20_000_000;

/// Some rows of a run, and words about them.
pub struct Sample {
    pub rows: Dataset,
    pub words: String,
}

/// Rows that the run was not trained on if it has such: of the validation, else of the test; else
/// of the training. The model gives `size` numbers for each.
pub fn sample(data: &RunData, size: usize) -> Result<Sample> {
    let most = (NUMBERS / size.max(1)).clamp(1, MOST);
    let (rows, name, seen) = match (&data.validation, &data.test) {
        (Some(validation), _) => (validation, "validation", ""),
        (None, Some(test)) => (test, "test", ""),
        (None, None) => {
            let seen = " The model was trained on them: on new rows it will do worse.";
            (&data.train, "training", seen)
        }
    };
    let (taken, all, place) = match rows {
        Data::Memory(rows) => (of_memory(rows, most)?, rows.rows(), "evenly spread"),
        Data::Stream(stream) => {
            let all = stream.rows();
            // The first ones, up to the number that is in memory at once.
            let mut first = None;
            stream.slice(0..all.min(most))?.each(&mut |rows| {
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

fn of_memory(rows: &Dataset, most: usize) -> Result<Dataset> {
    match rows.rows() {
        all if all <= most => Ok(rows.clone()),
        all => rows.take(&evenly(all, most)),
    }
}

/// `some` of `all` places, evenly spread.
pub fn evenly(all: usize, some: usize) -> Vec<usize> {
    let some = some.min(all);
    (0..some).map(|n| n * all / some).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Stream, Tensor};

    fn rows(count: usize) -> Dataset {
        let x = Tensor::from_f32([1], (0..count).map(|n| n as f32).collect()).unwrap();
        Dataset::new(x.clone(), x).unwrap()
    }

    #[test]
    fn of_many_rows_some_are_taken_and_said() {
        let mut data = RunData::of(rows(30_000));
        data.validation = Some(rows(25_000).into());
        let found = sample(&data, 1).unwrap();
        assert_eq!(
            found.words,
            "Of 10000 of the 25000 validation rows, evenly spread."
        );
        assert_eq!(found.rows.inputs()[0].to_f32()[..3], [0.0, 2.0, 5.0]);
        data.validation = None;
        let found = sample(&data, NUMBERS / 3).unwrap();
        assert!(
            found
                .words
                .starts_with("Of 3 of the 30000 training rows, evenly spread. The")
        );
        data.test = Some(rows(5).into());
        assert_eq!(sample(&data, 1).unwrap().words, "Of the 5 test rows.");
    }

    #[test]
    fn of_a_stream_the_first_rows_are_taken() {
        struct Numbers;
        impl crate::data::Rows for Numbers {
            fn rows(&self) -> usize {
                50_000
            }
            fn read(&mut self, range: std::ops::Range<usize>) -> Result<Dataset> {
                rows(50_000).slice(range)
            }
        }
        let mut data = RunData::of(rows(3));
        data.test = Some(Stream::new(Numbers).unwrap().memory(100_000).into());
        let found = sample(&data, 1).unwrap();
        let count = found.rows.rows();
        assert!((100..=10_000).contains(&count), "{count}");
        assert_eq!(
            found.words,
            format!("Of {count} of the 50000 test rows, the first ones.")
        );
    }
}
