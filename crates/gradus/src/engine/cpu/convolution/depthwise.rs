//! Convolutions by channels: row by row where the images lie, in runs of pixels whose taps are
//! inside.

use super::lattice::Lattice;
use crate::engine::cpu::context::Context;
use crate::engine::cpu::kernels::depthwise::{self, Run};
use crate::plan::Buffer;
use crate::plan::ops::DepthwiseDims;

/// Pixels whose results lie apart at a time, where a channel's filters are summed.
const APART: usize = 64;

/// A depthwise convolution of `x` by `w`, or the gradient of its input, of which `x` is that of
/// the output.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct Depthwise {
    pub x: Buffer,
    pub w: Buffer,
    pub y: Buffer,
    pub dims: DepthwiseDims,
    /// True for the gradient.
    pub back: bool,
}

/// A run of pixels of a lattice with the same taps inside the image.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    /// The first pixel, and the number of them.
    pixel: usize,
    pixels: usize,
    /// The first pixel's first tap inside: its pixel of the source, and its number among the
    /// window's taps.
    source: usize,
    tap: usize,
    /// Rows and columns of taps inside.
    taps: (usize, usize),
}

/// Calls `f` with the stretches of a lattice's pixels `from..to`.
fn stretches(
    lattice: &Lattice,
    columns_of_taps: usize,
    (from, to): (usize, usize),
    mut f: impl FnMut(Stretch),
) {
    let Lattice { rows, columns, .. } = lattice;
    let (first, end) = columns.interior();
    let mut at = from;
    while at < to {
        let (line, start) = (at / columns.count, at % columns.count);
        let stop = columns.count.min(start + to - at);
        let (image, row) = (line / rows.count, line % rows.count);
        let (tap_row, taps_down) = rows.inside(row);
        let mut column = start;
        while column < stop {
            let (tap_column, taps_across) = columns.inside(column);
            let next = match first <= column && column < end {
                true => stop.min(end),
                false => column + 1,
            };
            let source = match taps_down * taps_across {
                0 => 0,
                _ => {
                    let row = image * rows.source + rows.reached(row, tap_row);
                    row * columns.source + columns.reached(column, tap_column)
                }
            };
            f(Stretch {
                pixel: line * columns.count + column,
                pixels: next - column,
                source,
                tap: rows.window_tap(tap_row) * columns_of_taps + columns.window_tap(tap_column),
                taps: (taps_down, taps_across),
            });
            column = next;
        }
        at += stop - start;
    }
}

/// The steps of a run of pixels, in a source of so many channels.
fn run(lattice: &Lattice, dims: &DepthwiseDims, stretch: &Stretch, channels: usize) -> Run {
    let Lattice { rows, columns, .. } = lattice;
    let filters = dims.filters();
    let channels = channels as isize;
    Run {
        pixels: stretch.pixels,
        taps: stretch.taps,
        next: columns.step as isize * channels,
        row: rows.by * columns.source as isize * channels,
        column: columns.by * channels,
        kernel_row: rows.next_tap * dims.window.columns.taps * filters,
        kernel_column: columns.next_tap * filters,
        filters,
        multiplier: dims.multiplier,
    }
}

impl Depthwise {
    /// Channels of the source's pixels and of the result's.
    fn channels(&self) -> (usize, usize) {
        match self.back {
            true => (self.dims.filters(), self.dims.channels),
            false => (self.dims.channels, self.dims.filters()),
        }
    }

    /// True if the results of a channel's filters are summed.
    fn sums(&self) -> bool {
        self.back && self.dims.multiplier > 1
    }

    /// Floats of scratch memory that it needs.
    pub fn room(&self) -> usize {
        match self.sums() {
            true => APART * self.dims.filters(),
            false => 0,
        }
    }

