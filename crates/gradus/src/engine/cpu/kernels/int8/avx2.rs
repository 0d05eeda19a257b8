//! Eight columns in an AVX2 register. `vpmaddwd` multiplies pairs that were widened to 16 bits, so
//! that nothing saturates.

use super::{Int8Kernel, Sums};
use std::arch::x86_64::*;

#[derive(Clone, Copy, Debug)]
pub(super) struct Avx2(__m256i);

/// Runs a kernel compiled for AVX2.
///
/// # Safety
/// The processor must have AVX2 and FMA.
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn run<K: Int8Kernel>(kernel: K) -> K::Output {
    kernel.run::<Avx2>()
}

// SAFETY, of every block in this file: a value of `Avx2` is made only below `run`, whose caller
// has seen that the processor has AVX2; memory is touched only where the caller of an unsafe
// method promises it.

impl Sums for Avx2 {
    const COLUMNS: usize = 8;
    const DEPTH: usize = 2;
    const ROWS: usize = 6;
    const PANELS: usize = 2;
    const OFFSET: i32 = 0;
    type Number = i16;
    type Left = __m256i;
    type Right = __m256i;

    #[inline(always)]
    fn zero() -> Self {
        // SAFETY: see above.
        unsafe { Avx2(_mm256_setzero_si256()) }
    }
    #[inline(always)]
    fn number(bits: u32) -> i16 {
        bits as i16
    }
    #[inline(always)]
    unsafe fn left(from: *const i16) -> __m256i {
        // SAFETY: see above.
        unsafe { _mm256_set1_epi32(from.cast::<i32>().read_unaligned()) }
    }
    #[inline(always)]
    unsafe fn right(from: *const i8) -> __m256i {
        // SAFETY: see above.
        unsafe { _mm256_cvtepi8_epi16(_mm_loadu_si128(from.cast())) }
    }
    #[inline(always)]
    fn add(self, left: __m256i, right: __m256i) -> Self {
        // SAFETY: see above.
        unsafe { Avx2(_mm256_add_epi32(self.0, _mm256_madd_epi16(left, right))) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut i32) {
        // SAFETY: see above.
        unsafe { _mm256_storeu_si256(to.cast(), self.0) }
    }
}
