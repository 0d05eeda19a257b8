//! The quantized product: rows are made whole numbers some at a time, and multiplied while they
//! are in the second-level cache.

use super::{Int8Kernel, Int8Packed, Sums};
use crate::engine::cpu::kernels::columns::Block;
use crate::engine::cpu::simd::{WIDEST, parts};
use crate::rules::int8;

/// Bytes of quantized rows that a product goes over again and again.
const KEPT: usize = 192 << 10;

/// Bytes of a number of a row, at most.
const NUMBER: usize = size_of::<i16>();

/// Panels of a tile of a single row: with fewer, the loop takes longer than its sums.
const OF_ONE_ROW: usize = 4;

/// The most numbers that are multiplied at a time on any processor.
const MOST_DEPTH: usize = 4;

/// Rows that are quantized at a time.
fn step(depth: usize) -> usize {
    (KEPT / NUMBER / depth.max(1) / 24).max(1) * 24
}

/// Floats of scratch memory for a product with this many rows.
pub(in crate::engine::cpu) fn room(rows: usize, depth: usize) -> usize {
    let row = depth.next_multiple_of(MOST_DEPTH) * NUMBER / size_of::<f32>();
    rows.min(step(depth)) * (row + 1)
}

/// y = x · w for the block's columns: see [`QuantizedMatMul`].
///
/// [`QuantizedMatMul`]: crate::plan::ops::QuantizedMatMul
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct QuantizedProduct {
    /// Row-major, without a gap.
    pub x: *const f32,
    pub w: *const i8,
    pub matrix: Int8Packed,
    /// The scales of w's columns.
    pub scale: *const f32,
    pub y: *mut f32,
    pub block: Block,
    /// Columns of y's panels, if it is panel-packed.
    pub lane: usize,
    /// Scratch memory with [`room`] for the block's rows.
    pub scratch: *mut f32,
}

impl Int8Kernel for QuantizedProduct {
    type Output = ();

    #[inline(always)]
    fn run<S: Sums>(self) {
        let depth = self.matrix.rows;
        let step = step(depth).min(self.block.rows.max(1));
        let quantized = Quantized {
            scales: self.scratch,
            // SAFETY: the scratch has room for both.
            numbers: unsafe { self.scratch.add(step) }.cast::<S::Number>(),
            stride: depth.next_multiple_of(S::DEPTH),
        };
        debug_assert!(self.block.from.is_multiple_of(S::COLUMNS));
        let first = self.block.from / S::COLUMNS;
        let panels = self.block.to.div_ceil(S::COLUMNS) - first;
        for start in (0..self.block.rows).step_by(step) {
            let rows = step.min(self.block.rows - start);
            for row in 0..rows {
                // SAFETY: x has the row, and the scratch room for `step` of them.
                unsafe {
                    let x = self.x.add((start + row) * depth);
                    let x = std::slice::from_raw_parts(x, depth);
                    quantized.write::<S>(row, x);
                }
            }
            let most = if rows == 1 { OF_ONE_ROW } else { S::PANELS };
            for (panel, count) in parts(panels, most) {
                let panel = first + panel;
                // SAFETY: the rows were written, and w and y have the columns.
                unsafe {
                    match (rows, count) {
                        (1, 3) => self.tile::<S, 1, 3>(quantized, (start, 0), panel),
                        (1, 4) => self.tile::<S, 1, 4>(quantized, (start, 0), panel),
                        (_, 1) => self.rows_of::<S, 1>(quantized, (start, rows), panel),
                        (_, 2) => self.rows_of::<S, 2>(quantized, (start, rows), panel),
                        (_, 3) if S::PANELS >= 3 => {
                            self.rows_of::<S, 3>(quantized, (start, rows), panel);
                        }
                        _ => unreachable!("no tile has so many panels"),
                    }
                }
            }
        }
    }
}

/// Quantized rows: a scale for each, and its numbers.
#[derive(Clone, Copy)]
struct Quantized<N> {
    scales: *mut f32,
    numbers: *mut N,
    /// Numbers from one row to the next, a multiple of a sum's depth.
    stride: usize,
}

impl<N> Quantized<N> {
    /// Quantizes a row.
    ///
    /// # Safety
    /// The scratch must have it.
    #[inline(always)]
    unsafe fn write<S: Sums<Number = N>>(self, row: usize, x: &[f32]) {
        let scale = int8::scale(int8::largest(x));
        // SAFETY: the caller's promise.
        unsafe {
            *self.scales.add(row) = scale;
            let to = self.numbers.add(row * self.stride);
            for (place, &x) in x.iter().enumerate() {
                to.add(place).write(S::number(int8::whole_bits(x, scale)));
            }
            for place in x.len()..self.stride {
                to.add(place).write(S::number(int8::whole_bits(0.0, 1.0)));
            }
        }
    }
}

