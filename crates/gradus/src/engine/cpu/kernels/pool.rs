//! Pooling of windows of images, channel by channel.

use crate::engine::cpu::simd::{Kernel, Simd, lanes};
use crate::plan::ops::{PoolDims, Ties};
use crate::rules::window::{Slide, Window};
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
    let steps = |pixels: usize| match slide.dilation {
        1 => pixels,
        dilation => pixels.div_ceil(dilation),
    };
    // Taps before the image.
    let skipped = steps(slide.before.saturating_sub(start));
    let first = start + skipped * slide.dilation - slide.before;
    let room = steps(slide.input.saturating_sub(first));
    (first, room.min(slide.taps.saturating_sub(skipped)))
}

/// Places of a batch of images, one after the other, each with its number: without a division for
/// each, which would take longer than few channels do.
struct Places {
    window: Window,
    n: usize,
    end: usize,
    row: usize,
    column: usize,
    /// The first pixel of the images' rows that the places of this row see, and the number of rows.
    start: usize,
    rows: usize,
}

impl Places {
    #[inline(always)]
    fn new(dims: &PoolDims, range: Range<usize>) -> Self {
        let window = dims.window;
        let (image, at) = (
            range.start / window.outputs(),
            range.start % window.outputs(),
        );
        let mut places = Places {
            window,
            n: range.start,
            end: range.end,
            row: at / window.columns.output,
            column: at % window.columns.output,
            start: 0,
            rows: 0,
        };
        places.enter(image);
        places
    }

    /// Finds the rows of an image that the row's places see.
    #[inline(always)]
    fn enter(&mut self, image: usize) {
        let (row, rows) = inside(self.window.rows, self.row);
        self.start = image * self.window.inputs() + row * self.window.columns.input;
        self.rows = rows;
    }
}

impl Iterator for Places {
    type Item = (usize, Place);

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        if self.n == self.end {
            return None;
        }
        if self.column == self.window.columns.output {
            self.column = 0;
            self.row = (self.row + 1) % self.window.rows.output;
            self.enter(self.n / self.window.outputs());
        }
        let (column, columns) = inside(self.window.columns, self.column);
        let place = Place {
            first: self.start + column,
            rows: self.rows,
            columns,
        };
        self.column += 1;
        self.n += 1;
        Some((self.n - 1, place))
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
        for (n, place) in Places::new(&self.dims, self.range.0..self.range.1) {
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
        for (n, place) in Places::new(&self.dims, self.range.0..self.range.1) {
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

/// Writes zeros to images, unless each pixel is in a window of its own; returns the pixels of y that are made of
/// them.
fn clear(dims: &PoolDims, dx: *mut f32, (from, to): (usize, usize)) -> Range<usize> {
    let Window { rows, columns } = dims.window;
    if !(rows.is_a_partition() && columns.is_a_partition()) {
        let size = dims.window.inputs() * dims.channels;
        // SAFETY: see above.
        unsafe { dx.add(from * size).write_bytes(0, (to - from) * size) };
    }
    from * dims.window.outputs()..to * dims.window.outputs()
}

/// Adds to a lane of the gradient, or writes it if no other window has the pixel.
#[inline(always)]
unsafe fn give<L: Simd>(given: L, dx: *mut f32, count: usize, alone: bool) {
    // SAFETY: see above.
    unsafe {
        let given = match alone {
            true => given,
            false => L::load_n(dx, count) + given,
        };
        given.store_n(dx, count);
    }
}

/// True if no two windows have the same pixel.
fn apart(dims: &PoolDims) -> bool {
    dims.window.rows.is_apart() && dims.window.columns.is_apart()
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
        let alone = apart(&self.dims);
        for (n, place) in Places::new(&self.dims, clear(&self.dims, self.dx, self.range)) {
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
                        give(given, self.dx.add(at), count, alone);
                    });
                }
            });
        }
    }

    #[inline(always)]
    fn shared<L: Simd>(&self) {
        let channels = self.dims.channels;
        let alone = apart(&self.dims);
        for (n, place) in Places::new(&self.dims, clear(&self.dims, self.dx, self.range)) {
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
                        let given = L::select(below, L::zero(), share);
                        give(given, self.dx.add(at), count, alone);
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
        let alone = apart(&self.dims);
        for (n, place) in Places::new(&self.dims, clear(&self.dims, self.dx, self.range)) {
            let pixels = L::splat((place.rows * place.columns) as f32);
            lanes!(L, channels, |i, count| {
                // SAFETY: see above.
                unsafe {
                    let share = L::load_n(self.dy.add(n * channels + i), count) / pixels;
                    pixels!(self.dims, place, |at| {
                        give(share, self.dx.add(at * channels + i), count, alone);
                    });
                }
            });
        }
    }
}
