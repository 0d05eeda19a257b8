//! Eight floats in an AVX2 register, with fused multiply-add.
//!
//! The methods call intrinsics outside a function that has the instructions;
//! they are `#[inline(always)]` and reached only through [`run`], into which
//! they are inlined.

use crate::base::lane::Lane;
use crate::engine::cpu::simd::{Kernel, Simd};
use std::arch::x86_64::*;
use std::ops::{Add, Div, Mul, Neg, Sub};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx2(__m256);

/// Runs a kernel compiled for AVX2 and FMA.
///
/// # Safety
/// The processor must have both.
#[target_feature(enable = "avx2,fma")]
pub(in crate::engine::cpu) unsafe fn run<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<Avx2>()
}

// SAFETY, of every block in this file: a value of `Avx2` is made only below
// `run`, whose caller has seen that the processor has AVX2 and FMA; memory is
// touched only where the caller of an unsafe method promises it.

macro_rules! operator {
    ($trait:ident, $method:ident, $intrinsic:ident) => {
        impl $trait for Avx2 {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                // SAFETY: see above.
                unsafe { Avx2($intrinsic(self.0, other.0)) }
            }
        }
    };
}

operator!(Add, add, _mm256_add_ps);
operator!(Sub, sub, _mm256_sub_ps);
operator!(Mul, mul, _mm256_mul_ps);
operator!(Div, div, _mm256_div_ps);

impl Neg for Avx2 {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        // SAFETY: see above.
        unsafe { Avx2(_mm256_xor_ps(self.0, _mm256_set1_ps(-0.0))) }
    }
}

impl Lane for Avx2 {
    type Mask = __m256;
    type Bits = __m256i;

