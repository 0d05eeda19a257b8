//! Convolutions by channels: a slow form, until the kernels are here.

use super::{Execute, Part};
use crate::engine::cpu::context::Context;
use crate::plan::ops::{Depthwise, DepthwiseDims, DepthwiseInput, DepthwiseKernel};

fn products(dims: DepthwiseDims, rows: usize, mut f: impl FnMut(usize, usize, usize)) {
    let (window, filters) = (dims.window, dims.filters());
    for row in 0..rows {
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

impl Execute for Depthwise {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let rows = part.rows(context);
        let (x, w, y) = (context.at(self.x), context.at(self.w), context.at(self.y));
        let (from, to) = (
            rows.from * self.dims.filters(),
            rows.to * self.dims.filters(),
        );
        // SAFETY: for now.
        unsafe {
            (from..to).for_each(|k| *y.add(k) = 0.0);
            products(self.dims, context.rows, |i, j, k| {
                if (from..to).contains(&k) {
                    *y.add(k) += *x.add(i) * *w.add(j);
                }
            });
        }
    }
}

impl Execute for DepthwiseInput {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let rows = part.rows(context);
        let (dy, w, dx) = (context.at(self.dy), context.at(self.w), context.at(self.dx));
        let (from, to) = (rows.from * self.dims.channels, rows.to * self.dims.channels);
        // SAFETY: for now.
        unsafe {
            (from..to).for_each(|k| *dx.add(k) = 0.0);
            products(self.dims, context.rows, |i, j, k| {
                if (from..to).contains(&i) {
                    *dx.add(i) += *dy.add(k) * *w.add(j);
                }
            });
        }
    }
}

impl Execute for DepthwiseKernel {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let Part::Elements(from, to) = part else {
            unreachable!("it is cut by lanes")
        };
        let (x, dy, dw) = (context.at(self.x), context.at(self.dy), context.at(self.dw));
        let filters = self.dims.filters();
        let mine = |j: usize| (from..to).contains(&(j % filters));
        // SAFETY: for now.
        unsafe {
            for j in (0..self.dims.window.taps() * filters).filter(|&j| mine(j)) {
                *dw.add(j) = 0.0;
            }
            products(self.dims, context.rows, |i, j, k| {
                if mine(j) {
                    *dw.add(j) += *x.add(i) * *dy.add(k);
                }
            });
        }
    }
}
