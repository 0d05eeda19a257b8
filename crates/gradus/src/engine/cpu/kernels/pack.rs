//! Copies of operands into the layout that the products read.

use super::factors::Lanes;
use crate::engine::cpu::simd::{Kernel, Simd};

/// Copies a lane of columns from `column` on, and of rows `row..row + depth`, of the matrix `b`
/// transposed. `row` starts one of b's lanes. The last panel is padded with zeros.
///
/// # Safety
/// b must have a row `column` and columns `row..row + depth`, and `to` be
/// writable for `depth` lanes.
#[inline(always)]
pub(super) unsafe fn pack_transposed<L: Simd>(
    b: Lanes,
    column: usize,
    row: usize,
    depth: usize,
    to: *mut f32,
) {
    let there = L::WIDTH.min(b.rows - column);
    for start in (0..depth).step_by(L::WIDTH) {
        let lane = (row + start) / L::WIDTH;
        let width = b.width::<L>(lane);
        // SAFETY: `there` rows of this lane are inside b, and `to` has room.
        unsafe {
            let (from, to) = (b.at::<L>(lane, column), to.add(start * L::WIDTH));
            if there == L::WIDTH && width == L::WIDTH {
                L::transpose(from, L::WIDTH, to, L::WIDTH);
                continue;
            }
            for n in 0..width {
                for k in 0..L::WIDTH {
                    *to.add(n * L::WIDTH + k) = if k < there {
                        *from.add(k * width + n)
                    } else {
                        0.0
                    };
                }
            }
        }
    }
}

/// Packs `width` columns of dy for a [`super::product::WeightBlock`], into [`Lanes`].
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct PackLanes {
    pub rows: usize,
    pub dy: *const f32,
    pub dy_stride: usize,
    pub width: usize,
    /// Destination, with room for `rows` · `width` floats, and a lane more to read.
    pub to: *mut f32,
}

impl Kernel for PackLanes {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let mut to = self.to;
        for column in (0..self.width).step_by(L::WIDTH) {
            let width = L::WIDTH.min(self.width - column);
            for row in 0..self.rows {
                // SAFETY: dy has the row and columns, and `to` the room.
                unsafe {
                    let from = self.dy.add(row * self.dy_stride + column);
                    L::load_n(from, width).store_n(to, width);
                    to = to.add(width);
                }
            }
        }
    }
}

/// Copies columns `from..to` of x so that each is stored as a row.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct Transpose {
    pub rows: usize,
    pub x: *const f32,
    pub x_stride: usize,
    pub from: usize,
    pub to: usize,
    /// Destination of (`to` - `from`) rows.
    pub y: *mut f32,
    /// Stride of y's rows, at least `rows`.
    pub y_stride: usize,
}

impl Kernel for Transpose {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let columns = self.to - self.from;
        for row in (0..self.rows).step_by(L::WIDTH) {
            for column in (0..columns).step_by(L::WIDTH) {
                let rows = L::WIDTH.min(self.rows - row);
                let width = L::WIDTH.min(columns - column);
                // SAFETY: the square is inside x, and its mirror inside y.
                unsafe {
                    let from = self.x.add(row * self.x_stride + self.from + column);
                    let to = self.y.add(column * self.y_stride + row);
                    if rows == L::WIDTH && width == L::WIDTH {
                        L::transpose(from, self.x_stride, to, self.y_stride);
                        continue;
                    }
                    for i in 0..rows {
                        for j in 0..width {
                            *to.add(j * self.y_stride + i) = *from.add(i * self.x_stride + j);
                        }
                    }
                }
            }
        }
    }
}
