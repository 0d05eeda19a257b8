//! The gradient of weights after a normalized feed.

use super::factors::Target;
use crate::engine::cpu::simd::{Kernel, Simd};

/// Turns some rows of g, for the lanes of one panel, into rows of dw = γ g + β sums, in place; and
/// accumulates the sums of w g and of w sums in each row.
pub(in crate::engine::cpu) struct NormalizedWeight {
    pub rows: usize,
    pub lanes: usize,
    pub g: Target,
    pub w: Target,
    /// Sums of dy's columns, for the panel.
    pub sums: *const f32,
    /// γ of these rows; null if there is none.
    pub gamma: *const f32,
    /// β of these rows; null if there is none.
    pub beta: *const f32,
    /// Destination of each row's sum of w g.
    pub scales: *mut f32,
    /// Destination of each row's sum of w sums.
    pub shifts: *mut f32,
    /// True to continue the existing sums.
    pub add: bool,
}

impl Kernel for NormalizedWeight {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        // SAFETY: whoever makes the kernel promises the rows and lanes.
        unsafe {
            match self.lanes {
                1 => self.rows_of::<L, 1>(),
                2 => self.rows_of::<L, 2>(),
                3 => self.rows_of::<L, 3>(),
                _ => unreachable!("no panel has so many lanes"),
            }
        }
    }
}

impl NormalizedWeight {
    /// # Safety
    /// g, w, and the vectors of their rows and columns must have the rows and lanes.
    #[inline(always)]
    unsafe fn rows_of<L: Simd, const LANES: usize>(self) {
        let mut count = [L::WIDTH; LANES];
        count[LANES - 1] = self.g.last_width;
        let mut step = [self.g.row; LANES];
        step[LANES - 1] = self.g.last_row;
        let mut w_step = [self.w.row; LANES];
        w_step[LANES - 1] = self.w.last_row;
        let (mut g, mut w) = ([std::ptr::null_mut(); LANES], [std::ptr::null_mut(); LANES]);
        let mut sums = [L::zero(); LANES];
        // SAFETY: the caller's promise.
        unsafe {
            for i in 0..LANES {
                g[i] = self.g.lane(i, LANES);
                w[i] = self.w.lane(i, LANES);
                sums[i] = L::load_n(self.sums.add(i * L::WIDTH), count[i]);
            }
            for row in 0..self.rows {
                let parameter = |from: *const f32, absent| match from.is_null() {
                    true => L::splat(absent),
                    false => L::splat(*from.add(row)),
                };
                let gamma = parameter(self.gamma, 1.0);
                let beta = parameter(self.beta, 0.0);
                let (mut scale, mut shift) = (L::zero(), L::zero());
                for i in 0..LANES {
                    let at = g[i].add(row * step[i]);
                    let g = L::load_n(at, count[i]);
                    let w = L::load_n(w[i].add(row * w_step[i]), count[i]);
                    scale = w.mul_add(g, scale);
                    shift = w.mul_add(sums[i], shift);
                    g.mul_add(gamma, beta * sums[i]).store_n(at, count[i]);
                }
                for (to, sum) in [(self.scales, scale.sum()), (self.shifts, shift.sum())] {
                    let before = if self.add { *to.add(row) } else { 0.0 };
                    *to.add(row) = before + sum;
                }
            }
        }
    }
}

/// The sum over this many rows of parts, for each column.
pub(in crate::engine::cpu) struct SumParts {
    pub parts: *const f32,
    pub count: usize,
    /// Stride of the rows.
    pub stride: usize,
    pub to: *mut f32,
    /// Number of columns.
    pub columns: (usize, usize),
}

impl Kernel for SumParts {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let (from, to) = self.columns;
        crate::engine::cpu::simd::lanes!(L, to - from, |i, n| {
            // SAFETY: whoever makes the kernel promises the rows and columns.
            unsafe {
                let mut sum = L::zero();
                for part in 0..self.count {
                    sum = sum + L::load_n(self.parts.add(part * self.stride + from + i), n);
                }
                sum.store_n(self.to.add(from + i), n);
            }
        });
    }
}
