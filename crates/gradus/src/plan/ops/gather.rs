//! Parts of a buffer that several ranks have made, passed on to all of them.

use super::MatMulDims;
use crate::plan::backward::Pass;
use crate::plan::operands::{Operands, per_row, weights};
use crate::plan::operation::{Backward, NOT_FORWARD, Operation, Split};
use crate::plan::Buffer;

/// The part of a buffer that each rank has made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parts {
    /// Its rows of the batch, of so many elements each.
    Rows(usize),
    /// Its columns of a weight's gradient.
    Columns(MatMulDims),
}

/// Makes x whole: each rank gets the parts that the others have made. Alone, nothing is missing.
#[derive(Clone, Debug, PartialEq)]
pub struct Gather {
    pub x: Buffer,
    pub parts: Parts,
}

impl Operation for Gather {
    fn operands(&self) -> Operands {
        let extent = match self.parts {
            Parts::Rows(size) => per_row(size),
            Parts::Columns(dims) => weights(dims),
        };
        Operands::new().update(self.x, extent)
    }

    fn split(&self) -> Split {
        Split::Whole
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        NOT_FORWARD
    }
}
