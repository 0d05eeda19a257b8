//! Checks of the data before training, against what the model expects.
//!
//! Clean data is read at memory speed; only a block with a bad value is searched value by value.
//! Rows are counted from 0, as in the file.

use crate::base::shape::Shape;
use crate::base::written;
use crate::data::dataset::Dataset;
use crate::data::tensor::{Tensor, Values};
use crate::error::{Error, Extent, Result};

/// Checks all that does not depend on the loss: there are rows, the inputs have the shapes that the
/// model expects, and no value in inputs, targets or weights is NaN or infinite.
pub fn dataset(data: &Dataset, inputs: &[Shape]) -> Result<()> {
    not_empty(data)?;
    if data.inputs().len() != inputs.len() {
        let found = format!("{} inputs", data.inputs().len());
        let expected = format!("{}, which the model has", inputs.len());
        return Err(Error::invalid(data.name(), found, expected));
    }
    for (tensor, expected) in data.inputs().iter().zip(inputs) {
        shape(tensor, expected)?;
    }
    finite_all(data)
}

/// Refuses NaN and infinite values in inputs, targets and weights.
pub fn finite_all(data: &Dataset) -> Result<()> {
    let columns = data
        .inputs()
        .iter()
        .chain(data.targets())
        .chain(data.sample_weight());
    columns.into_iter().try_for_each(finite)
}

/// Refuses a data set without rows.
pub fn not_empty(data: &Dataset) -> Result<()> {
    if data.rows() > 0 {
        return Ok(());
    }
    Err(Error::invalid(data.name(), "no rows", "at least one"))
}

/// Refuses rows of another shape than the model expects. One number a row
/// may be written as `(None)` or as `(None, 1)`.
pub fn shape(tensor: &Tensor, expected: &Shape) -> Result<()> {
    let found = tensor.shape();
    if found == expected || (found.size() == 1 && expected.size() == 1) {
        return Ok(());
    }
    let mut wanted = format!("{expected}, which the model takes");
    if found.size() == expected.size() && expected.rank() == 1 {
        wanted.push_str(" (the sizes agree: a `Flatten` layer in front would do)");
    }
    let expected = Extent::new(expected.dims(), wanted);
    Err(Error::shape(tensor.name(), found, expected))
}

/// Refuses NaN and infinity, naming the first one's row and column.
pub fn finite(tensor: &Tensor) -> Result<()> {
    refuse(tensor, |x| !x.is_finite(), "a finite number")
}

/// Refuses weights below 0, NaN and infinity, naming the first one's row.
pub(crate) fn weights(tensor: &Tensor) -> Result<()> {
    tensor.numbers()?;
    let is_none = |x: f32| !(0.0..f32::INFINITY).contains(&x);
    refuse(tensor, is_none, WEIGHT)
}

/// Expected value of a row's weight, in error messages.
pub(crate) const WEIGHT: &str = "a weight of 0 or more";

/// Like [`finite`], for an input: the message names the layers that take NaN.
pub(crate) fn finite_input(tensor: &Tensor) -> Result<()> {
    not_infinite(tensor)?;
    let expected = "a finite number: with a NanToNum layer in the model, NaN is a gap";
    refuse(tensor, f32::is_nan, expected)
}

/// Refuses infinity, naming the first one's row and column.
pub(crate) fn not_infinite(tensor: &Tensor) -> Result<()> {
    refuse(tensor, f32::is_infinite, "a finite number")
}

/// Refuses values that are not whole or not in `least..limit`, naming the first one's row and
/// column.
pub(crate) fn whole(tensor: &Tensor, least: f32, limit: f32, expected: &str) -> Result<()> {
    let is_whole = |x: f32| x >= least && x < limit && x.fract() == 0.0;
    each(tensor, is_whole, expected)
}

/// Refuses values for which `is_good` is false, naming the first one's row and column.
pub(crate) fn each(tensor: &Tensor, is_good: impl Fn(f32) -> bool, expected: &str) -> Result<()> {
    match tensor.values() {
        Values::U8(all) => match first_bad(all, |x| !is_good(f32::from(x))) {
            Some(place) => {
                let found = f64::from(all[place]);
                Err(bad_number(tensor, place, found, expected))
            }
            None => Ok(()),
        },
        _ => refuse(tensor, |x| !is_good(x), expected),
    }
}

fn refuse(tensor: &Tensor, is_bad: impl Fn(f32) -> bool, expected: &str) -> Result<()> {
    let bad = match tensor.values() {
        Values::F32(all) => first_bad(all, is_bad).map(|place| (place, f64::from(all[place]))),
        // Rounded to float32, as the model gets it.
        Values::F64(all) => first_bad(all, |x| is_bad(x as f32)).map(|place| (place, all[place])),
        Values::U8(_) | Values::Text { .. } => None,
    };
    match bad {
        None => Ok(()),
        Some((place, found)) => Err(bad_number(tensor, place, found, expected)),
    }
}

/// Refuses labels that are not whole or not below `classes`, naming the first one's row.
pub fn labels(tensor: &Tensor, classes: usize) -> Result<()> {
    if tensor.size() != 1 {
        return Err(Error::shape(
            tensor.name(),
            tensor.shape(),
            "one label a row, (None)",
        ));
    }
    let bad = match tensor.values() {
        Values::U8(all) => {
            let place = first_bad(all, |label| usize::from(label) >= classes);
            place.map(|place| (place, f64::from(all[place])))
        }
        Values::F32(all) => {
            let limit = classes as f32;
            let is_label = |x: f32| x >= 0.0 && x < limit && (x as i32) as f32 == x;
            first_bad(all, |x| !is_label(x)).map(|place| (place, f64::from(all[place])))
        }
        Values::F64(all) => {
            let is_label = |x: f64| x >= 0.0 && x < classes as f64 && x.fract() == 0.0;
            first_bad(all, |x| !is_label(x)).map(|place| (place, all[place]))
        }
        Values::Text { .. } => return tensor.numbers(),
    };
    let Some((place, found)) = bad else {
        return Ok(());
    };
    let last = classes.saturating_sub(1);
    let expected = format!("a label from 0 to {last}: the model's output has {classes} classes");
    Err(bad_number(tensor, place, found, &expected))
}

/// The index of the first bad value. Whole blocks are tested without a branch, so that the loop
/// becomes vector instructions.
#[inline(always)]
fn first_bad<T: Copy>(all: &[T], is_bad: impl Fn(T) -> bool) -> Option<usize> {
    const BLOCK: usize = 1024;
    all.chunks(BLOCK).enumerate().find_map(|(block, numbers)| {
        let any = numbers.iter().fold(false, |any, &x| any | is_bad(x));
        if !any {
            return None;
        }
        let place = numbers.iter().position(|&x| is_bad(x))?;
        Some(block * BLOCK + place)
    })
}

fn bad_number(tensor: &Tensor, place: usize, found: f64, expected: &str) -> Error {
    Error::Data {
        source_name: tensor.name().to_owned(),
        row: Some(tensor.source_row(place / tensor.size())),
        column: (tensor.size() > 1).then(|| place % tensor.size()),
        found: written(tensor, found),
        expected: expected.to_owned(),
    }
}

/// The text of a tensor's value, as it was read.
fn written(tensor: &Tensor, x: f64) -> String {
    match tensor.values() {
        Values::F64(_) if x.is_finite() && !(x as f32).is_finite() => {
            format!("{}, which is infinite in float32", written::double(x))
        }
        _ => written::double(x),
    }
}
