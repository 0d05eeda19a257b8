//! Convolutions, each element a sum in order of taps and channels.

use super::kernel_sum::in_parts;
use super::{Compute, Run};
use crate::plan::ops::{Conv, ConvDims, ConvInput, ConvKernel};
use std::ops::Range;

/// Calls `f` with the places of x, w and y of each product of a convolution.
fn products(dims: ConvDims, rows: Range<usize>, mut f: impl FnMut(usize, usize, usize)) {
    let (window, depth) = (dims.window, dims.depth());
    let each = dims.filters / dims.groups;
    for row in rows {
        for place in 0..window.outputs() {
            for filter in 0..dims.filters {
                let y = (row * window.outputs() + place) * dims.filters + filter;
                for tap in 0..window.taps() {
                    let Some(pixel) = window.pixel(place, tap) else {
                        continue;
                    };
                    let group = filter / each * depth;
                    let x = (row * window.inputs() + pixel) * dims.channels + group;
                    for channel in 0..depth {
                        let w = (tap * depth + channel) * dims.filters + filter;
                        f(x + channel, w, y);
                    }
                }
            }
        }
    }
}

impl Compute for Conv {
    fn compute(&self, run: &mut Run<'_>) {
        run.fill(self.y, |run, sums| {
            sums.fill(0.0);
            let (x, w) = (run.get(self.x), run.get(self.w));
            products(self.dims, 0..run.rows, |i, j, k| sums[k] += x[i] * w[j]);
        });
    }
}

impl Compute for ConvInput {
    fn compute(&self, run: &mut Run<'_>) {
        run.fill(self.dx, |run, sums| {
            sums.fill(0.0);
            let (dy, w) = (run.get(self.dy), run.get(self.w));
            products(self.dims, 0..run.rows, |i, j, k| sums[i] += dy[k] * w[j]);
        });
    }
}

impl Compute for ConvKernel {
    fn compute(&self, run: &mut Run<'_>) {
        run.fill(self.dw, |run, sums| {
            let (x, dy) = (run.get(self.x), run.get(self.dy));
            in_parts(run.rows, self.dims.parts(), sums, |rows, sums| {
                products(self.dims, rows, |i, j, k| sums[j] += x[i] * dy[k]);
            });
        });
    }
}
