//! Binary element-wise operations.

use super::columns::{Block, each};
use crate::engine::cpu::simd::{Kernel, Simd};
use crate::rules::pairwise::Pairwise;

// SAFETY, of every block in this file: whoever makes a kernel promises that its
// pointers lead to matrices of the block's extent, and that no other thread
// touches the block's columns meanwhile.

/// y = rule(a, b).
pub(in crate::engine::cpu) struct Binary {
    pub rule: Pairwise,
    pub a: *const f32,
    pub b: *const f32,
    pub y: *mut f32,
    pub block: Block,
}

impl Kernel for Binary {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        each!(L, self.block, |at, count| {
            // SAFETY: see above.
            unsafe {
                let a = L::load_n(self.a.add(at), count);
                let b = L::load_n(self.b.add(at), count);
                self.rule.value(a, b).store_n(self.y.add(at), count);
            }
        });
    }
}

/// dx = dy · the derivative by a, or by b if not `first`.
pub(in crate::engine::cpu) struct BinaryGradient {
    pub rule: Pairwise,
    pub first: bool,
    pub a: *const f32,
    pub b: *const f32,
    pub dy: *const f32,
    pub dx: *mut f32,
    pub block: Block,
}

impl Kernel for BinaryGradient {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        each!(L, self.block, |at, count| {
            // SAFETY: see above.
            unsafe {
                let a = L::load_n(self.a.add(at), count);
                let b = L::load_n(self.b.add(at), count);
                let dy = L::load_n(self.dy.add(at), count);
                let dx = dy * self.rule.derivative(a, b, self.first);
                dx.store_n(self.dx.add(at), count);
            }
        });
    }
}
