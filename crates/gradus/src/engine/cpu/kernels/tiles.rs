//! The register tiles of a product: some rows and lanes of columns whose sums stay in the registers
//! throughout the depth.

use super::factors::Left;
use crate::engine::cpu::simd::{Simd, parts};

/// The most lanes of columns that a tile has on any processor.
pub(super) const MOST_LANES: usize = 3;

/// A lane of the second operand; `step` is the stride of its rows.
#[derive(Clone, Copy)]
pub(super) struct Stream {
    pub from: *const f32,
    pub step: usize,
}

impl Stream {
    pub const NONE: Self = Stream {
        from: std::ptr::null(),
        step: 0,
    };
}

/// A lane of the result: `width` columns, with rows of stride `stride`.
#[derive(Clone, Copy)]
pub(super) struct Sums {
    pub to: *mut f32,
    pub stride: usize,
    pub width: usize,
}

impl Sums {
    pub const NONE: Self = Sums {
        to: std::ptr::null_mut(),
        stride: 0,
        width: 0,
    };
}

/// All tiles of one panel, of floats or of `PAIRS` of bfloat16 values, each in one 32-bit element:
/// see [`Simd::mul_add_pairs`].
#[derive(Clone, Copy)]
pub(super) struct Tiles<const PAIRS: bool> {
    pub depth: usize,
    pub a: Left,
    /// First of c's rows that a has.
    pub above: usize,
    /// First element of a row to multiply.
    pub first: usize,
    pub b: [Stream; MOST_LANES],
    pub c: [Sums; MOST_LANES],
    /// True to continue the existing sums.
    pub add: bool,
}

impl<const PAIRS: bool> Tiles<PAIRS> {
    /// Some rows from `start` on.
    ///
    /// # Safety
    /// a and c must be readable and writable for the rows, depth and width; whole lanes of each b
    /// in use must be readable, also where it is narrower.
    #[inline(always)]
    pub unsafe fn run<L: Simd>(self, lanes: usize, start: usize, rows: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            match lanes {
                1 => self.rows_of::<L, 1>(start, rows),
                2 => self.rows_of::<L, 2>(start, rows),
                _ if L::TILE_LANES == 3 => self.rows_of::<L, 3>(start, rows),
                _ if L::WIDE_TILE_ROWS > 0 => self.rows_of::<L, 3>(start, rows),
                _ => unreachable!("no tile has so many lanes"),
            }
        }
    }

    #[inline(always)]
    unsafe fn rows_of<L: Simd, const LANES: usize>(self, start: usize, rows: usize) {
        let most = if LANES > L::TILE_LANES {
            L::WIDE_TILE_ROWS
        } else {
            L::TILE_ROWS
        };
        for (row, rows) in parts(rows, most) {
            let row = start + row;
            // SAFETY: the tiles cover the rows, by the caller's promise.
            unsafe {
                match rows {
                    1 => self.tile::<L, 1, LANES>(row),
                    2 => self.tile::<L, 2, LANES>(row),
                    3 => self.tile::<L, 3, LANES>(row),
                    4 => self.tile::<L, 4, LANES>(row),
                    5 if most >= 5 => self.tile::<L, 5, LANES>(row),
                    6 if most >= 6 => self.tile::<L, 6, LANES>(row),
                    7 if most >= 7 => self.tile::<L, 7, LANES>(row),
                    8 if most >= 8 => self.tile::<L, 8, LANES>(row),
                    _ => unreachable!("a tile has at most TILE_ROWS rows"),
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn tile<L: Simd, const ROWS: usize, const LANES: usize>(self, row: usize) {
        // SAFETY: rows `row..row + ROWS` of a and c, `depth` rows of b and the
        // columns of c are there, by the caller's promise.
        unsafe {
            let whole = self.c[..LANES].iter().all(|c| c.width == L::WIDTH);
            let mut sums = [[L::zero(); LANES]; ROWS];
            if self.add && whole {
                for (i, sums) in sums.iter_mut().enumerate() {
                    for (sum, c) in sums.iter_mut().zip(&self.c) {
                        *sum = L::load(c.to.add((row + i) * c.stride));
                    }
                }
            } else if self.add {
                self.load_narrow(row, &mut sums);
            }
            let mut b = [std::ptr::null(); LANES];
            for (b, stream) in b.iter_mut().zip(&self.b) {
                *b = stream.from;
            }
            let mut done = 0;
            while done < self.depth {
                // A pointer for each row: computing addresses by strides would take longer than the
                // products.
                let (a, step, length) = self.a.numbers::<L, ROWS>(
                    row - self.above,
                    self.first + done,
                    self.depth - done,
                );
                done += length;
                for k in 0..length {
                    let mut right = [L::zero(); LANES];
                    for (j, lane) in right.iter_mut().enumerate() {
                        *lane = L::load(b[j]);
                        b[j] = b[j].add(self.b[j].step);
                    }
                    for (i, sums) in sums.iter_mut().enumerate() {
                        let left = L::splat(*a[i].add(k * step));
                        for (sum, right) in sums.iter_mut().zip(right) {
                            *sum = match PAIRS {
                                true => left.mul_add_pairs(right, *sum),
                                false => left.mul_add(right, *sum),
                            };
                        }
                    }
                }
            }
            if whole {
                for (i, sums) in sums.into_iter().enumerate() {
                    for (sum, c) in sums.into_iter().zip(&self.c) {
                        sum.store(c.to.add((row + i) * c.stride));
                    }
                }
            } else {
                self.store_narrow(row, sums);
            }
        }
    }

    /// Loads the sums of a tile whose last lane is narrower.
    ///
    /// # Safety
    /// c must be readable for the rows.
    #[inline(always)]
    unsafe fn load_narrow<L: Simd, const ROWS: usize, const LANES: usize>(
        self,
        row: usize,
        sums: &mut [[L; LANES]; ROWS],
    ) {
        for (i, sums) in sums.iter_mut().enumerate() {
            for (sum, c) in sums.iter_mut().zip(&self.c) {
                // SAFETY: the caller's promise.
                *sum = unsafe { L::load_n(c.to.add((row + i) * c.stride), c.width) };
            }
        }
    }

    /// Stores the sums of a tile whose last lane is narrower.
    ///
    /// # Safety
    /// c must be writable for the rows.
    #[inline(always)]
    unsafe fn store_narrow<L: Simd, const ROWS: usize, const LANES: usize>(
        self,
        row: usize,
        sums: [[L; LANES]; ROWS],
    ) {
        for (i, sums) in sums.into_iter().enumerate() {
            for (sum, c) in sums.into_iter().zip(&self.c) {
                // SAFETY: the caller's promise.
                unsafe { sum.store_n(c.to.add((row + i) * c.stride), c.width) };
            }
        }
    }
}
