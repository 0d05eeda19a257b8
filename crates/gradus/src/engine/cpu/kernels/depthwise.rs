//! Convolutions of each channel by itself, along a run of pixels of a row whose taps are all inside
//! the image.

use crate::engine::cpu::simd::{Kernel, Simd, WIDEST, lanes, parts};

// SAFETY, of every block in this file: whoever makes a kernel promises that its pointers and steps
// lead, for each of its pixels and taps, to a pixel of the source, that the kernel and the results
// have the sizes, and that no other thread touches what it writes meanwhile.

/// Pixels that share the loads of a tap's weights.
const PIXELS: usize = 6;

/// Taps of a row that share the loads of a pixel's gradient.
const TAPS: usize = 5;

/// Pixels side by side, and the taps of each. Steps are of floats.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct Run {
    pub pixels: usize,
    /// Rows and columns of taps.
    pub taps: (usize, usize),
    /// The steps in the source from a pixel to the next, from a row of taps to the next, and from a
    /// tap to the next.
    pub next: isize,
    pub row: isize,
    pub column: isize,
    /// The steps in the kernel from a row of taps to the next, and from a tap to the next.
    pub kernel_row: usize,
    pub kernel_column: usize,
    /// Numbers of a pixel of the convolution's output: the n-th is one of channel n / `multiplier`.
    pub filters: usize,
    pub multiplier: usize,
}

impl Run {
    /// A lane of the source's numbers for filters from `lane` on.
    #[inline(always)]
    unsafe fn numbers<L: Simd>(&self, x: *const f32, lane: usize, count: usize) -> L {
        // SAFETY: see above.
        unsafe {
            if self.multiplier == 1 {
                return L::load_n(x.add(lane), count);
            }
            let mut numbers = [0.0_f32; WIDEST];
            for (i, number) in numbers.iter_mut().enumerate().take(count) {
                *number = *x.add((lane + i) / self.multiplier);
            }
            L::load(numbers.as_ptr())
        }
    }

    /// True if two whole lanes begin here whose numbers lie side by side.
    #[inline(always)]
    fn has_two<L: Simd>(&self, lane: usize) -> bool {
        self.multiplier == 1 && lane + 2 * L::WIDTH <= self.filters
    }
}

/// y = patches ∗ w, channel by channel.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct Depthwise {
    pub run: Run,
    /// The first tap of the first pixel.
    pub x: *const f32,
    /// The weights of the first tap.
    pub w: *const f32,
    pub y: *mut f32,
    /// The step from a pixel of y to the next.
    pub y_next: usize,
}

impl Kernel for Depthwise {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        for (pixel, pixels) in parts(self.run.pixels, PIXELS) {
            let mut lane = 0;
            while lane < self.run.filters {
                let both = self.run.has_two::<L>(lane);
                // SAFETY: see above.
                unsafe {
                    match (pixels, both) {
                        (6, true) => self.tile::<L, 6, 2>(pixel, lane),
                        (5, true) => self.tile::<L, 5, 2>(pixel, lane),
                        (4, true) => self.tile::<L, 4, 2>(pixel, lane),
                        (3, true) => self.tile::<L, 3, 2>(pixel, lane),
                        (2, true) => self.tile::<L, 2, 2>(pixel, lane),
                        (_, true) => self.tile::<L, 1, 2>(pixel, lane),
                        (_, false) => {
                            for pixel in pixel..pixel + pixels {
                                self.single::<L>(pixel, lane);
                            }
                        }
                    }
                }
                lane += if both { 2 * L::WIDTH } else { L::WIDTH };
            }
        }
    }
}

impl Depthwise {
    #[inline(always)]
    unsafe fn tile<L: Simd, const ROWS: usize, const LANES: usize>(
        &self,
        pixel: usize,
        lane: usize,
    ) {
        let run = &self.run;
        let mut sums = [[L::zero(); LANES]; ROWS];
        // SAFETY: see above.
        unsafe {
            let first = self.x.offset(pixel as isize * run.next).add(lane);
            for row in 0..run.taps.0 {
                let mut x = first.offset(row as isize * run.row);
                let mut w = self.w.add(row * run.kernel_row + lane);
                for _ in 0..run.taps.1 {
                    let mut weights = [L::zero(); LANES];
                    for (i, weights) in weights.iter_mut().enumerate() {
                        *weights = L::load(w.add(i * L::WIDTH));
                    }
                    for (n, sums) in sums.iter_mut().enumerate() {
                        let x = x.offset(n as isize * run.next);
                        for (i, (sum, w)) in sums.iter_mut().zip(weights).enumerate() {
                            *sum = L::load(x.add(i * L::WIDTH)).mul_add(w, *sum);
                        }
                    }
                    x = x.wrapping_offset(run.column);
                    w = w.wrapping_add(run.kernel_column);
                }
            }
            for (n, sums) in sums.into_iter().enumerate() {
                let y = self.y.add((pixel + n) * self.y_next + lane);
                for (i, sum) in sums.into_iter().enumerate() {
                    sum.store(y.add(i * L::WIDTH));
                }
            }
        }
    }

