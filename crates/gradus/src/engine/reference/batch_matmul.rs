//! Products of two matrices in each row.

use super::{Compute, Run};
use crate::plan::ops::BatchMatMul;

impl Compute for BatchMatMul {
    fn compute(&self, run: &mut Run<'_>) {
        let dims = self.dims;
        run.fill(self.y, |run, y| {
            for (i, y) in y.iter_mut().enumerate() {
                let (matrix, column) = (i / (dims.rows * dims.columns), i % dims.columns);
                let a = &run.get(self.a)[i / dims.columns * dims.depth..];
                let b = &run.get(self.b)[matrix * dims.depth * dims.columns..];
                *y = (0..dims.depth)
                    .map(|k| a[k] * b[k * dims.columns + column])
                    .sum();
            }
        });
    }
}