impl QuantizedProduct {
    /// Quantized rows, which are y's from `start` on, times some panels.
    ///
    /// # Safety
    /// The rows and columns must be there.
    #[inline(always)]
    unsafe fn rows_of<S: Sums, const PANELS: usize>(
        self,
        quantized: Quantized<S::Number>,
        (start, rows): (usize, usize),
        panel: usize,
    ) {
        for (row, rows) in parts(rows, S::ROWS) {
            let place = (start, row);
            // SAFETY: the caller's promise.
            unsafe {
                match rows {
                    1 => self.tile::<S, 1, PANELS>(quantized, place, panel),
                    2 => self.tile::<S, 2, PANELS>(quantized, place, panel),
                    3 => self.tile::<S, 3, PANELS>(quantized, place, panel),
                    4 => self.tile::<S, 4, PANELS>(quantized, place, panel),
                    5 if S::ROWS >= 5 => self.tile::<S, 5, PANELS>(quantized, place, panel),
                    6 if S::ROWS >= 6 => self.tile::<S, 6, PANELS>(quantized, place, panel),
                    7 if S::ROWS >= 7 => self.tile::<S, 7, PANELS>(quantized, place, panel),
                    8 if S::ROWS >= 8 => self.tile::<S, 8, PANELS>(quantized, place, panel),
                    _ => unreachable!("a tile has at most ROWS rows"),
                }
            }
        }
    }

    /// # Safety
    /// As for `rows_of`.
    #[inline(always)]
    unsafe fn tile<S: Sums, const ROWS: usize, const PANELS: usize>(
        self,
        quantized: Quantized<S::Number>,
        (start, row): (usize, usize),
        panel: usize,
    ) {
        let length = self.matrix.panel::<S>();
        let mut sums = [[S::zero(); PANELS]; ROWS];
        // SAFETY: the caller's promise.
        unsafe {
            let mut x = [quantized.numbers.cast_const(); ROWS];
            for (i, x) in x.iter_mut().enumerate() {
                *x = x.add((row + i) * quantized.stride);
            }
            let w = self.w.add(panel * length);
            for k in (0..self.matrix.rows).step_by(S::DEPTH) {
                let mut right = [S::right(w.add(k * S::COLUMNS)); PANELS];
                for (j, right) in right.iter_mut().enumerate().skip(1) {
                    *right = S::right(w.add(j * length + k * S::COLUMNS));
                }
                for (sums, x) in sums.iter_mut().zip(x) {
                    let left = S::left(x.add(k));
                    for (sum, right) in sums.iter_mut().zip(right) {
                        *sum = sum.add(left, right);
                    }
                }
            }
            for (i, sums) in sums.into_iter().enumerate() {
                let scale = *quantized.scales.add(row + i);
                for (j, sums) in sums.into_iter().enumerate() {
                    self.finish(sums, scale, start + row + i, (panel + j) * S::COLUMNS);
                }
            }
        }
    }

    /// Writes a row's sums, scaled, to the columns from `column` on.
    ///
    /// # Safety
    /// y must have them.
    #[inline(always)]
    unsafe fn finish<S: Sums>(self, sums: S, of_row: f32, row: usize, column: usize) {
        let block = self.block;
        let count = S::COLUMNS.min(block.to - column);
        let panel = column / self.lane * self.lane;
        let (from, stride) = block.lane(panel, self.lane.min(block.stride - panel));
        let mut whole = [0_i32; WIDEST];
        // SAFETY: no register has more columns than `WIDEST`; the caller's promise.
        unsafe {
            sums.store(whole.as_mut_ptr());
            if S::OFFSET != 0 {
                let corrections = self.w.cast::<i32>().add(self.matrix.corrections::<S>());
                for (c, sum) in whole[..S::COLUMNS].iter_mut().enumerate() {
                    // Both may have gone round; their difference fits.
                    *sum = sum.wrapping_sub(*corrections.add(column + c));
                }
            }
            let scale = self.scale.add(column);
            let y = self.y.add(from + row * stride + column - panel);
            let number = |c: usize| whole[c] as f32 / (*scale.add(c) * of_row);
            if count == S::COLUMNS {
                for c in 0..S::COLUMNS {
                    *y.add(c) = number(c);
                }
            } else {
                for c in 0..count {
                    *y.add(c) = number(c);
                }
            }
        }
    }
}
