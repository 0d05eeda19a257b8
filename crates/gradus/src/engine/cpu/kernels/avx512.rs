//! Sixteen numbers in an AVX-512 register. See `avx2.rs`, which is its like.
//!
//! Where the processor has AVX512-BF16 too, only products of pairs differ: all other kernels
//! are compiled once for both.

use crate::base::lane::Lane;
use crate::engine::cpu::simd::{Kernel, Simd, mul_add_halves};
use std::arch::x86_64::*;
use std::mem::transmute;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// With or without an instruction for bfloat16 pairs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx512<const BF16: bool>(__m512);

/// Runs a kernel compiled for AVX-512.
///
/// # Safety
/// The processor must have AVX-512F, AVX2 and FMA.
#[target_feature(enable = "avx512f,avx2,fma")]
pub(in crate::engine::cpu) unsafe fn run<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<Avx512<false>>()
}

/// Runs a kernel compiled for AVX-512 with AVX512-BF16.
///
/// # Safety
/// The processor must have both, AVX2 and FMA.
#[target_feature(enable = "avx512bf16,avx512f,avx2,fma")]
pub(in crate::engine::cpu) unsafe fn run_pairs<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<Avx512<true>>()
}

// SAFETY, of every block in this file: a value of `Avx512` is made only below
// `run` and `run_pairs`, whose callers have seen that the processor has AVX-512F,
// and AVX512-BF16 for `Avx512<true>`; memory is touched only where the caller of
// an unsafe method promises it.

macro_rules! operator {
    ($trait:ident, $method:ident, $intrinsic:ident) => {
        impl<const BF16: bool> $trait for Avx512<BF16> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                // SAFETY: see above.
                unsafe { Avx512($intrinsic(self.0, other.0)) }
            }
        }
    };
}

operator!(Add, add, _mm512_add_ps);
operator!(Sub, sub, _mm512_sub_ps);
operator!(Mul, mul, _mm512_mul_ps);
operator!(Div, div, _mm512_div_ps);

impl<const BF16: bool> Neg for Avx512<BF16> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self::from_bits(Self::bits_xor(self.to_bits(), Self::bits(1 << 31)))
    }
}

impl<const BF16: bool> Lane for Avx512<BF16> {
    type Mask = __mmask16;
    type Bits = __m512i;

