//! Pooling of windows of images, channel by channel.

use crate::engine::cpu::simd::{Kernel, Simd, lanes};
use crate::plan::ops::{PoolDims, Ties};
use crate::rules::window::Slide;
use std::ops::Range;

// SAFETY, of every block in this file: whoever makes a kernel promises that its pointers lead to
// images of the sizes, as many as its range of pixels or images reaches, and that no other thread
// touches what it writes meanwhile.

/// A place of a window: its pixels inside the image.
#[derive(Clone, Copy)]
struct Place {
    /// The number of the first, the number of rows, and that of columns.
    first: usize,
    rows: usize,
    columns: usize,
}

/// The first pixel of the taps inside the image, and their number.
#[inline(always)]
fn inside(slide: Slide, place: usize) -> (usize, usize) {
    let start = place * slide.stride;
    // Taps before the image.
    let skipped = (slide.before.saturating_sub(start)).div_ceil(slide.dilation);
    let first = start + skipped * slide.dilation - slide.before;
    let room = (slide.input.saturating_sub(first)).div_ceil(slide.dilation);
    (first, room.min(slide.taps.saturating_sub(skipped)))
}

/// The n-th place of a batch of images.
#[inline(always)]
fn place(dims: &PoolDims, n: usize) -> Place {
    let window = dims.window;
    let (image, at) = (n / window.outputs(), n % window.outputs());
    let (row, rows) = inside(window.rows, at / window.columns.output);
    let (column, columns) = inside(window.columns, at % window.columns.output);
    Place {
        first: image * window.inputs() + row * window.columns.input + column,
        rows,
        columns,
    }
}

/// Runs the body for each pixel of a place, `at` being the pixel's number. A macro, since a
/// closure might not be compiled for the detected processor.
macro_rules! pixels {
    ($dims:expr, $place:expr, |$at:ident| $body:block) => {{
        let window = $dims.window;
        let down = window.rows.dilation * window.columns.input;
        for row in 0..$place.rows {
            for column in 0..$place.columns {
                let $at = $place.first + row * down + column * window.columns.dilation;
                $body
            }
        }
    }};
}

/// The larger number; a NaN if there is one.
#[inline(always)]
fn larger<L: Simd>(a: L, b: L) -> L {
    let infinity = L::splat(f32::INFINITY);
    let ordered = L::select(a.lt(b), b, a);
    // Of infinities and NaN the sum is wanted: a NaN if there is one.
    let special = L::select(a.lt(infinity), b, a + b);
    L::select(b.lt(infinity), ordered, special)
}

/// y = the largest number of each window, for pixels of y.
pub(in crate::engine::cpu) struct MaxPool {
    pub dims: PoolDims,
    pub x: *const f32,
    pub y: *mut f32,
    pub range: (usize, usize),
}

impl Kernel for MaxPool {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let channels = self.dims.channels;
        for n in self.range.0..self.range.1 {
            let place = place(&self.dims, n);
            lanes!(L, channels, |i, count| {
                // SAFETY: see above.
                unsafe {
                    let mut most = L::splat(f32::NEG_INFINITY);
                    pixels!(self.dims, place, |at| {
                        most = larger(most, L::load_n(self.x.add(at * channels + i), count));
                    });
                    most.store_n(self.y.add(n * channels + i), count);
                }
            });
        }
    }
}

/// y = the mean of each window, for pixels of y.
pub(in crate::engine::cpu) struct AveragePool {
    pub dims: PoolDims,
    pub x: *const f32,
    pub y: *mut f32,
    pub range: (usize, usize),
}

impl Kernel for AveragePool {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let channels = self.dims.channels;
        for n in self.range.0..self.range.1 {
            let place = place(&self.dims, n);
            let pixels = L::splat((place.rows * place.columns) as f32);
            lanes!(L, channels, |i, count| {
                // SAFETY: see above.
                unsafe {
                    let mut sum = L::zero();
                    pixels!(self.dims, place, |at| {
                        sum = sum + L::load_n(self.x.add(at * channels + i), count);
                    });
                    (sum / pixels).store_n(self.y.add(n * channels + i), count);
                }
            });
        }
    }
}

