//! `digits`: 1,797 handwritten digits of 8×8 pixels, embedded in the binary.
//!
//! Optical Recognition of Handwritten Digits, E. Alpaydin and C. Kaynak (1998),
//! UCI Machine Learning Repository, licence CC BY 4.0. These are the 1,797
//! pictures that scikit-learn's `load_digits` gives; `crates/gradus/data/` has
//! the file, the script that made it, and the attribution.

use crate::data::dataset::{Dataset, Split};
use crate::data::tensor::Tensor;
use crate::error::{Error, Result};
use std::io::Read;

/// gzip over the labels (one byte a picture), then the pictures.
static FILE: &[u8] = include_bytes!("../../../data/digits.gz");

const ROWS: usize = 1797;
const SIDE: usize = 8;

/// Index of the test row among every five pictures of a digit.
const TEST_PLACE: usize = 4;

/// The handwritten digits: pictures of shape (8, 8), ink from 0 to 16 as
/// bytes, and labels 0 to 9.
///
/// The test split is fixed: every fifth picture of each digit, 355 in all. The
/// other 1,442 are for training. Both keep the order of the source.
pub fn digits(split: Split) -> Result<Dataset> {
    let bytes = unpack()?;
    let (labels, pixels) = bytes.split_at(ROWS);
    let mut seen = [0_usize; 256];
    let mut rows = Vec::with_capacity(ROWS);
    for (row, &label) in labels.iter().enumerate() {
        let place = seen[usize::from(label)] % 5;
        seen[usize::from(label)] += 1;
        if (place == TEST_PLACE) == (split == Split::Test) {
            rows.push(row);
        }
    }
    let x = Tensor::from_u8([SIDE, SIDE], pixels.to_vec())?.named("digits");
    let y = Tensor::from_u8([], labels.to_vec())?.named("digits' labels");
    Dataset::new(x, y)?.take(&rows)
}

fn unpack() -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(ROWS * (1 + SIDE * SIDE));
    match flate2::read::GzDecoder::new(FILE).read_to_end(&mut bytes) {
        Ok(length) if length == ROWS * (1 + SIDE * SIDE) => Ok(bytes),
        _ => Err(Error::Internal("the embedded digits are damaged".into())),
    }
}
