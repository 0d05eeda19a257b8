//! A factor for each column: normalization's γ, and PReLU's α.

use super::columns::{Block, column_sums};
use crate::engine::cpu::simd::{Kernel, Simd, lanes};

// SAFETY, of every block in this file: as in `columns.rs`.

/// y = x · by for each row; if `negative_only`, y = x where x is above 0.
pub(in crate::engine::cpu) struct Scale {
    pub x: *const f32,
    pub by: *const f32,
    pub y: *mut f32,
    pub negative_only: bool,
    pub block: Block,
}

impl Kernel for Scale {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let Block { rows, from, .. } = self.block;
        lanes!(L, self.block.width(), |i, count| {
            let (start, step) = self.block.lane(from + i, count);
            // SAFETY: see above.
            unsafe {
                let by = L::load_n(self.by.add(from + i), count);
                let above = if self.negative_only { L::one() } else { by };
                for row in 0..rows {
                    let at = start + row * step;
                    let x = L::load_n(self.x.add(at), count);
                    let factor = L::select(L::zero().lt(x), above, by);
                    (x * factor).store_n(self.y.add(at), count);
                }
            }
        });
    }
}

/// The gradients of [`Scale`].
pub(in crate::engine::cpu) struct ScaleGradient {
    pub x: *const f32,
    pub by: *const f32,
    pub dy: *const f32,
    pub dx: *mut f32,
    /// Null if it is not needed.
    pub dby: *mut f32,
    pub negative_only: bool,
    pub block: Block,
}

impl Kernel for ScaleGradient {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let Block { from, .. } = self.block;
        // The sum first: dx may be dy's memory.
        if !self.dby.is_null() {
            // SAFETY: see above.
            unsafe {
                column_sums!(
                    L,
                    self.block,
                    |row, at, count| -> [1] {
                        let (start, step) = self.block.lane(at, count);
                        let x = L::load_n(self.x.add(start + row * step), count);
                        let part = match self.negative_only {
                            true => x.min(L::zero()),
                            false => x,
                        };
                        [part * L::load_n(self.dy.add(start + row * step), count)]
                    },
                    |sums| {
                        sums[0].store_n(self.dby.add(at), count);
                    }
                );
            }
        }
        for (first, end) in self.block.by_turns() {
            lanes!(L, self.block.width(), |i, count| {
                let (start, step) = self.block.lane(from + i, count);
                // SAFETY: see above.
                unsafe {
                    let (x, dy) = (self.x.add(start), self.dy.add(start));
                    let by = L::load_n(self.by.add(from + i), count);
                    let above = if self.negative_only { L::one() } else { by };
                    for row in first..end {
                        let x = L::load_n(x.add(row * step), count);
                        let factor = L::select(L::zero().lt(x), above, by);
                        let dy = L::load_n(dy.add(row * step), count);
                        (dy * factor).store_n(self.dx.add(start + row * step), count);
                    }
                }
            });
        }
    }
}
