//! Joining of bfloat16 values to pairs, each in one 32-bit element: the earlier in the upper half,
//! since [`Simd::mul_add_pairs`] adds it first. The inputs are rounded, so that their lower halves
//! are empty. A value without a partner gets a zero.

use super::factors::Left;
use crate::engine::cpu::simd::{Kernel, Simd};

/// Joins each row of a lane of `width` columns with the next; `to` may be `from`.
///
/// # Safety
/// There must be that many rows with stride `step` ≥ `width`, and room for half of them with stride
/// `width`.
#[inline(always)]
pub(super) unsafe fn join_rows<L: Simd>(
    from: *const f32,
    step: usize,
    rows: usize,
    width: usize,
    to: *mut f32,
) {
    for row in (0..rows).step_by(2) {
        // SAFETY: the caller's promise; what is written has been read.
        unsafe {
            let upper = L::load_n(from.add(row * step), width);
            let lower = match row + 1 < rows {
                true => L::load_n(from.add((row + 1) * step), width),
                false => L::zero(),
            };
            let lower = L::bits_shr::<16>(lower.to_bits());
            let pairs = L::from_bits(L::bits_xor(upper.to_bits(), lower));
            pairs.store_n(to.add(row / 2 * width), width);
        }
    }
}

/// Joins each of `n` values with the next.
///
/// # Safety
/// There must be that many, and room for half of them.
#[inline(always)]
unsafe fn join_numbers(from: *const f32, n: usize, to: *mut f32) {
    let (from, to) = (from.cast::<u32>(), to.cast::<u32>());
    for i in 0..n / 2 {
        // SAFETY: the caller's promise.
        unsafe { *to.add(i) = *from.add(2 * i) | *from.add(2 * i + 1) >> 16 };
    }
    if n % 2 == 1 {
        // SAFETY: as above.
        unsafe { *to.add(n / 2) = *from.add(n - 1) };
    }
}

/// Joins the values in some rows of a product's first operand.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct JoinNumbers {
    pub a: Left,
    /// First row, and number of rows.
    pub rows: (usize, usize),
    /// Number of columns of a.
    pub depth: usize,
    /// Destination, with room for half of the values of each row, contiguously.
    pub to: *mut f32,
}

impl Kernel for JoinNumbers {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let stride = self.depth.div_ceil(2);
        let (start, rows) = self.rows;
        let mut done = 0;
        while done < self.depth {
            let mut length = 0;
            for row in 0..rows {
                // SAFETY: a has the rows, and `to` the room; a lane's width is even.
                unsafe {
                    let ([from], _, n) =
                        self.a.numbers::<L, 1>(start + row, done, self.depth - done);
                    let to = self.to.add(row * stride + done / 2);
                    match n == L::WIDTH {
                        true => join_numbers(from, L::WIDTH, to),
                        false => join_numbers(from, n, to),
                    }
                    length = n;
                }
            }
            done += length.max(1);
        }
    }
}

/// Joins rows of some columns of a panel-packed matrix, or of one of its panels, to [`Lanes`].
///
/// [`Lanes`]: super::factors::Lanes
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct JoinRows {
    pub rows: usize,
    pub from: *const f32,
    /// Stride of the rows.
    pub stride: usize,
    pub width: usize,
    /// Destination, with room for half of the rows.
    pub to: *mut f32,
}

impl Kernel for JoinRows {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        for column in (0..self.width).step_by(L::WIDTH) {
            let width = L::WIDTH.min(self.width - column);
            // SAFETY: the matrix has the rows and columns, and `to` the room.
            unsafe {
                let to = self.to.add(column * self.rows.div_ceil(2));
                join_rows::<L>(self.from.add(column), self.stride, self.rows, width, to);
            }
        }
    }
}
