//! Products of two matrices in each row of the batch.

use crate::plan::backward::Pass;
use crate::plan::lower::{Lowering, Value};
use crate::plan::operands::{Operands, per_row};
use crate::plan::operation::{Backward, Operation, Split};
use crate::plan::{Buffer, View};

/// The sizes of a product of two tensors: (rows × depth) · (depth × columns).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchMatMulDims {
    pub rows: usize,
    pub depth: usize,
    pub columns: usize,
}

/// y = a · b, for each row of the batch by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchMatMul {
    pub a: Buffer,
    pub b: Buffer,
    pub y: Buffer,
    pub dims: BatchMatMulDims,
}

impl Operation for BatchMatMul {
    fn operands(&self) -> Operands {
        let BatchMatMulDims {
            rows,
            depth,
            columns,
        } = self.dims;
        Operands::new()
            .read(self.a, per_row(rows * depth))
            .read(self.b, per_row(depth * columns))
            .write(self.y, per_row(rows * columns))
    }

    fn split(&self) -> Split {
        Split::Rows(View::row(self.dims.rows * self.dims.columns))
    }

    fn backward(&self, dy: Buffer, pass: &mut Pass<'_>) -> Backward {
        let &BatchMatMul { a, b, dims, .. } = self;
        let BatchMatMulDims {
            rows,
            depth,
            columns,
        } = dims;
        if pass.wants(a) {
            let b = pass.transposed(b, depth, columns);
            pass.pass_on(a, View::row(rows * depth), |da| BatchMatMul {
                a: dy,
                b,
                y: da,
                dims: BatchMatMulDims {
                    rows,
                    depth: columns,
                    columns: depth,
                },
            });
        }
        if pass.wants(b) {
            let a = pass.transposed(a, rows, depth);
            pass.pass_on(b, View::row(depth * columns), |db| BatchMatMul {
                a,
                b: dy,
                y: db,
                dims: BatchMatMulDims {
                    rows: depth,
                    depth: rows,
                    columns,
                },
            });
        }
        Backward::Passed
    }

    fn work(&self, rows: usize) -> usize {
        rows * self.dims.rows * self.dims.depth * self.dims.columns
    }
}

impl Lowering {
    /// a · b for each row, whose values are matrices.
    pub fn batch_product(&mut self, a: &Value, b: &Value) -> Value {
        let (&[rows, depth], &[_, columns]) = (a.shape.dims(), b.shape.dims()) else {
            unreachable!("the layer makes matrices of them")
        };
        let y = self.like("dot", &[rows, columns].into());
        self.push(BatchMatMul {
            a: a.buffer,
            b: b.buffer,
            y: y.buffer,
            dims: BatchMatMulDims {
                rows,
                depth,
                columns,
            },
        });
        y
    }
}

impl Pass<'_> {
    /// Each row's matrix of `rows` × `columns`, transposed.
    fn transposed(&mut self, x: Buffer, rows: usize, columns: usize) -> Buffer {
        let shape = [rows, columns].into();
        let x = Value { buffer: x, shape };
        self.lowering.permute(&x, &[1, 0]).buffer
    }
}
