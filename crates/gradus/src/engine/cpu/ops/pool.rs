//! Pooling: a slow form, until the kernels are here.

use super::{Execute, Part};
use crate::engine::cpu::context::Context;
use crate::plan::ops::{
    AveragePool, AveragePoolGradient, MaxPool, MaxPoolGradient, PoolDims, Ties,
};

fn windows(dims: PoolDims, rows: std::ops::Range<usize>, mut f: impl FnMut(usize, &[usize])) {
    let (window, channels) = (dims.window, dims.channels);
    for row in rows {
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

fn larger(a: f32, b: f32) -> f32 {
    if b > a || b.is_nan() { b } else { a }
}

impl Execute for MaxPool {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let rows = part.rows(context);
        let (x, y) = (context.at(self.x), context.at(self.y));
        let (from, to) = (rows.from * self.dims.channels, rows.to * self.dims.channels);
        windows(self.dims, 0..context.rows, |i, inputs| {
            if (from..to).contains(&i) {
                // SAFETY: for now.
                unsafe {
                    let numbers = inputs.iter().map(|&i| *x.add(i));
                    *y.add(i) = numbers.fold(f32::NEG_INFINITY, larger);
                }
            }
        });
    }
}

impl Execute for MaxPoolGradient {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let rows = part.rows(context);
        let (x, y) = (context.at(self.x), context.at(self.y));
        let (dy, dx) = (context.at(self.dy), context.at(self.dx));
        let size = self.dims.window.inputs() * self.dims.channels;
        // SAFETY: for now.
        unsafe {
            (rows.from * size..rows.to * size).for_each(|i| *dx.add(i) = 0.0);
            windows(self.dims, rows.from..rows.to, |i, inputs| {
                let largest = inputs.iter().filter(|&&at| *x.add(at) == *y.add(i));
                let receivers: Vec<usize> = match self.ties {
                    Ties::First => largest.take(1).copied().collect(),
                    Ties::Share => largest.copied().collect(),
                };
                for &at in &receivers {
                    *dx.add(at) += *dy.add(i) / receivers.len() as f32;
                }
            });
        }
    }
}

impl Execute for AveragePool {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let rows = part.rows(context);
        let (x, y) = (context.at(self.x), context.at(self.y));
        let (from, to) = (rows.from * self.dims.channels, rows.to * self.dims.channels);
        windows(self.dims, 0..context.rows, |i, inputs| {
            if (from..to).contains(&i) {
                // SAFETY: for now.
                unsafe {
                    let sum: f32 = inputs.iter().map(|&i| *x.add(i)).sum();
                    *y.add(i) = sum / inputs.len() as f32;
                }
            }
        });
    }
}

impl Execute for AveragePoolGradient {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let rows = part.rows(context);
        let (dy, dx) = (context.at(self.dy), context.at(self.dx));
        let size = self.dims.window.inputs() * self.dims.channels;
        // SAFETY: for now.
        unsafe {
            (rows.from * size..rows.to * size).for_each(|i| *dx.add(i) = 0.0);
            windows(self.dims, rows.from..rows.to, |i, inputs| {
                for &at in inputs {
                    *dx.add(at) += *dy.add(i) / inputs.len() as f32;
                }
            });
        }
    }
}
