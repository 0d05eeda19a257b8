//! The sum of the parts of a kernel's gradient.

use super::{Compute, Run};
use crate::plan::ops::KernelSum;

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
