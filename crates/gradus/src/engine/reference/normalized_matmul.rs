//! The gradients of weights behind a normalized batch.

use super::{Compute, Run};
use crate::plan::ops::{CHUNKS, NormalizedScale, NormalizedWeight};

impl Compute for NormalizedWeight {
    fn compute(&self, run: &mut Run<'_>) {
        let dims = self.dims;
        let mut all = vec![0.0; 2 * CHUNKS * dims.inputs];
        let (scales, shifts) = all.split_at_mut(CHUNKS * dims.inputs);
        let chunks = CHUNKS.min(dims.outputs);
        for i in 0..dims.inputs * dims.outputs {
            let (row, column) = (i / dims.outputs, i % dims.outputs);
            let chunk = column * chunks / dims.outputs;
            let w = run.get(self.w)[i];
            scales[chunk * dims.inputs + row] += w * run.get(self.g)[i];
            shifts[chunk * dims.inputs + row] += w * run.get(self.sums)[column];
        }
        run.set(self.parts, all);
        run.fill(self.dw, |run, dw| {
            for (i, dw) in dw.iter_mut().enumerate() {
                let (row, column) = (i / dims.outputs, i % dims.outputs);
                let gamma = self.gamma.map_or(1.0, |g| run.get(g)[row]);
                let beta = self.beta.map_or(0.0, |b| run.get(b)[row]);
                *dw = gamma * run.get(self.g)[i] + beta * run.get(self.sums)[column];
            }
        });
    }
}

impl Compute for NormalizedScale {
    fn compute(&self, run: &mut Run<'_>) {
        let dims = self.dims;
        for (first, gradient) in [(0, self.dgamma), (CHUNKS, self.dbeta)] {
            let Some(gradient) = gradient else { continue };
            run.fill(gradient, |run, gradient| {
                for (row, sum) in gradient.iter_mut().enumerate() {
                    let chunk = |n: usize| run.get(self.parts)[(first + n) * dims.inputs + row];
                    *sum = (0..CHUNKS.min(dims.outputs)).map(chunk).sum();
                }
            });
        }
    }
}
