//! Convolutions by channels, each element a sum in order of taps.

use super::kernel_sum::in_parts;
use super::{Compute, Run};
use crate::plan::ops::{Depthwise, DepthwiseDims, DepthwiseInput, DepthwiseKernel};
use std::ops::Range;

/// Calls `f` with the places of x, w and y of each product of a depthwise convolution.
fn products(dims: DepthwiseDims, rows: Range<usize>, mut f: impl FnMut(usize, usize, usize)) {
    let (window, filters) = (dims.window, dims.filters());
    for row in rows {
        for place in 0..window.outputs() {
            for tap in 0..window.taps() {
                let Some(pixel) = window.pixel(place, tap) else {
                    continue;
                };
                let x = (row * window.inputs() + pixel) * dims.channels;
                let y = (row * window.outputs() + place) * filters;
                for filter in 0..filters {
                    let channel = filter / dims.multiplier;
                    f(x + channel, tap * filters + filter, y + filter);
                }
            }
        }
    }
}

impl Compute for Depthwise {
    fn compute(&self, run: &mut Run<'_>) {
        run.fill(self.y, |run, sums| {
            sums.fill(0.0);
            let (x, w) = (run.get(self.x), run.get(self.w));
            products(self.dims, 0..run.rows, |i, j, k| sums[k] += x[i] * w[j]);
        });
    }
}

impl Compute for DepthwiseInput {
    fn compute(&self, run: &mut Run<'_>) {
        run.fill(self.dx, |run, sums| {
            sums.fill(0.0);
            let (dy, w) = (run.get(self.dy), run.get(self.w));
            products(self.dims, 0..run.rows, |i, j, k| sums[i] += dy[k] * w[j]);
        });
    }
}

impl Compute for DepthwiseKernel {
    fn compute(&self, run: &mut Run<'_>) {
        run.fill(self.dw, |run, sums| {
            let (x, dy) = (run.get(self.x), run.get(self.dy));
            in_parts(run.rows, self.dims.parts(), sums, |rows, sums| {
                products(self.dims, rows, |i, j, k| sums[j] += x[i] * dy[k]);
            });
        });
    }
}
