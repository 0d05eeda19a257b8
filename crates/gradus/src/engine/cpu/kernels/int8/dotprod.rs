//! Eight columns in two NEON registers. `sdot` multiplies four numbers with four and adds the
//! products. Its intrinsic is not stable, so it is written as assembly.

use super::{Int8Kernel, Sums};
use std::arch::aarch64::*;
use std::arch::asm;

#[derive(Clone, Copy, Debug)]
pub(super) struct Dotprod([int32x4_t; 2]);

/// Runs a kernel compiled for NEON's dot product.
///
/// # Safety
/// The processor must have it.
#[target_feature(enable = "neon,dotprod")]
pub(super) unsafe fn run<K: Int8Kernel>(kernel: K) -> K::Output {
    kernel.run::<Dotprod>()
}

// SAFETY, of every block in this file: a value of `Dotprod` is made only below `run`, whose caller
// has seen that the processor has the instruction; memory is touched only where the caller of an
// unsafe method promises it.

impl Sums for Dotprod {
    const COLUMNS: usize = 8;
    const DEPTH: usize = 4;
    const ROWS: usize = 6;
    const PANELS: usize = 2;
    const OFFSET: i32 = 0;
    type Number = i8;
    type Left = int8x16_t;
    type Right = [int8x16_t; 2];

    #[inline(always)]
    fn zero() -> Self {
        // SAFETY: see above.
        unsafe { Dotprod([vdupq_n_s32(0); 2]) }
    }
    #[inline(always)]
    fn number(bits: u32) -> i8 {
        bits as i8
    }
    #[inline(always)]
    unsafe fn left(from: *const i8) -> int8x16_t {
        // SAFETY: see above.
        unsafe { vreinterpretq_s8_s32(vdupq_n_s32(from.cast::<i32>().read_unaligned())) }
    }
    #[inline(always)]
    unsafe fn right(from: *const i8) -> [int8x16_t; 2] {
        // SAFETY: see above.
        unsafe { [vld1q_s8(from), vld1q_s8(from.add(16))] }
    }
    #[inline(always)]
    fn add(mut self, left: int8x16_t, right: [int8x16_t; 2]) -> Self {
        for (sum, right) in self.0.iter_mut().zip(right) {
            // SAFETY: see above; it touches nothing but these registers.
            unsafe {
                asm!(
                    "sdot {sum:v}.4s, {left:v}.16b, {right:v}.16b",
                    sum = inout(vreg) *sum,
                    left = in(vreg) left,
                    right = in(vreg) right,
                    options(pure, nomem, nostack, preserves_flags),
                );
            }
        }
        self
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut i32) {
        // SAFETY: see above.
        unsafe {
            vst1q_s32(to, self.0[0]);
            vst1q_s32(to.add(4), self.0[1]);
        }
    }
}
