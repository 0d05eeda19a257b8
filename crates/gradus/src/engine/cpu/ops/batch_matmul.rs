//! Products of two matrices in each row.

use super::{Execute, Part};
use crate::engine::cpu::context::Context;
use crate::plan::ops::{BatchMatMul, BatchMatMulDims};

impl Execute for BatchMatMul {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let (rows, dims) = (part.rows(context), self.dims);
        let (a_size, b_size) = (dims.rows * dims.depth, dims.depth * dims.columns);
        let y_size = dims.rows * dims.columns;
        // SAFETY: the verifier has compared the sizes; the rows are this task's, and y shares
        // no input's memory.
        let (a, b, y) = unsafe {
            let (a, b) = (rows.read(self.a, a_size), rows.read(self.b, b_size));
            (a, b, rows.write(self.y, y_size))
        };
        let factors = a.chunks(a_size).zip(b.chunks(b_size));
        for ((a, b), y) in factors.zip(y.chunks_mut(y_size)) {
            product(a, b, y, dims);
        }
    }
}

/// y = a · b, row by row of b, so that neighbouring elements are neighbours in
/// memory too.
fn product(a: &[f32], b: &[f32], y: &mut [f32], dims: BatchMatMulDims) {
    y.fill(0.0);
    for (a, y) in a.chunks(dims.depth).zip(y.chunks_mut(dims.columns)) {
        for (a, b) in a.iter().zip(b.chunks(dims.columns)) {
            for (y, b) in y.iter_mut().zip(b) {
                *y += a * b;
            }
        }
    }
}