    #[inline(always)]
    fn splat(x: f32) -> Self {
        // SAFETY: see above.
        unsafe { Avx2(_mm256_set1_ps(x)) }
    }
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        // SAFETY: see above.
        unsafe { Avx2(_mm256_fmadd_ps(self.0, b.0, c.0)) }
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        // SAFETY: see above.
        unsafe { Avx2(_mm256_sqrt_ps(self.0)) }
    }
    #[inline(always)]
    fn abs(self) -> Self {
        // SAFETY: see above.
        unsafe { Avx2(_mm256_andnot_ps(_mm256_set1_ps(-0.0), self.0)) }
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe { Avx2(_mm256_min_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe { Avx2(_mm256_max_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn lt(self, other: Self) -> Self::Mask {
        // SAFETY: see above.
        unsafe { _mm256_cmp_ps::<_CMP_LT_OQ>(self.0, other.0) }
    }
    #[inline(always)]
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self {
        // SAFETY: see above.
        unsafe { Avx2(_mm256_blendv_ps(no.0, yes.0, mask)) }
    }
    #[inline(always)]
    fn to_bits(self) -> Self::Bits {
        // SAFETY: see above.
        unsafe { _mm256_castps_si256(self.0) }
    }
    #[inline(always)]
    fn from_bits(bits: Self::Bits) -> Self {
        // SAFETY: see above.
        unsafe { Avx2(_mm256_castsi256_ps(bits)) }
    }
    #[inline(always)]
    fn bits(x: u32) -> Self::Bits {
        // SAFETY: see above.
        unsafe { _mm256_set1_epi32(x as i32) }
    }
    #[inline(always)]
    fn counting(start: u32) -> Self::Bits {
        // SAFETY: see above.
        unsafe {
            let steps = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
            _mm256_add_epi32(_mm256_set1_epi32(start as i32), steps)
        }
    }
    #[inline(always)]
    fn bits_add(a: Self::Bits, b: Self::Bits) -> Self::Bits {
        // SAFETY: see above.
        unsafe { _mm256_add_epi32(a, b) }
    }
    #[inline(always)]
    fn bits_mul(a: Self::Bits, b: Self::Bits) -> Self::Bits {
        // SAFETY: see above.
        unsafe { _mm256_mullo_epi32(a, b) }
    }
    #[inline(always)]
    fn bits_xor(a: Self::Bits, b: Self::Bits) -> Self::Bits {
        // SAFETY: see above.
        unsafe { _mm256_xor_si256(a, b) }
    }
    #[inline(always)]
    fn bits_shr<const N: i32>(a: Self::Bits) -> Self::Bits {
        // SAFETY: see above.
        unsafe { _mm256_srli_epi32::<N>(a) }
    }
    #[inline(always)]
    fn bits_shl<const N: i32>(a: Self::Bits) -> Self::Bits {
        // SAFETY: see above.
        unsafe { _mm256_slli_epi32::<N>(a) }
    }
}

/// A mask of the first `n` of eight elements.
#[inline(always)]
fn first(n: usize) -> __m256i {
    // SAFETY: see above.
    unsafe {
        let places = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        _mm256_cmpgt_epi32(_mm256_set1_epi32(n as i32), places)
    }
}

/// For each 8-bit mask, the indices of its set bits.
static PLACES: [[u8; 8]; 256] = {
    let mut all = [[0; 8]; 256];
    let mut set = 0;
    while set < 256 {
        let (mut n, mut place) = (0, 0);
        while place < 8 {
            if set >> place & 1 == 1 {
                all[set][n] = place as u8;
                n += 1;
            }
            place += 1;
        }
        set += 1;
    }
    all
};

/// The number of set bits of each 8-bit mask.
static COUNTS: [u8; 256] = {
    let mut all = [0; 256];
    let mut set = 0;
    while set < 256 {
        all[set] = (set as u32).count_ones() as u8;
        set += 1;
    }
    all
};

impl Simd for Avx2 {
    const WIDTH: usize = 8;
    const TILE_ROWS: usize = 6;
    const TILE_LANES: usize = 2;
    const WIDE_TILE_ROWS: usize = 4;

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: see above.
        unsafe { Avx2(_mm256_loadu_ps(from)) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: see above.
        unsafe { _mm256_storeu_ps(to, self.0) }
    }
    #[inline(always)]
    unsafe fn load_part(from: *const f32, n: usize) -> Self {
        // SAFETY: see above; masked places are not read.
        unsafe { Avx2(_mm256_maskload_ps(from, first(n))) }
    }
    #[inline(always)]
    unsafe fn store_part(self, to: *mut f32, n: usize) {
        // SAFETY: see above; masked places are not written.
        unsafe { _mm256_maskstore_ps(to, first(n), self.0) }
    }
    #[inline(always)]
    fn sum(self) -> f32 {
        // SAFETY: see above.
        unsafe {
            let four = _mm_add_ps(
                _mm256_castps256_ps128(self.0),
                _mm256_extractf128_ps::<1>(self.0),
            );
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
        }
    }
    #[inline(always)]
    fn largest(self) -> f32 {
        // SAFETY: see above.
        unsafe {
            let four = _mm_max_ps(
                _mm256_castps256_ps128(self.0),
                _mm256_extractf128_ps::<1>(self.0),
            );
            let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)))
        }
    }
    #[inline(always)]
    unsafe fn nonzeros(self, bits: Self::Bits, values: *mut f32, places: *mut u32) -> usize {
        // SAFETY: see above; eight bytes of `PLACES` are read, eight numbers written.
        unsafe {
            let differs = _mm256_cmp_ps::<_CMP_NEQ_UQ>(self.0, _mm256_setzero_ps());
            let set = _mm256_movemask_ps(differs) as usize & 255;
            let order = _mm_loadl_epi64(PLACES[set].as_ptr().cast());
            let order = _mm256_cvtepu8_epi32(order);
            _mm256_storeu_ps(values, _mm256_permutevar8x32_ps(self.0, order));
            let bits = _mm256_permutevar8x32_epi32(bits, order);
            _mm256_storeu_si256(places.cast(), bits);
            usize::from(COUNTS[set])
        }
    }
    #[inline(always)]
    unsafe fn transpose(from: *const f32, from_stride: usize, to: *mut f32, to_stride: usize) {
        // SAFETY: see above; eight rows of eight are read, and eight written.
        unsafe {
            let row = |i: usize| _mm256_loadu_ps(from.add(i * from_stride));
            let (a, b, c, d) = (row(0), row(1), row(2), row(3));
            let (e, f, g, h) = (row(4), row(5), row(6), row(7));
            let (t0, t1) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
            let (t2, t3) = (_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
            let (t4, t5) = (_mm256_unpacklo_ps(e, f), _mm256_unpackhi_ps(e, f));
            let (t6, t7) = (_mm256_unpacklo_ps(g, h), _mm256_unpackhi_ps(g, h));
            let u0 = _mm256_shuffle_ps::<0x44>(t0, t2);
            let u1 = _mm256_shuffle_ps::<0xee>(t0, t2);
            let u2 = _mm256_shuffle_ps::<0x44>(t1, t3);
            let u3 = _mm256_shuffle_ps::<0xee>(t1, t3);
            let u4 = _mm256_shuffle_ps::<0x44>(t4, t6);
            let u5 = _mm256_shuffle_ps::<0xee>(t4, t6);
            let u6 = _mm256_shuffle_ps::<0x44>(t5, t7);
            let u7 = _mm256_shuffle_ps::<0xee>(t5, t7);
            _mm256_storeu_ps(to, _mm256_permute2f128_ps::<0x20>(u0, u4));
            _mm256_storeu_ps(to.add(to_stride), _mm256_permute2f128_ps::<0x20>(u1, u5));
            _mm256_storeu_ps(
                to.add(2 * to_stride),
                _mm256_permute2f128_ps::<0x20>(u2, u6),
            );
            _mm256_storeu_ps(
                to.add(3 * to_stride),
                _mm256_permute2f128_ps::<0x20>(u3, u7),
            );
            _mm256_storeu_ps(
                to.add(4 * to_stride),
                _mm256_permute2f128_ps::<0x31>(u0, u4),
            );
            _mm256_storeu_ps(
                to.add(5 * to_stride),
                _mm256_permute2f128_ps::<0x31>(u1, u5),
            );
            _mm256_storeu_ps(
                to.add(6 * to_stride),
                _mm256_permute2f128_ps::<0x31>(u2, u6),
            );
            _mm256_storeu_ps(
                to.add(7 * to_stride),
                _mm256_permute2f128_ps::<0x31>(u3, u7),
            );
        }
    }
}
