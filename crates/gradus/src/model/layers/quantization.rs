//! Quantization: weights as whole numbers with scales.

use crate::error::{Error, Result};
use crate::model::Weight;
use crate::rules::int8;
use std::str::FromStr;

/// Keras' mode of quantization, as in `model.quantize("int8")`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantization {
    /// Weights from -127 to 127, symmetric, with a scale for each unit; inputs are quantized row
    /// by row as they come. A scale is a number by which whole numbers are divided.
    Int8,
}

impl Quantization {
    /// Keras' name: `int8`.
    pub fn name(self) -> &'static str {
        match self {
            Quantization::Int8 => "int8",
        }
    }
}

impl FromStr for Quantization {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "int8" => Ok(Quantization::Int8),
            _ => Err(Error::unknown("", "mode of quantization", name, ["int8"])),
        }
    }
}

/// The numbers of a matrix that have a scale of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Channel {
    Row,
    Column,
}

/// Makes the numbers of a matrix int8, and returns the weight of its scales. An error, without the
/// layer's name, if a number is not finite.
pub(super) fn to_int8(matrix: &mut Weight, by: Channel, scales: &'static str) -> Result<Weight> {
    let [rows, columns] = matrix.shape[..] else {
        return Err(Error::Internal(format!("{} is no matrix", matrix.name)));
    };
    if matrix.values.iter().any(|x| !x.is_finite()) {
        let expected = "finite numbers";
        return Err(Error::invalid(matrix.name, "a NaN or infinity", expected));
    }
    let channel = |place: usize| match by {
        Channel::Row => place / columns.max(1),
        Channel::Column => place % columns.max(1),
    };
    let count = match by {
        Channel::Row => rows,
        Channel::Column => columns,
    };
    let mut values = vec![0.0_f32; count];
    for (place, x) in matrix.values.iter().enumerate() {
        values[channel(place)] = values[channel(place)].max(x.abs());
    }
    values.iter_mut().for_each(|x| *x = int8::scale(*x));
    for (place, x) in matrix.values.iter_mut().enumerate() {
        *x = int8::whole(*x, values[channel(place)]);
    }
    matrix.trainable = false;
    matrix.int8 = true;
    Ok(Weight {
        name: scales,
        shape: vec![count],
        trainable: false,
        int8: false,
        values,
    })
}
