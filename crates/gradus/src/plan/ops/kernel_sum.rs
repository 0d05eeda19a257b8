//! The gradient of a convolution's kernel, from those of parts of the batch.

use super::matmul::MatMulDims;
use crate::plan::backward::Pass;
use crate::plan::operands::{Extent, Operands, any, fixed, weights};
use crate::plan::operation::{Backward, NOT_FORWARD, Operation, Split};
use crate::plan::{Buffer, Op, Size};

/// Numbers of all parts of a kernel's gradient: 1 MiB.
const ROOM: usize = 1 << 18;

/// Limit of parts.
pub(super) const MOST_PARTS: usize = 8;

/// Parts of the batch over each of which the gradient of a kernel of that size is summed by
/// itself: as many as take little room, so that threads need not all go over the same images.
pub(super) fn parts(kernel: usize) -> usize {
    (ROOM / kernel.max(1)).clamp(1, MOST_PARTS)
}

/// The shape of a kernel in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KernelShape {
    /// The matrix of a product.
    Product(MatMulDims),
    /// Rows, of so many numbers in all.
    Rows(usize),
}

impl KernelShape {
    /// The number of its elements.
    pub fn size(self) -> usize {
        match self {
            KernelShape::Product(dims) => dims.inputs * dims.outputs,
            KernelShape::Rows(size) => size,
        }
    }

    fn extent(self) -> Extent {
        match self {
            KernelShape::Product(dims) => weights(dims),
            KernelShape::Rows(size) => fixed(size),
        }
    }
}

/// dw = the sum of its parts, which lie one behind the other.
#[derive(Clone, Debug, PartialEq)]
pub struct KernelSum {
    pub parts: Buffer,
    pub count: usize,
    pub dw: Buffer,
    pub shape: KernelShape,
}

impl Operation for KernelSum {
    fn operands(&self) -> Operands {
        let size = self.count * self.shape.size();
        Operands::new()
            .read(self.parts, any(Size::Fixed(size)))
            .write(self.dw, self.shape.extent())
    }

    fn split(&self) -> Split {
        Split::Elements(self.shape.size())
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        NOT_FORWARD
    }

    fn work(&self, _rows: usize) -> usize {
        self.count * self.shape.size()
    }
}

impl Pass<'_> {
    /// A part of the gradient of a kernel, made by `op` as so many of parts of the batch.
    pub(super) fn weight_in_parts<O: Into<Op>>(
        &mut self,
        w: Buffer,
        count: usize,
        shape: KernelShape,
        op: impl FnOnce(Buffer) -> O,
    ) {
        if count == 1 {
            return self.weight(w, op);
        }
        let size = Size::Fixed(count * shape.size());
        let parts = self.lowering.temporary("parts of a gradient", size);
        self.push_later(op(parts));
        self.weight(w, |dw| KernelSum {
            parts,
            count,
            dw,
            shape,
        });
    }
}
