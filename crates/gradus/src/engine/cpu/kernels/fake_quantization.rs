//! Fake quantization of matrices of the batch, and of weights.

use super::columns::{Block, each};
use crate::engine::cpu::simd::{Kernel, Simd, lanes};
use crate::rules::fake_quantization::{LARGEST, Scale, passed, rounded, scale_of_weights};

// SAFETY, of every block in this file: as in `columns.rs`.

/// See [`ColumnEnds`](crate::plan::ops::ColumnEnds).
pub(in crate::engine::cpu) struct ColumnEnds {
    pub x: *const f32,
    pub ends: *mut f32,
    /// The number of columns of x.
    pub width: usize,
    pub block: Block,
}

impl Kernel for ColumnEnds {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        lanes!(L, self.block.width(), |i, count| {
            let at = self.block.from + i;
            let (start, step) = self.block.lane(at, count);
            let (mut least, mut largest) = (L::splat(f32::INFINITY), L::splat(f32::NEG_INFINITY));
            // SAFETY: see above; `ends` has two rows of all columns.
            unsafe {
                for row in 0..self.block.rows {
                    let x = L::load_n(self.x.add(start + row * step), count);
                    (least, largest) = (x.min(least), x.max(largest));
                }
                least.store_n(self.ends.add(at), count);
                largest.store_n(self.ends.add(self.width + at), count);
            }
        });
    }
}

/// See [`FakeQuantize`](crate::plan::ops::FakeQuantize).
pub(in crate::engine::cpu) struct FakeQuantize {
    pub x: *const f32,
    pub y: *mut f32,
    pub scale: Scale,
    pub block: Block,
}

impl Kernel for FakeQuantize {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let scale = L::splat(self.scale.scale);
        let whole = self.scale.whole().map(L::splat);
        each!(L, self.block, |at, count| {
            // SAFETY: see above.
            unsafe {
                let x = L::load_n(self.x.add(at), count);
                rounded(x, scale, whole).store_n(self.y.add(at), count);
            }
        });
    }
}

/// See [`FakeQuantizeGradient`](crate::plan::ops::FakeQuantizeGradient).
pub(in crate::engine::cpu) struct FakeQuantizeGradient {
    pub x: *const f32,
    pub dy: *const f32,
    pub dx: *mut f32,
    pub scale: Scale,
    pub block: Block,
}

impl Kernel for FakeQuantizeGradient {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let scale = L::splat(self.scale.scale);
        let whole = self.scale.whole().map(L::splat);
        each!(L, self.block, |at, count| {
            // SAFETY: see above.
            unsafe {
                let x = L::load_n(self.x.add(at), count);
                let dy = L::load_n(self.dy.add(at), count);
                passed(x, dy, scale, whole).store_n(self.dx.add(at), count);
            }
        });
    }
}

/// The numbers of a matrix of the batch as they are.
pub(in crate::engine::cpu) struct Copy {
    pub x: *const f32,
    pub y: *mut f32,
    pub block: Block,
}

impl Kernel for Copy {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        each!(L, self.block, |at, count| {
            // SAFETY: see above.
            unsafe { L::load_n(self.x.add(at), count).store_n(self.y.add(at), count) };
        });
    }
}

/// See [`FakeQuantizeWeights`](crate::plan::ops::FakeQuantizeWeights): some columns of a matrix.
pub(in crate::engine::cpu) struct FakeQuantizeWeights {
    pub w: *const f32,
    pub y: *mut f32,
    pub block: Block,
}

impl Kernel for FakeQuantizeWeights {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let whole = [L::splat(-LARGEST), L::splat(LARGEST)];
        lanes!(L, self.block.width(), |i, count| {
            let (start, step) = self.block.lane(self.block.from + i, count);
            // SAFETY: see above.
            unsafe {
                let mut largest = L::zero();
                for row in 0..self.block.rows {
                    let w = L::load_n(self.w.add(start + row * step), count);
                    largest = w.abs().max(largest);
                }
                let scale = scale_of_weights(largest);
                for row in 0..self.block.rows {
                    let at = start + row * step;
                    let w = L::load_n(self.w.add(at), count);
                    rounded(w, scale, whole).store_n(self.y.add(at), count);
                }
            }
        });
    }
}
