//! Statistics of columns, and norms.

use super::columns::Block;
use crate::engine::cpu::simd::{Kernel, Simd, lanes};
use crate::plan::ops::Steep;

// SAFETY, of every block in this file: as in `columns.rs`.

/// See [`Observe`](crate::plan::ops::Observe).
pub(in crate::engine::cpu) struct Observe {
    pub x: *const f32,
    pub y: *mut f32,
    /// The number of columns of x, and of y's rows.
    pub width: usize,
    pub steep: Steep,
    pub block: Block,
}

impl Kernel for Observe {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let Block { rows, from, .. } = self.block;
        let (middle, distance) = (L::splat(self.steep.middle), L::splat(self.steep.distance));
        lanes!(L, self.block.width(), |i, count| {
            let at = from + i;
            let (start, step) = self.block.lane(at, count);
            // SAFETY: see above; y has five rows of all columns. A batch without rows is not read.
            unsafe {
                let x = self.x.add(start);
                let first = if rows > 0 {
                    L::load_n(x, count)
                } else {
                    L::zero()
                };
                let (mut largest, mut fault) = (L::zero(), L::zero());
                let mut flat = L::zero();
                for row in 0..rows {
                    let x = L::load_n(x.add(row * step), count);
                    largest = x.abs().max(largest);
                    // NaN if x is not finite.
                    fault = fault + x * L::zero();
                    let away = distance.lt((x - middle).abs());
                    flat = flat + L::select(away, L::one(), L::zero());
                }
                let scale = L::one() / largest;
                let scale = L::select(L::zero().lt(largest), scale, L::zero());
                let (mut sum, mut squares) = (L::zero(), L::zero());
                for row in 0..rows {
                    let x = L::load_n(x.add(row * step), count);
                    let difference = (x - first) * scale;
                    sum = sum + difference;
                    squares = difference.mul_add(difference, squares);
                }
                let rows = [first, largest + fault, sum, squares, flat];
                for (row, values) in rows.into_iter().enumerate() {
                    values.store_n(self.y.add(row * self.width + at), count);
                }
            }
        });
    }
}

/// Σ (scale (x - less))² over contiguous numbers.
pub(in crate::engine::cpu) struct SquaredDistance {
    pub x: *const f32,
    /// Null for 0.
    pub less: *const f32,
    pub scale: f32,
    pub size: usize,
}

/// Elements whose squares are summed as `f32`.
const STRETCH: usize = 4096;

impl Kernel for SquaredDistance {
    type Output = f64;

    #[inline(always)]
    fn run<L: Simd>(self) -> f64 {
        let scale = L::splat(self.scale);
        let mut total = 0.0;
        for start in (0..self.size).step_by(STRETCH) {
            let end = self.size.min(start + STRETCH);
            let mut parts = [L::zero(); 4];
            for first in (start..end).step_by(4 * L::WIDTH) {
                for (i, part) in parts.iter_mut().enumerate() {
                    let at = first + i * L::WIDTH;
                    if at >= end {
                        continue;
                    }
                    let count = L::WIDTH.min(end - at);
                    // SAFETY: inside the `size` numbers.
                    unsafe {
                        let mut x = L::load_n(self.x.add(at), count);
                        if !self.less.is_null() {
                            x = x - L::load_n(self.less.add(at), count);
                        }
                        let x = x * scale;
                        *part = x.mul_add(x, *part);
                    }
                }
            }
            total += f64::from(((parts[0] + parts[1]) + (parts[2] + parts[3])).sum());
        }
        total
    }
}
