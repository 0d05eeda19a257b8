//! The same values in other places.

use super::{Compute, Run};
use crate::plan::ops::{Broadcast, BroadcastGradient, Concatenate, Constant, Permute, Slice};

impl Compute for Permute {
    fn compute(&self, run: &mut Run<'_>) {
        let width = self.view.width;
        run.fill(self.y, |run, y| {
            let from = permuted(&self.dims, &self.order);
            let x = run.get(self.x);
            for (i, y) in y.iter_mut().enumerate() {
                *y = x[i / width * width + from[i % width]];
            }
        });
    }
}

/// The place of each element of a permuted row in the original one: `dims` are the
/// original's, the new n-th axis is its `order[n]`-th.
fn permuted(dims: &[usize], order: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; dims.len()];
    for axis in (1..dims.len()).rev() {
        strides[axis - 1] = strides[axis] * dims[axis];
    }
    order.iter().fold(vec![0], |starts, &axis| {
        let stride = strides[axis];
        let next = |start: usize| (0..dims[axis]).map(move |i| start + i * stride);
        starts.into_iter().flat_map(next).collect()
    })
}

impl Compute for Broadcast {
    fn compute(&self, run: &mut Run<'_>) {
        let from = &self.from;
        run.fill(self.y, |run, y| {
            for (i, y) in y.iter_mut().enumerate() {
                let (row, place) = (i / from.len(), from[i % from.len()]);
                *y = run.get(self.x)[row * self.inputs + place as usize];
            }
        });
    }
}

impl Compute for BroadcastGradient {
    fn compute(&self, run: &mut Run<'_>) {
        let from = &self.from;
        run.fill(self.dx, |run, dx| {
            dx.fill(0.0);
            for (i, dy) in run.get(self.dy).iter().enumerate() {
                let (row, place) = (i / from.len(), from[i % from.len()]);
                dx[row * self.inputs + place as usize] += dy;
            }
        });
    }
}

impl Compute for Concatenate {
    fn compute(&self, run: &mut Run<'_>) {
        run.fill(self.y, |run, y| {
            for (row, y) in y.chunks_mut(self.view.width).enumerate() {
                let mut start = 0;
                for &(part, width) in &self.parts {
                    let x = &run.get(part)[row * width..(row + 1) * width];
                    y[start..start + width].copy_from_slice(x);
                    start += width;
                }
            }
        });
    }
}

impl Compute for Slice {
    fn compute(&self, run: &mut Run<'_>) {
        let width = self.view.width;
        run.fill(self.y, |run, y| {
            for (row, y) in y.chunks_mut(width).enumerate() {
                let from = row * self.width + self.start;
                y.copy_from_slice(&run.get(self.x)[from..from + width]);
            }
        });
    }
}

impl Compute for Constant {
    fn compute(&self, run: &mut Run<'_>) {
        run.set(self.y, self.values.clone());
    }
}
