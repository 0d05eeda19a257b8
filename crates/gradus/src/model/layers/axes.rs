use crate::base::shape::Shape;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// One axis or several, counted as Keras does: 0 is the batch, 1 a row's first,
/// -1 the last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(inline)]
#[serde(untagged, expecting = "expected a whole number, or a list of them")]
pub enum Axes {
    /// One axis.
    One(i64),
    /// Several axes; an empty list is none.
    Many(Vec<i64>),
}

impl From<i64> for Axes {
    fn from(axis: i64) -> Self {
        Axes::One(axis)
    }
}

impl<const N: usize> From<[i64; N]> for Axes {
    fn from(axes: [i64; N]) -> Self {
        Axes::Many(axes.to_vec())
    }
}

impl Axes {
    /// As given.
    pub fn as_slice(&self) -> &[i64] {
        match self {
            Axes::One(axis) => std::slice::from_ref(axis),
            Axes::Many(axes) => axes,
        }
    }

    /// A row's axes, from 0 on and ascending; an error about the argument `name` if the shape has
    /// no such axis, or one is named twice.
    pub(crate) fn of(&self, name: &str, shape: &Shape) -> Result<Vec<usize>> {
        row_axes(name, self.as_slice(), shape)
    }
}

/// Converts Keras' axes to those of a row.
pub(super) fn row_axes(name: &str, axes: &[i64], shape: &Shape) -> Result<Vec<usize>> {
    let rank = shape.rank() as i64;
    let mut found = Vec::new();
    for &axis in axes {
        let from_batch = if axis < 0 { axis + rank + 1 } else { axis };
        if !(1..=rank).contains(&from_batch) {
            let expected = format!("an axis of {shape} beside the batch");
            return Err(Error::invalid(name, axis, expected));
        }
        found.push(from_batch as usize - 1);
    }
    found.sort_unstable();
    if found.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Error::invalid(name, format!("{axes:?}"), "each axis once"));
    }
    Ok(found)
}

/// The dimensions of some axes.
pub(super) fn dims_of(axes: &[usize], shape: &Shape) -> Vec<usize> {
    axes.iter().map(|&axis| shape.dims()[axis]).collect()
}
