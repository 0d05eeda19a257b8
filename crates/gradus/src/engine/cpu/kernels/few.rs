//! Products of few rows, which cost no more than reading the weights once: many lanes of columns at
//! a time, so that their sums don't wait for each other.

use super::factors::Lanes;
use crate::engine::cpu::simd::{Kernel, Simd, parts};

/// Limit of rows that are few: with more, a tile of [`super::product::Product`] has enough sums.
pub(in crate::engine::cpu) const FEW: usize = 3;

/// c = a · b for the columns `from..to` of c, of at most [`FEW`] rows; `from` starts a lane. Each
/// sum is computed in the order of [`super::product::Product`], so that a row's results don't
/// depend on the rows beside it.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct FewRows {
    pub rows: usize,
    /// Columns of a, rows of b.
    pub depth: usize,
    pub a: *const f32,
    /// Stride of a's rows.
    pub a_stride: usize,
    pub b: Lanes,
    pub c: *mut f32,
    /// Stride of c's rows.
    pub c_stride: usize,
    pub from: usize,
    pub to: usize,
}

impl Kernel for FewRows {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let most = match self.rows {
            1 => 6,
            2 => 4,
            _ => 3,
        };
        let first = self.from / L::WIDTH;
        let count = (self.to - self.from).div_ceil(L::WIDTH);
        for (lane, lanes) in parts(count, most) {
            let lane = first + lane;
            // SAFETY: the rows are inside a and c, the lanes inside b and c.
            unsafe {
                match (self.rows, lanes) {
                    (1, 1) => self.tile::<L, 1, 1>(lane),
                    (1, 2) => self.tile::<L, 1, 2>(lane),
                    (1, 3) => self.tile::<L, 1, 3>(lane),
                    (1, 4) => self.tile::<L, 1, 4>(lane),
                    (1, 5) => self.tile::<L, 1, 5>(lane),
                    (1, 6) => self.tile::<L, 1, 6>(lane),
                    (2, 1) => self.tile::<L, 2, 1>(lane),
                    (2, 2) => self.tile::<L, 2, 2>(lane),
                    (2, 3) => self.tile::<L, 2, 3>(lane),
                    (2, 4) => self.tile::<L, 2, 4>(lane),
                    (3, 1) => self.tile::<L, 3, 1>(lane),
                    (3, 2) => self.tile::<L, 3, 2>(lane),
                    (3, 3) => self.tile::<L, 3, 3>(lane),
                    _ => unreachable!("few rows, and no more lanes than `most`"),
                }
            }
        }
    }
}

impl FewRows {
    /// # Safety
    /// a and c must have the rows, b and c the lanes.
    #[inline(always)]
    unsafe fn tile<L: Simd, const ROWS: usize, const LANES: usize>(self, lane: usize) {
        let mut sums = [[L::zero(); LANES]; ROWS];
        // SAFETY: the caller's promise; of b whole lanes are readable, also where
        // the last one is narrower.
        unsafe {
            let mut b = [(std::ptr::null(), 0); LANES];
            for (i, b) in b.iter_mut().enumerate() {
                *b = (self.b.at::<L>(lane + i, 0), self.b.width::<L>(lane + i));
            }
            for k in 0..self.depth {
                let mut left = [L::zero(); ROWS];
                for (row, left) in left.iter_mut().enumerate() {
                    *left = L::splat(*self.a.add(row * self.a_stride + k));
                }
                for (j, (from, step)) in b.iter_mut().enumerate() {
                    let right = L::load(*from);
                    *from = from.add(*step);
                    for (sums, left) in sums.iter_mut().zip(left) {
                        sums[j] = left.mul_add(right, sums[j]);
                    }
                }
            }
            for (row, sums) in sums.into_iter().enumerate() {
                for (i, sum) in sums.into_iter().enumerate() {
                    let column = (lane + i) * L::WIDTH;
                    let to = self.c.add(row * self.c_stride + column);
                    sum.store_n(to, L::WIDTH.min(self.to - column));
                }
            }
        }
    }
}
