//! Element-wise noise.

use super::columns::{Block, each_numbered};
use crate::base::random::Key;
use crate::engine::cpu::simd::{Kernel, Simd};
use crate::rules::noise;

// SAFETY, of every block in this file: as in `columns.rs`.

/// y = x under noise.
pub(in crate::engine::cpu) struct Noise {
    pub rule: noise::Noise,
    pub key: Key,
    /// Rows of the batch's matrix above the first one here.
    pub above: usize,
    pub x: *const f32,
    pub y: *mut f32,
    pub block: Block,
}

impl Kernel for Noise {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        each_numbered!(L, self.block, self.above, |at, number, count| {
            // SAFETY: see above.
            unsafe {
                let x = L::load_n(self.x.add(at), count);
                let y = self.rule.value(self.key, number, x);
                y.store_n(self.y.add(at), count);
            }
        });
    }
}

/// dx = dy times the noise's derivative.
pub(in crate::engine::cpu) struct NoiseGradient {
    pub rule: noise::Noise,
    pub key: Key,
    /// Rows of the batch's matrix above the first one here.
    pub above: usize,
    pub y: *const f32,
    pub dy: *const f32,
    pub dx: *mut f32,
    pub block: Block,
}

impl Kernel for NoiseGradient {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        each_numbered!(L, self.block, self.above, |at, number, count| {
            // SAFETY: see above.
            unsafe {
                let y = L::load_n(self.y.add(at), count);
                let dy = L::load_n(self.dy.add(at), count);
                let derivative = self.rule.derivative(self.key, number, y);
                (dy * derivative).store_n(self.dx.add(at), count);
            }
        });
    }
}