    #[inline(always)]
    fn splat(x: f32) -> Self {
        // SAFETY: see above.
        unsafe { Avx512(_mm512_set1_ps(x)) }
    }
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        // SAFETY: see above.
        unsafe { Avx512(_mm512_fmadd_ps(self.0, b.0, c.0)) }
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        // SAFETY: see above.
        unsafe { Avx512(_mm512_sqrt_ps(self.0)) }
    }
    #[inline(always)]
    fn abs(self) -> Self {
        // SAFETY: see above.
        unsafe { Avx512(_mm512_abs_ps(self.0)) }
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe { Avx512(_mm512_min_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe { Avx512(_mm512_max_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn lt(self, other: Self) -> Self::Mask {
        // SAFETY: see above.
        unsafe { _mm512_cmp_ps_mask::<_CMP_LT_OQ>(self.0, other.0) }
    }
    #[inline(always)]
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self {
        // SAFETY: see above.
        unsafe { Avx512(_mm512_mask_blend_ps(mask, no.0, yes.0)) }
    }
    #[inline(always)]
    fn to_bits(self) -> Self::Bits {
        // SAFETY: see above.
        unsafe { _mm512_castps_si512(self.0) }
    }
    #[inline(always)]
    fn from_bits(bits: Self::Bits) -> Self {
        // SAFETY: see above.
        unsafe { Avx512(_mm512_castsi512_ps(bits)) }
    }
    #[inline(always)]
    fn bits(x: u32) -> Self::Bits {
        // SAFETY: see above.
        unsafe { _mm512_set1_epi32(x as i32) }
    }
    #[inline(always)]
    fn counting(start: u32) -> Self::Bits {
        // SAFETY: see above.
        unsafe {
            let steps = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
            _mm512_add_epi32(_mm512_set1_epi32(start as i32), steps)
        }
    }
    #[inline(always)]
    fn bits_add(a: Self::Bits, b: Self::Bits) -> Self::Bits {
        // SAFETY: see above.
        unsafe { _mm512_add_epi32(a, b) }
    }
    #[inline(always)]
    fn bits_mul(a: Self::Bits, b: Self::Bits) -> Self::Bits {
        // SAFETY: see above.
        unsafe { _mm512_mullo_epi32(a, b) }
    }
    #[inline(always)]
    fn bits_xor(a: Self::Bits, b: Self::Bits) -> Self::Bits {
        // SAFETY: see above.
        unsafe { _mm512_xor_si512(a, b) }
    }
    #[inline(always)]
    fn bits_shr<const N: i32>(a: Self::Bits) -> Self::Bits {
        // SAFETY: see above.
        unsafe { _mm512_srl_epi32(a, _mm_cvtsi32_si128(N)) }
    }
    #[inline(always)]
    fn bits_shl<const N: i32>(a: Self::Bits) -> Self::Bits {
        // SAFETY: see above.
        unsafe { _mm512_sll_epi32(a, _mm_cvtsi32_si128(N)) }
    }
}

/// A mask of the first `n` < 16 elements.
#[inline(always)]
fn first(n: usize) -> __mmask16 {
    ((1_u32 << n) - 1) as u16
}

/// For four rows, columns j, j + 4, j + 8 and j + 12 for j < 4, in the quarters of a register.
#[inline(always)]
fn columns_of(rows: &[__m512]) -> [__m512; 4] {
    // SAFETY: see above.
    unsafe {
        let low = |a, b| _mm512_castps_pd(_mm512_unpacklo_ps(a, b));
        let high = |a, b| _mm512_castps_pd(_mm512_unpackhi_ps(a, b));
        let (a, b) = (low(rows[0], rows[1]), low(rows[2], rows[3]));
        let (c, d) = (high(rows[0], rows[1]), high(rows[2], rows[3]));
        [
            _mm512_castpd_ps(_mm512_unpacklo_pd(a, b)),
            _mm512_castpd_ps(_mm512_unpackhi_pd(a, b)),
            _mm512_castpd_ps(_mm512_unpacklo_pd(c, d)),
            _mm512_castpd_ps(_mm512_unpackhi_pd(c, d)),
        ]
    }
}

/// The first and third quarters of two registers, and the second and fourth.
#[inline(always)]
fn quarters_of(a: __m512, b: __m512) -> [__m512; 2] {
    // SAFETY: see above.
    unsafe {
        [
            _mm512_shuffle_f32x4::<0x88>(a, b),
            _mm512_shuffle_f32x4::<0xdd>(a, b),
        ]
    }
}

impl<const BF16: bool> Simd for Avx512<BF16> {
    const WIDTH: usize = 16;
    const TILE_ROWS: usize = 8;
    const TILE_LANES: usize = 3;
    const WIDE_TILE_ROWS: usize = 0;

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: see above.
        unsafe { Avx512(_mm512_loadu_ps(from)) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: see above.
        unsafe { _mm512_storeu_ps(to, self.0) }
    }
    #[inline(always)]
    unsafe fn load_part(from: *const f32, n: usize) -> Self {
        // SAFETY: see above; masked places are not read.
        unsafe { Avx512(_mm512_maskz_loadu_ps(first(n), from)) }
    }
    #[inline(always)]
    unsafe fn store_part(self, to: *mut f32, n: usize) {
        // SAFETY: see above; masked places are not written.
        unsafe { _mm512_mask_storeu_ps(to, first(n), self.0) }
    }
    #[inline(always)]
    unsafe fn nonzeros(self, bits: Self::Bits, values: *mut f32, places: *mut u32) -> usize {
        // SAFETY: see above; sixteen numbers are written.
        unsafe {
            let differs = _mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(self.0, _mm512_setzero_ps());
            _mm512_storeu_ps(values, _mm512_maskz_compress_ps(differs, self.0));
            let bits = _mm512_maskz_compress_epi32(differs, bits);
            _mm512_storeu_si512(places.cast(), bits);
            differs.count_ones() as usize
        }
    }
    #[inline(always)]
    unsafe fn transpose(from: *const f32, from_stride: usize, to: *mut f32, to_stride: usize) {
        // SAFETY: see above; sixteen rows of sixteen are read, and sixteen written.
        unsafe {
            let mut rows = [_mm512_setzero_ps(); 16];
            for (i, row) in rows.iter_mut().enumerate() {
                *row = _mm512_loadu_ps(from.add(i * from_stride));
            }
            let (a, b) = (columns_of(&rows[..4]), columns_of(&rows[4..8]));
            let (c, d) = (columns_of(&rows[8..12]), columns_of(&rows[12..]));
            for j in 0..4 {
                let [even, odd] = quarters_of(a[j], b[j]);
                let [more_even, more_odd] = quarters_of(c[j], d[j]);
                let [first, third] = quarters_of(even, more_even);
                let [second, fourth] = quarters_of(odd, more_odd);
                for (i, column) in [first, second, third, fourth].into_iter().enumerate() {
                    _mm512_storeu_ps(to.add((j + 4 * i) * to_stride), column);
                }
            }
        }
    }
    #[inline(always)]
    fn mul_add_pairs(self, b: Self, c: Self) -> Self {
        if !BF16 {
            return mul_add_halves(self, b, c);
        }
        // SAFETY: see above; both types are 64 bytes of any content.
        unsafe {
            let [a, b] = [self, b].map(|x| transmute::<__m512, __m512bh>(x.0));
            Avx512(_mm512_dpbf16_ps(c.0, a, b))
        }
    }
    #[inline(always)]
    fn sum(self) -> f32 {
        // SAFETY: see above.
        unsafe { _mm512_reduce_add_ps(self.0) }
    }
    #[inline(always)]
    fn largest(self) -> f32 {
        // SAFETY: see above.
        unsafe { _mm512_reduce_max_ps(self.0) }
    }
}
