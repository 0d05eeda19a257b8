//! The sum of the parts of a kernel's gradient.

use super::{Compute, Run};
use crate::plan::ops::KernelSum;
use std::ops::Range;

/// Calls `f` with the rows of each of so many parts of the batch, and the sums over them.
pub(super) fn in_parts(
    rows: usize,
    count: usize,
    sums: &mut [f32],
    f: impl Fn(Range<usize>, &mut [f32]),
) {
    sums.fill(0.0);
    let size = sums.len() / count;
    for (part, sums) in sums.chunks_mut(size).enumerate() {
        f(rows * part / count..rows * (part + 1) / count, sums);
    }
}

impl Compute for KernelSum {
    fn compute(&self, run: &mut Run<'_>) {
        run.fill(self.dw, |run, sums| {
            let (parts, size) = (run.get(self.parts), self.shape.size());
            for (j, sum) in sums.iter_mut().enumerate() {
                *sum = parts.iter().skip(j).step_by(size).sum();
            }
        });
    }
}
