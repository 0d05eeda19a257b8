//! The operands of a product and their layouts in memory.

use crate::engine::cpu::simd::Simd;

/// A panel-packed matrix: the first lane's columns row after row,
/// then the next columns; the last lane may be narrower.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct Lanes {
    pub from: *const f32,
    pub rows: usize,
    pub columns: usize,
}

impl Lanes {
    /// Number of columns of the n-th panel.
    #[inline(always)]
    pub fn width<L: Simd>(self, n: usize) -> usize {
        (self.columns - n * L::WIDTH).min(L::WIDTH)
    }

    /// A row of the n-th panel.
    ///
    /// # Safety
    /// The matrix must have that row.
    #[inline(always)]
    pub unsafe fn at<L: Simd>(self, n: usize, row: usize) -> *const f32 {
        // SAFETY: inside the matrix, by the caller's promise.
        unsafe {
            self.from
                .add(n * L::WIDTH * self.rows + row * self.width::<L>(n))
        }
    }
}

/// The first operand of a product.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) enum Left {
    /// A row-major matrix: its address, and the stride of its rows.
    Plain(*const f32, usize),
    /// A panel-packed matrix.
    PanelPacked(Lanes),
    /// The columns, from that one on, of a panel-packed matrix, as rows.
    Columns(Lanes, usize),
    /// Patches of images.
    Patches(Patches),
    /// The numbers of patches of images at a tap and channel, as rows.
    PatchColumns(PatchColumns),
}

/// Patches of images as a matrix: a row for each pixel that a window is at, whose values are
/// those of its taps, `length` side by side at each.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct Patches {
    pub from: *const f32,
    /// The offset of each pixel.
    pub pixels: *const isize,
    /// The offset of each tap from the pixel.
    pub taps: *const isize,
    pub length: usize,
}

/// The same matrix transposed: a row for each tap and channel.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct PatchColumns {
    pub from: *const f32,
    /// The offset of each pixel.
    pub pixels: *const isize,
    /// The offset of each tap and channel from the pixel.
    pub columns: *const isize,
    /// Pixels of a row of the image; those of a row are `step` apart.
    pub width: usize,
    pub step: usize,
    /// The first pixel's place in its row.
    pub first: usize,
}

impl Left {
    /// The addresses of the values from the `k`-th on of `ROWS` rows, their stride, and the number
    /// of values with that stride.
    ///
    /// # Safety
    /// The matrix must have the rows and `depth` values from the `k`-th on, and `k` start a lane.
    #[inline(always)]
    pub(super) unsafe fn numbers<L: Simd, const ROWS: usize>(
        self,
        row: usize,
        k: usize,
        depth: usize,
    ) -> ([*const f32; ROWS], usize, usize) {
        let mut at = [std::ptr::null(); ROWS];
        // SAFETY: inside the matrix, by the caller's promise.
        unsafe {
            match self {
                Left::Plain(from, stride) => {
                    for (i, at) in at.iter_mut().enumerate() {
                        *at = from.add((row + i) * stride + k);
                    }
                    (at, 1, depth)
                }
                Left::PanelPacked(lanes) => {
                    let lane = k / L::WIDTH;
                    for (i, at) in at.iter_mut().enumerate() {
                        *at = lanes.at::<L>(lane, row + i);
                    }
                    (at, 1, lanes.width::<L>(lane).min(depth))
                }
                Left::Columns(lanes, first) => {
                    let mut step = 0;
                    for (i, at) in at.iter_mut().enumerate() {
                        let column = first + row + i;
                        let lane = column / L::WIDTH;
                        step = lanes.width::<L>(lane);
                        *at = lanes.at::<L>(lane, k).add(column % L::WIDTH);
                    }
                    (at, step, depth)
                }
                Left::Patches(patches) => {
                    let (tap, inside) = (k / patches.length, k % patches.length);
                    let offset = *patches.taps.add(tap) + inside as isize;
                    let from = patches.from.offset(offset);
                    for (i, at) in at.iter_mut().enumerate() {
                        *at = from.offset(*patches.pixels.add(row + i));
                    }
                    (at, 1, (patches.length - inside).min(depth))
                }
                Left::PatchColumns(patches) => {
                    let from = patches.from.offset(*patches.pixels.add(k));
                    for (i, at) in at.iter_mut().enumerate() {
                        *at = from.offset(*patches.columns.add(row + i));
                    }
                    let there = patches.width - (patches.first + k) % patches.width;
                    (at, patches.step, there.min(depth))
                }
            }
        }
    }

    /// The number of rows, of the first `rows`, with the same stride.
    #[inline(always)]
    pub(super) fn alike<L: Simd>(self, rows: usize) -> usize {
        match self {
            Left::Columns(lanes, first) => {
                let whole = lanes.columns / L::WIDTH * L::WIDTH;
                whole.saturating_sub(first).min(rows)
            }
            _ => rows,
        }
    }
}

impl PatchColumns {
    /// The same without so many rows.
    pub fn behind(mut self, row: usize) -> Self {
        // SAFETY: the table has an offset for each row.
        self.columns = unsafe { self.columns.add(row) };
        self
    }
}

/// The second operand of a product.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) enum Right {
    /// The matrix itself.
    Plain(Lanes),
    /// Its transpose.
    Transposed(Lanes),
}

/// Some lanes of a product's columns, with their layout in memory.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct Target {
    pub to: *mut f32,
    /// Stride of the lanes.
    pub lane: usize,
    /// Stride of the rows.
    pub row: usize,
    /// Width of the last lane, which may be narrower, with a smaller stride of its rows.
    pub last: *mut f32,
    pub last_row: usize,
    pub last_width: usize,
}

impl Target {
    /// The n-th of the lanes.
    ///
    /// # Safety
    /// It must exist.
    #[inline(always)]
    pub unsafe fn lane(&self, n: usize, lanes: usize) -> *mut f32 {
        match n + 1 == lanes {
            true => self.last,
            // SAFETY: the caller's promise.
            false => unsafe { self.to.add(n * self.lane) },
        }
    }
}
