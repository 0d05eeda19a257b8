//! Convolutions of each channel by itself.

use super::factors::Patches;
use crate::engine::cpu::simd::{Kernel, Simd, WIDEST, lanes, parts};

// SAFETY, of every block in this file: whoever makes a kernel promises that its tables lead from
// each pixel and tap to a pixel of the source, that the kernel and the results have the sizes,
// and that no other thread touches what it writes meanwhile.

/// Pixels that share the loads of a tap's weights.
const PIXELS: usize = 6;

/// Taps that share the loads of a pixel's gradient.
const TAPS: usize = 5;

/// y = patches ∗ w, channel by channel: the n-th filter is one of channel n / `multiplier`.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct Depthwise {
    pub patches: Patches,
    pub taps: usize,
    pub pixels: usize,
    pub filters: usize,
    pub multiplier: usize,
    /// A row of filters for each tap.
    pub w: *const f32,
    /// A row of filters for each pixel.
    pub y: *mut f32,
}

impl Kernel for Depthwise {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        for (pixel, pixels) in parts(self.pixels, PIXELS) {
            let mut from = [std::ptr::null::<f32>(); PIXELS];
            for (i, from) in from.iter_mut().enumerate().take(pixels) {
                // SAFETY: see above.
                *from = unsafe {
                    let offset = *self.patches.pixels.add(pixel + i);
                    self.patches.from.offset(offset)
                };
            }
            let mut lane = 0;
            while lane < self.filters {
                let both = self.multiplier == 1 && lane + 2 * L::WIDTH <= self.filters;
                // SAFETY: see above.
                unsafe {
                    match (pixels, both) {
                        (6, true) => self.tile::<L, 6, 2>(&from, pixel, lane),
                        (5, true) => self.tile::<L, 5, 2>(&from, pixel, lane),
                        (4, true) => self.tile::<L, 4, 2>(&from, pixel, lane),
                        (3, true) => self.tile::<L, 3, 2>(&from, pixel, lane),
                        _ => {
                            for (i, &from) in from[..pixels].iter().enumerate() {
                                self.single::<L>(from, pixel + i, lane);
                                if both {
                                    self.single::<L>(from, pixel + i, lane + L::WIDTH);
                                }
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
        from: &[*const f32; PIXELS],
        pixel: usize,
        lane: usize,
    ) {
        let mut sums = [[L::zero(); LANES]; ROWS];
        // SAFETY: see above.
        unsafe {
            for tap in 0..self.taps {
                let offset = *self.patches.taps.add(tap) + lane as isize;
                let w = self.w.add(tap * self.filters + lane);
                let mut weights = [L::zero(); LANES];
                for (i, weights) in weights.iter_mut().enumerate() {
                    *weights = L::load(w.add(i * L::WIDTH));
                }
                for (from, sums) in from.iter().zip(&mut sums) {
                    let x = from.offset(offset);
                    for (i, (sum, w)) in sums.iter_mut().zip(weights).enumerate() {
                        *sum = L::load(x.add(i * L::WIDTH)).mul_add(w, *sum);
                    }
                }
            }
            for (n, sums) in sums.into_iter().enumerate() {
                let y = self.y.add((pixel + n) * self.filters + lane);
                for (i, sum) in sums.into_iter().enumerate() {
                    sum.store(y.add(i * L::WIDTH));
                }
            }
        }
    }

    /// One pixel's lane, which may be narrow.
    #[inline(always)]
    unsafe fn single<L: Simd>(&self, from: *const f32, pixel: usize, lane: usize) {
        let count = L::WIDTH.min(self.filters - lane);
        let mut sum = L::zero();
        // SAFETY: see above.
        unsafe {
            for tap in 0..self.taps {
                let x = from.offset(*self.patches.taps.add(tap));
                let x = match self.multiplier {
                    1 => L::load_n(x.add(lane), count),
                    multiplier => {
                        let mut numbers = [0.0_f32; WIDEST];
                        for (i, number) in numbers.iter_mut().enumerate().take(count) {
                            *number = *x.add((lane + i) / multiplier);
                        }
                        L::load(numbers.as_ptr())
                    }
                };
                let w = L::load_n(self.w.add(tap * self.filters + lane), count);
                sum = x.mul_add(w, sum);
            }
            sum.store_n(self.y.add(pixel * self.filters + lane), count);
        }
    }
}

/// dw = the sum over pixels of patches · dy, channel by channel.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct DepthwiseKernel {
    pub patches: Patches,
    pub taps: usize,
    pub pixels: usize,
    pub filters: usize,
    pub multiplier: usize,
    /// A row of filters for each pixel.
    pub dy: *const f32,
    /// A row of filters for each tap.
    pub dw: *mut f32,
    /// True to continue the existing sums.
    pub add: bool,
}

impl Kernel for DepthwiseKernel {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        lanes!(L, self.filters, |lane, count| {
            for (tap, taps) in parts(self.taps, TAPS) {
                // SAFETY: see above.
                unsafe {
                    match taps {
                        1 => self.tile::<L, 1>(tap, lane, count),
                        2 => self.tile::<L, 2>(tap, lane, count),
                        3 => self.tile::<L, 3>(tap, lane, count),
                        4 => self.tile::<L, 4>(tap, lane, count),
                        _ => self.tile::<L, 5>(tap, lane, count),
                    }
                }
            }
        });
    }
}

impl DepthwiseKernel {
    #[inline(always)]
    unsafe fn tile<L: Simd, const ROWS: usize>(&self, tap: usize, lane: usize, count: usize) {
        // Two sums of each, which do not wait for each other.
        let mut sums = [[L::zero(); 2]; ROWS];
        // SAFETY: see above.
        unsafe {
            let mut taps = [0; ROWS];
            for (i, offset) in taps.iter_mut().enumerate() {
                *offset = *self.patches.taps.add(tap + i);
            }
            for pixel in (0..self.pixels).step_by(2) {
                for (which, pixel) in (pixel..self.pixels.min(pixel + 2)).enumerate() {
                    let dy = L::load_n(self.dy.add(pixel * self.filters + lane), count);
                    let from = self.patches.from.offset(*self.patches.pixels.add(pixel));
                    for (sums, offset) in sums.iter_mut().zip(taps) {
                        let x = from.offset(offset);
                        let x = match self.multiplier {
                            1 => L::load_n(x.add(lane), count),
                            multiplier => {
                                let mut numbers = [0.0_f32; WIDEST];
                                for (i, number) in numbers.iter_mut().enumerate().take(count) {
                                    *number = *x.add((lane + i) / multiplier);
                                }
                                L::load(numbers.as_ptr())
                            }
                        };
                        sums[which] = x.mul_add(dy, sums[which]);
                    }
                }
            }
            for (i, [a, b]) in sums.into_iter().enumerate() {
                let dw = self.dw.add((tap + i) * self.filters + lane);
                let before = match self.add {
                    true => L::load_n(dw, count),
                    false => L::zero(),
                };
                (before + (a + b)).store_n(dw, count);
            }
        }
    }
}