    /// One pixel's lane, which may be narrow.
    #[inline(always)]
    unsafe fn single<L: Simd>(&self, pixel: usize, lane: usize) {
        let run = &self.run;
        let count = L::WIDTH.min(run.filters - lane);
        let mut sum = L::zero();
        // SAFETY: see above.
        unsafe {
            let first = self.x.offset(pixel as isize * run.next);
            for row in 0..run.taps.0 {
                for column in 0..run.taps.1 {
                    let x = row as isize * run.row + column as isize * run.column;
                    let x = run.numbers::<L>(first.offset(x), lane, count);
                    let w = row * run.kernel_row + column * run.kernel_column + lane;
                    sum = x.mul_add(L::load_n(self.w.add(w), count), sum);
                }
            }
            let y = self.y.add(pixel * self.y_next + lane);
            sum.store_n(y, count);
        }
    }
}

/// Adds to dw the sum over the pixels of patches · dy, channel by channel.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct DepthwiseKernel {
    pub run: Run,
    /// The first tap of the first pixel.
    pub x: *const f32,
    /// A row of filters for each pixel.
    pub dy: *const f32,
    /// The sums of the first tap.
    pub dw: *mut f32,
}

impl Kernel for DepthwiseKernel {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let mut lane = 0;
        while lane < self.run.filters {
            let both = self.run.has_two::<L>(lane);
            for row in 0..self.run.taps.0 {
                for (tap, taps) in parts(self.run.taps.1, TAPS) {
                    // SAFETY: see above.
                    unsafe {
                        match (taps, both) {
                            (1, true) => self.two::<L, 1>((row, tap), lane),
                            (2, true) => self.two::<L, 2>((row, tap), lane),
                            (3, true) => self.two::<L, 3>((row, tap), lane),
                            (4, true) => self.two::<L, 4>((row, tap), lane),
                            (_, true) => self.two::<L, 5>((row, tap), lane),
                            (_, false) => {
                                for tap in tap..tap + taps {
                                    self.single::<L>((row, tap), lane);
                                }
                            }
                        }
                    }
                }
            }
            lane += if both { 2 * L::WIDTH } else { L::WIDTH };
        }
    }
}

impl DepthwiseKernel {
    /// The source of a tap at the first pixel, and the tap's sums.
    #[inline(always)]
    unsafe fn tap(&self, (row, column): (usize, usize)) -> (*const f32, *mut f32) {
        let run = &self.run;
        // SAFETY: see above.
        unsafe {
            let x = row as isize * run.row + column as isize * run.column;
            let dw = row * run.kernel_row + column * run.kernel_column;
            (self.x.offset(x), self.dw.add(dw))
        }
    }

    /// Some taps of a row, in two lanes.
    #[inline(always)]
    unsafe fn two<L: Simd, const TAPS: usize>(&self, (row, tap): (usize, usize), lane: usize) {
        let run = &self.run;
        let mut sums = [[L::zero(); 2]; TAPS];
        // SAFETY: see above.
        unsafe {
            let (mut x, _) = self.tap((row, tap));
            x = x.add(lane);
            for pixel in 0..run.pixels {
                let dy = self.dy.add(pixel * run.filters + lane);
                let dy = [L::load(dy), L::load(dy.add(L::WIDTH))];
                for (n, sums) in sums.iter_mut().enumerate() {
                    let x = x.offset(n as isize * run.column);
                    for (i, (sum, dy)) in sums.iter_mut().zip(dy).enumerate() {
                        *sum = L::load(x.add(i * L::WIDTH)).mul_add(dy, *sum);
                    }
                }
                x = x.wrapping_offset(run.next);
            }
            for (n, sums) in sums.into_iter().enumerate() {
                let (_, dw) = self.tap((row, tap + n));
                for (i, sum) in sums.into_iter().enumerate() {
                    let dw = dw.add(lane + i * L::WIDTH);
                    (L::load(dw) + sum).store(dw);
                }
            }
        }
    }

    /// A tap's lane, which may be narrow.
    #[inline(always)]
    unsafe fn single<L: Simd>(&self, tap: (usize, usize), lane: usize) {
        let run = &self.run;
        lanes!(L, (run.filters - lane).min(L::WIDTH), |_start, count| {
            // SAFETY: see above.
            unsafe {
                let (x, dw) = self.tap(tap);
                let mut sum = L::zero();
                for pixel in 0..run.pixels {
                    let x = x.offset(pixel as isize * run.next);
                    let dy = L::load_n(self.dy.add(pixel * run.filters + lane), count);
                    sum = run.numbers::<L>(x, lane, count).mul_add(dy, sum);
                }
                let dw = dw.add(lane);
                (L::load_n(dw, count) + sum).store_n(dw, count);
            }
        });
    }
}
