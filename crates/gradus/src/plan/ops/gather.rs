//! Parts of buffers that several ranks have made, passed on to all of them.

use super::{CHUNKS, MatMulDims};
use crate::plan::Buffer;
use crate::plan::backward::Pass;
use crate::plan::operands::{Extent, Operands, fixed, per_row, weights};
use crate::plan::operation::{Backward, NOT_FORWARD, Operation, Split};

/// The part of a buffer that each rank has made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parts {
    /// Its rows of the batch, of so many elements each.
    Rows(usize),
    /// Its columns of a weight's gradient.
    Columns(MatMulDims),
    /// Its columns of one, whole chunks of them, as [`NormalizedWeight`](super::NormalizedWeight) is made.
    ChunkedColumns(MatMulDims),
    /// The sums over these chunks.
    ChunkSums(MatMulDims),
    /// Sums over its rows of the batch, which are added up: for ranks that need not make the bits of one.
    Sums(Extent),
}

/// Makes buffers whole: each rank gets the parts that the others have made. Alone, nothing is missing. Sums
/// stand by themselves.
#[derive(Clone, Debug, PartialEq)]
pub struct Gather {
    pub buffers: Vec<(Buffer, Parts)>,
}

impl Operation for Gather {
    fn operands(&self) -> Operands {
        let buffers = self.buffers.iter();
        buffers.fold(Operands::new(), |table, &(buffer, parts)| {
            let extent = match parts {
                Parts::Rows(size) => per_row(size),
                Parts::Columns(dims) | Parts::ChunkedColumns(dims) => weights(dims),
                Parts::ChunkSums(dims) => fixed(2 * CHUNKS * dims.inputs),
                Parts::Sums(extent) => extent,
            };
            table.update(buffer, extent)
        })
    }

    fn split(&self) -> Split {
        Split::Whole
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        NOT_FORWARD
    }
}
