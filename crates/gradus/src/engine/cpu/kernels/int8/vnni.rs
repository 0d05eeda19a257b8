//! Sixteen columns in an AVX-512 register. `vpdpbusd` multiplies four numbers from 0 to 255 with
//! four from -128 to 127 and adds the products without saturation.

use super::{Int8Kernel, Sums};
use std::arch::x86_64::*;

#[derive(Clone, Copy, Debug)]
pub(super) struct Vnni(__m512i);

/// Runs a kernel compiled for AVX512-VNNI.
///
/// # Safety
/// The processor must have AVX512-VNNI, AVX-512F, AVX2 and FMA.
#[target_feature(enable = "avx512vnni,avx512f,avx2,fma")]
pub(super) unsafe fn run<K: Int8Kernel>(kernel: K) -> K::Output {
    kernel.run::<Vnni>()
}

// SAFETY, of every block in this file: a value of `Vnni` is made only below `run`, whose caller
// has seen that the processor has AVX512-VNNI; memory is touched only where the caller of an
// unsafe method promises it.

impl Sums for Vnni {
    const COLUMNS: usize = 16;
    const DEPTH: usize = 4;
    const ROWS: usize = 8;
    const PANELS: usize = 3;
    const OFFSET: i32 = 128;
    type Number = u8;
    type Left = __m512i;
    type Right = __m512i;

    #[inline(always)]
    fn zero() -> Self {
        // SAFETY: see above.
        unsafe { Vnni(_mm512_setzero_si512()) }
    }
    #[inline(always)]
    fn number(bits: u32) -> u8 {
        bits as u8 ^ 0x80
    }
    #[inline(always)]
    unsafe fn left(from: *const u8) -> __m512i {
        // SAFETY: see above.
        unsafe { _mm512_set1_epi32(from.cast::<i32>().read_unaligned()) }
    }
    #[inline(always)]
    unsafe fn right(from: *const i8) -> __m512i {
        // SAFETY: see above.
        unsafe { _mm512_loadu_si512(from.cast()) }
    }
    #[inline(always)]
    fn add(self, left: __m512i, right: __m512i) -> Self {
        // SAFETY: see above.
        unsafe { Vnni(_mm512_dpbusd_epi32(self.0, left, right)) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut i32) {
        // SAFETY: see above.
        unsafe { _mm512_storeu_si512(to.cast(), self.0) }
    }
}