/// Writes zeros to images, and the pixels of y that are made of them.
fn clear(dims: &PoolDims, dx: *mut f32, (from, to): (usize, usize)) -> Range<usize> {
    let size = dims.window.inputs() * dims.channels;
    // SAFETY: see above.
    unsafe { dx.add(from * size).write_bytes(0, (to - from) * size) };
    from * dims.window.outputs()..to * dims.window.outputs()
}

/// The gradient of [`MaxPool`], for images. The largest is what is not below y; where y is NaN,
/// the loss is, too.
pub(in crate::engine::cpu) struct MaxPoolGradient {
    pub dims: PoolDims,
    pub ties: Ties,
    pub x: *const f32,
    pub y: *const f32,
    pub dy: *const f32,
    pub dx: *mut f32,
    pub range: (usize, usize),
}

impl Kernel for MaxPoolGradient {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        match self.ties {
            Ties::First => self.first::<L>(),
            Ties::Share => self.shared::<L>(),
        }
    }
}

impl MaxPoolGradient {
    #[inline(always)]
    fn first<L: Simd>(&self) {
        let channels = self.dims.channels;
        for n in clear(&self.dims, self.dx, self.range) {
            let place = place(&self.dims, n);
            lanes!(L, channels, |i, count| {
                // SAFETY: see above.
                unsafe {
                    let y = L::load_n(self.y.add(n * channels + i), count);
                    // The gradient until the first of the largest has it, then 0.
                    let mut rest = L::load_n(self.dy.add(n * channels + i), count);
                    pixels!(self.dims, place, |at| {
                        let at = at * channels + i;
                        let below = L::load_n(self.x.add(at), count).lt(y);
                        let given = L::select(below, L::zero(), rest);
                        rest = L::select(below, rest, L::zero());
                        let dx = self.dx.add(at);
                        (L::load_n(dx, count) + given).store_n(dx, count);
                    });
                }
            });
        }
    }

    #[inline(always)]
    fn shared<L: Simd>(&self) {
        let channels = self.dims.channels;
        for n in clear(&self.dims, self.dx, self.range) {
            let place = place(&self.dims, n);
            lanes!(L, channels, |i, count| {
                // SAFETY: see above.
                unsafe {
                    let y = L::load_n(self.y.add(n * channels + i), count);
                    let dy = L::load_n(self.dy.add(n * channels + i), count);
                    let mut receivers = L::zero();
                    pixels!(self.dims, place, |at| {
                        let below = L::load_n(self.x.add(at * channels + i), count).lt(y);
                        receivers = receivers + L::select(below, L::zero(), L::one());
                    });
                    let share = dy / receivers;
                    pixels!(self.dims, place, |at| {
                        let at = at * channels + i;
                        let below = L::load_n(self.x.add(at), count).lt(y);
                        let dx = self.dx.add(at);
                        let given = L::select(below, L::zero(), share);
                        (L::load_n(dx, count) + given).store_n(dx, count);
                    });
                }
            });
        }
    }
}

/// The gradient of [`AveragePool`], for images.
pub(in crate::engine::cpu) struct AveragePoolGradient {
    pub dims: PoolDims,
    pub dy: *const f32,
    pub dx: *mut f32,
    pub range: (usize, usize),
}

impl Kernel for AveragePoolGradient {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let channels = self.dims.channels;
        for n in clear(&self.dims, self.dx, self.range) {
            let place = place(&self.dims, n);
            let pixels = L::splat((place.rows * place.columns) as f32);
            lanes!(L, channels, |i, count| {
                // SAFETY: see above.
                unsafe {
                    let share = L::load_n(self.dy.add(n * channels + i), count) / pixels;
                    pixels!(self.dims, place, |at| {
                        let dx = self.dx.add(at * channels + i);
                        (L::load_n(dx, count) + share).store_n(dx, count);
                    });
                }
            });
        }
    }
}
