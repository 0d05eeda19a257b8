//! Pooling, window by window.

use super::{Compute, Run};
use crate::plan::ops::{
    AveragePool, AveragePoolGradient, MaxPool, MaxPoolGradient, PoolDims, Ties,
};

/// Calls `f` with each number of the output and the places of its window in the input.
fn windows(dims: PoolDims, rows: usize, mut f: impl FnMut(usize, &[usize])) {
    let (window, channels) = (dims.window, dims.channels);
    for row in 0..rows {
        for place in 0..window.outputs() {
            for channel in 0..channels {
                let at = |pixel| (row * window.inputs() + pixel) * channels + channel;
                let pixels = (0..window.taps()).filter_map(|tap| window.pixel(place, tap));
                let inputs: Vec<usize> = pixels.map(at).collect();
                f(
                    (row * window.outputs() + place) * channels + channel,
                    &inputs,
                );
            }
        }
    }
}

/// The larger number; a NaN if there is one.
fn larger(a: f32, b: f32) -> f32 {
    if b > a || b.is_nan() { b } else { a }
}

impl Compute for MaxPool {
    fn compute(&self, run: &mut Run<'_>) {
        run.fill(self.y, |run, y| {
            let x = run.get(self.x);
            windows(self.dims, run.rows, |i, inputs| {
                let numbers = inputs.iter().map(|&i| x[i]);
                y[i] = numbers.fold(f32::NEG_INFINITY, larger);
            });
        });
    }
}

impl Compute for MaxPoolGradient {
    fn compute(&self, run: &mut Run<'_>) {
        run.fill(self.dx, |run, dx| {
            dx.fill(0.0);
            let (x, y, dy) = (run.get(self.x), run.get(self.y), run.get(self.dy));
            windows(self.dims, run.rows, |i, inputs| {
                let largest = inputs.iter().filter(|&&at| x[at] == y[i]);
                let receivers: Vec<usize> = match self.ties {
                    Ties::First => largest.take(1).copied().collect(),
                    Ties::Share => largest.copied().collect(),
                };
                for &at in &receivers {
                    dx[at] += dy[i] / receivers.len() as f32;
                }
            });
        });
    }
}

impl Compute for AveragePool {
    fn compute(&self, run: &mut Run<'_>) {
        run.fill(self.y, |run, y| {
            let x = run.get(self.x);
            windows(self.dims, run.rows, |i, inputs| {
                let sum: f32 = inputs.iter().map(|&i| x[i]).sum();
                y[i] = sum / inputs.len() as f32;
            });
        });
    }
}

impl Compute for AveragePoolGradient {
    fn compute(&self, run: &mut Run<'_>) {
        run.fill(self.dx, |run, dx| {
            dx.fill(0.0);
            let dy = run.get(self.dy);
            windows(self.dims, run.rows, |i, inputs| {
                for &at in inputs {
                    dx[at] += dy[i] / inputs.len() as f32;
                }
            });
        });
    }
}
