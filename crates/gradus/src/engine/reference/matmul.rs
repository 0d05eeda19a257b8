//! Products of matrices and weights, each element a sum in order.

use super::{Compute, Run};
use crate::plan::ops::{MatMul, MatMulInput, MatMulWeight};

impl Compute for MatMul {
    fn compute(&self, run: &mut Run<'_>) {
        let dims = self.dims;
        run.fill(self.y, |run, y| {
            let (x, w) = (run.get(self.x), run.get(self.w));
            for (i, y) in y.iter_mut().enumerate() {
                let (row, column) = (i / dims.outputs, i % dims.outputs);
                *y = (0..dims.inputs)
                    .map(|k| x[row * dims.inputs + k] * w[k * dims.outputs + column])
                    .sum();
            }
        });
    }
}

impl Compute for MatMulInput {
    fn compute(&self, run: &mut Run<'_>) {
        let dims = self.dims;
        run.fill(self.dx, |run, dx| {
            let (dy, w) = (run.get(self.dy), run.get(self.w));
            for (i, dx) in dx.iter_mut().enumerate() {
                let (row, k) = (i / dims.inputs, i % dims.inputs);
                *dx = (0..dims.outputs)
                    .map(|n| dy[row * dims.outputs + n] * w[k * dims.outputs + n])
                    .sum();
            }
        });
    }
}

impl Compute for MatMulWeight {
    fn compute(&self, run: &mut Run<'_>) {
        let dims = self.dims;
        let rows = run.rows * dims.positions;
        run.fill(self.dw, |run, dw| {
            let (x, dy) = (run.get(self.x), run.get(self.dy));
            for (i, dw) in dw.iter_mut().enumerate() {
                let (k, n) = (i / dims.outputs, i % dims.outputs);
                *dw = (0..rows)
                    .map(|row| x[row * dims.inputs + k] * dy[row * dims.outputs + n])
                    .sum();
            }
        });
    }
}