    /// Makes pixels `from..to` of the batch's images.
    pub fn run(&self, context: &Context<'_>, (from, to): (usize, usize)) {
        Lattice::each(self.dims.window, self.back, |lattice| {
            let pixels = (lattice.before(from), lattice.before(to));
            let across = self.dims.window.columns.taps;
            stretches(&lattice, across, pixels, |stretch| {
                // SAFETY: the verifier has compared the sizes; the pixels are inside the batch, and
                // this task's. The scratch has the room that is asked for.
                unsafe { self.stretch(context, &lattice, stretch) };
            });
        });
    }

    unsafe fn stretch(&self, context: &Context<'_>, lattice: &Lattice, stretch: Stretch) {
        let (channels, width) = self.channels();
        let filters = self.dims.filters();
        let y = context.at(self.y);
        let next = lattice.columns.every * width;
        if stretch.taps.0 == 0 || stretch.taps.1 == 0 {
            for n in 0..stretch.pixels {
                // SAFETY: the caller's promise.
                unsafe {
                    let y = y.add(lattice.pixel(stretch.pixel) * width + n * next);
                    y.write_bytes(0, width);
                }
            }
            return;
        }
        // SAFETY: the caller's promise.
        unsafe {
            let run = run(lattice, &self.dims, &stretch, channels);
            let y = y.add(lattice.pixel(stretch.pixel) * width);
            let whole = depthwise::Depthwise {
                run: Run {
                    multiplier: if self.back { 1 } else { run.multiplier },
                    ..run
                },
                x: context.at(self.x).add(stretch.source * channels),
                w: context.at(self.w).add(stretch.tap * filters),
                y,
                y_next: next,
            };
            if !self.sums() {
                return context.isa.run(whole);
            }
            let apart = context.scratch(self.room());
            for start in (0..stretch.pixels).step_by(APART) {
                let pixels = APART.min(stretch.pixels - start);
                context.isa.run(depthwise::Depthwise {
                    run: Run {
                        pixels,
                        ..whole.run
                    },
                    x: whole.x.offset(start as isize * run.next),
                    y: apart,
                    y_next: filters,
                    ..whole
                });
                for n in 0..pixels {
                    for channel in 0..width {
                        let from = apart.add(n * filters + channel * run.multiplier);
                        let sum = (0..run.multiplier).map(|i| *from.add(i)).sum();
                        *y.add((start + n) * next + channel) = sum;
                    }
                }
            }
        }
    }
}

/// The gradient of a depthwise kernel, summed over each of some parts of the batch.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct DepthwiseGradient {
    pub x: Buffer,
    pub dy: Buffer,
    pub dw: Buffer,
    pub dims: DepthwiseDims,
}

impl DepthwiseGradient {
    /// Makes the gradients of parts `from..to`.
    pub fn run(&self, context: &Context<'_>, (from, to): (usize, usize)) {
        let (filters, channels) = (self.dims.filters(), self.dims.channels);
        let size = self.dims.window.taps() * filters;
        let lattice = Lattice::forward(self.dims.window);
        let pixels = self.dims.window.outputs();
        for part in from..to {
            let begin = |part: usize| context.rows * part / self.dims.parts() * pixels;
            // SAFETY: the verifier has compared the sizes; the parts are this task's.
            let dw = unsafe {
                let dw = context.at(self.dw).add(part * size);
                dw.write_bytes(0, size);
                dw
            };
            let across = self.dims.window.columns.taps;
            let pixels = (begin(part), begin(part + 1));
            stretches(&lattice, across, pixels, |stretch| {
                // SAFETY: as above; the pixels are inside the batch.
                unsafe {
                    context.isa.run(depthwise::DepthwiseKernel {
                        run: run(&lattice, &self.dims, &stretch, channels),
                        x: context.at(self.x).add(stretch.source * channels),
                        dy: context.at(self.dy).add(stretch.pixel * filters),
                        dw: dw.add(stretch.tap * filters),
                    });
                }
            });
        }
    }
}
