//! The shape of one row: a tensor's dimensions without the batch.

use crate::error::Extent;
use std::fmt;

/// Dimensions of one row (the batch dimension is left out), outermost first.
/// `[]` is a single number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Shape(Vec<usize>);

impl Shape {
    /// A shape from its dimensions.
    pub fn new(dims: impl Into<Vec<usize>>) -> Self {
        Shape(dims.into())
    }

    /// The dimensions, outermost first.
    pub fn dims(&self) -> &[usize] {
        &self.0
    }

    /// Number of dimensions, without the batch.
    pub fn rank(&self) -> usize {
        self.0.len()
    }

    /// Number of elements in one row.
    pub fn size(&self) -> usize {
        self.0.iter().product()
    }

    /// The innermost dimension, 1 for a single number.
    pub fn last(&self) -> usize {
        self.0.last().copied().unwrap_or(1)
    }

    /// The same shape with another innermost dimension.
    pub fn with_last(&self, last: usize) -> Self {
        let mut dims = self.0.clone();
        match dims.last_mut() {
            Some(dim) => *dim = last,
            None => dims.push(last),
        }
        Shape(dims)
    }
}

impl<const N: usize> From<[usize; N]> for Shape {
    fn from(dims: [usize; N]) -> Self {
        Shape(dims.to_vec())
    }
}

impl From<Vec<usize>> for Shape {
    fn from(dims: Vec<usize>) -> Self {
        Shape(dims)
    }
}

impl From<&[usize]> for Shape {
    fn from(dims: &[usize]) -> Self {
        Shape(dims.to_vec())
    }
}

impl From<&Shape> for Extent {
    fn from(shape: &Shape) -> Self {
        Extent::new(shape.dims(), shape)
    }
}

impl fmt::Display for Shape {
    /// As Keras prints it, with the batch: `(None, 28, 28)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "(None")?;
        for dim in &self.0 {
            write!(f, ", {dim}")?;
        }
        write!(f, ")")
    }
}
