//! The class of a row, by its target.

use super::tensor::Tensor;
use crate::error::{Error, Result};

/// The class that a row's target names: a number, or the place of the largest
/// of several.
pub(crate) fn class_of(row: &[f32]) -> f64 {
    match row {
        [number] => f64::from(*number).round(),
        row => {
            let larger = |best: usize, i: usize| if row[i] > row[best] { i } else { best };
            (0..row.len()).reduce(larger).unwrap_or(0) as f64
        }
    }
}

/// A code for the class of each row: equal for rows of one class. The target is
/// a whole number a row (0 and up, or ±1), or one-hot.
///
/// An error where it is neither.
pub(crate) fn codes(target: &Tensor) -> Result<Vec<u32>> {
    const EXPECTED: &str = "classes: whole numbers, or one-hot rows";
    let size = target.size();
    if target.shape().rank() > 1 {
        return Err(Error::shape(target.name(), target.shape(), EXPECTED));
    }
    let is_class = |row: &[f32]| match row {
        [number] => number.fract() == 0.0 && number.abs() < (1 << 24) as f32,
        row => {
            let ones = row.iter().filter(|&&x| x == 1.0).count();
            ones == 1 && row.iter().all(|&x| x == 0.0 || x == 1.0)
        }
    };
    let values = target.to_f32();
    let rows = values.chunks(size.max(1)).enumerate();
    rows.map(|(number, row)| match is_class(row) {
        true => Ok(class_of(row) as i64 as u32),
        false => Err(Error::Data {
            source_name: target.name().to_owned(),
            row: Some(target.source_row(number)),
            column: None,
            found: match row {
                [number] => number.to_string(),
                row => format!("{row:?}"),
            },
            expected: EXPECTED.into(),
        }),
    })
    .collect()
}
