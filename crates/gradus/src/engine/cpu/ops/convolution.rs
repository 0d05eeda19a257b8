//! Convolutions: a slow form, until the kernels are here.

use super::{Execute, Part};
use crate::engine::cpu::context::Context;
use crate::engine::cpu::packed::PanelPacked;
use crate::plan::ops::{Conv, ConvDims, ConvInput, ConvKernel};

fn products(dims: ConvDims, rows: usize, mut f: impl FnMut(usize, usize, usize)) {
    let (window, depth) = (dims.window, dims.depth());
    let each = dims.filters / dims.groups;
    for row in 0..rows {
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

fn place(context: &Context<'_>, dims: ConvDims, w: usize) -> usize {
    let (row, column) = (w / dims.filters, w % dims.filters);
    let width = context.isa.width();
    let (at, _) = PanelPacked::new(dims.product()).at(context.isa, row, column / width * width);
    at + column % width
}

impl Execute for Conv {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let rows = part.rows(context);
        let (x, w, y) = (context.at(self.x), context.at(self.w), context.at(self.y));
        let (from, to) = (rows.from * self.dims.filters, rows.to * self.dims.filters);
        // SAFETY: for now.
        unsafe {
            (from..to).for_each(|k| *y.add(k) = 0.0);
            products(self.dims, context.rows, |i, j, k| {
                if (from..to).contains(&k) {
                    *y.add(k) += *x.add(i) * *w.add(place(context, self.dims, j));
                }
            });
        }
    }
}

impl Execute for ConvInput {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let rows = part.rows(context);
        let (dy, w, dx) = (context.at(self.dy), context.at(self.w), context.at(self.dx));
        let (from, to) = (rows.from * self.dims.channels, rows.to * self.dims.channels);
        // SAFETY: for now.
        unsafe {
            (from..to).for_each(|k| *dx.add(k) = 0.0);
            products(self.dims, context.rows, |i, j, k| {
                if (from..to).contains(&i) {
                    *dx.add(i) += *dy.add(k) * *w.add(place(context, self.dims, j));
                }
            });
        }
    }
}

impl Execute for ConvKernel {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let rows = part.rows(context);
        let (x, dy, dw) = (context.at(self.x), context.at(self.dy), context.at(self.dw));
        let (from, to) = (rows.from * self.dims.filters, rows.to * self.dims.filters);
        // SAFETY: for now.
        unsafe {
            (from..to).for_each(|j| *dw.add(place(context, self.dims, j)) = 0.0);
            products(self.dims, context.rows, |i, j, k| {
                if (from..to).contains(&j) {
                    *dw.add(place(context, self.dims, j)) += *x.add(i) * *dy.add(k);
                }
            });
        }
    }
}
