//! Eight floats in two NEON registers, with fused multiply-add.
//!
//! Two registers, because a product's tile then loads a lane of columns by one instruction, and
//! element-wise loops have half of the overhead.
//!
//! NEON is part of every 64-bit ARM processor: there is no detection at run time.

use crate::base::lane::Lane;
use crate::engine::cpu::simd::Simd;
use std::arch::aarch64::*;
use std::ops::{Add, Div, Mul, Neg, Sub};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Neon(float32x4_t, float32x4_t);

// SAFETY, of every block in this file: the intrinsics need NEON, which the
// target that this file is compiled for has; memory is touched only where the
// caller of an unsafe method promises it.

macro_rules! operator {
    ($trait:ident, $method:ident, $intrinsic:ident) => {
        impl $trait for Neon {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                // SAFETY: see above.
                unsafe { Neon($intrinsic(self.0, other.0), $intrinsic(self.1, other.1)) }
            }
        }
    };
}

operator!(Add, add, vaddq_f32);
operator!(Sub, sub, vsubq_f32);
operator!(Mul, mul, vmulq_f32);
operator!(Div, div, vdivq_f32);

impl Neg for Neon {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        // SAFETY: see above.
        unsafe { Neon(vnegq_f32(self.0), vnegq_f32(self.1)) }
    }
}

impl Lane for Neon {
    type Mask = (uint32x4_t, uint32x4_t);
    type Bits = (uint32x4_t, uint32x4_t);

    #[inline(always)]
    fn splat(x: f32) -> Self {
        // SAFETY: see above.
        unsafe { Neon(vdupq_n_f32(x), vdupq_n_f32(x)) }
    }
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        // SAFETY: see above.
        unsafe { Neon(vfmaq_f32(c.0, self.0, b.0), vfmaq_f32(c.1, self.1, b.1)) }
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        // SAFETY: see above.
        unsafe { Neon(vsqrtq_f32(self.0), vsqrtq_f32(self.1)) }
    }
    #[inline(always)]
    fn abs(self) -> Self {
        // SAFETY: see above.
        unsafe { Neon(vabsq_f32(self.0), vabsq_f32(self.1)) }
    }
    // NEON's own two return the number if `other` is NaN, or NaN if `self` is.
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        Self::select(self.lt(other), self, other)
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Self::select(other.lt(self), self, other)
    }
    #[inline(always)]
    fn lt(self, other: Self) -> Self::Mask {
        // SAFETY: see above.
        unsafe { (vcltq_f32(self.0, other.0), vcltq_f32(self.1, other.1)) }
    }
    #[inline(always)]
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self {
        // SAFETY: see above.
        unsafe {
            Neon(
                vbslq_f32(mask.0, yes.0, no.0),
                vbslq_f32(mask.1, yes.1, no.1),
            )
        }
    }
    #[inline(always)]
    fn to_bits(self) -> Self::Bits {
        // SAFETY: see above.
        unsafe { (vreinterpretq_u32_f32(self.0), vreinterpretq_u32_f32(self.1)) }
    }
    #[inline(always)]
    fn from_bits(bits: Self::Bits) -> Self {
        // SAFETY: see above.
        unsafe { Neon(vreinterpretq_f32_u32(bits.0), vreinterpretq_f32_u32(bits.1)) }
    }
    #[inline(always)]
    fn bits(x: u32) -> Self::Bits {
        // SAFETY: see above.
        unsafe { (vdupq_n_u32(x), vdupq_n_u32(x)) }
    }
    #[inline(always)]
    fn counting(start: u32) -> Self::Bits {
        const STEPS: [u32; 8] = [0, 1, 2, 3, 4, 5, 6, 7];
        // SAFETY: see above; both halves of the steps are read.
        unsafe {
            let steps = (vld1q_u32(STEPS.as_ptr()), vld1q_u32(STEPS.as_ptr().add(4)));
            Self::bits_add(Self::bits(start), steps)
        }
    }
    #[inline(always)]
    fn bits_add(a: Self::Bits, b: Self::Bits) -> Self::Bits {
        // SAFETY: see above.
        unsafe { (vaddq_u32(a.0, b.0), vaddq_u32(a.1, b.1)) }
    }
    #[inline(always)]
    fn bits_mul(a: Self::Bits, b: Self::Bits) -> Self::Bits {
        // SAFETY: see above.
        unsafe { (vmulq_u32(a.0, b.0), vmulq_u32(a.1, b.1)) }
    }
    #[inline(always)]
    fn bits_xor(a: Self::Bits, b: Self::Bits) -> Self::Bits {
        // SAFETY: see above.
        unsafe { (veorq_u32(a.0, b.0), veorq_u32(a.1, b.1)) }
    }
    #[inline(always)]
    fn bits_shr<const N: i32>(a: Self::Bits) -> Self::Bits {
        // SAFETY: see above.
        unsafe { (vshrq_n_u32::<N>(a.0), vshrq_n_u32::<N>(a.1)) }
    }
    #[inline(always)]
    fn bits_shl<const N: i32>(a: Self::Bits) -> Self::Bits {
        // SAFETY: see above.
        unsafe { (vshlq_n_u32::<N>(a.0), vshlq_n_u32::<N>(a.1)) }
    }
}

/// Loads the first `n` < 4 values, and zeros after them.
///
/// # Safety
/// `from` must be readable for `n` floats.
#[inline(always)]
unsafe fn load_few(from: *const f32, n: usize) -> float32x4_t {
    // SAFETY: see above.
    unsafe {
        let none = vdup_n_f32(0.0);
        match n {
            0 => vcombine_f32(none, none),
            1 => vcombine_f32(vld1_lane_f32::<0>(from, none), none),
            2 => vcombine_f32(vld1_f32(from), none),
            _ => vcombine_f32(vld1_f32(from), vld1_lane_f32::<0>(from.add(2), none)),
        }
    }
}

/// # Safety
/// `to` must be writable for `n` < 4 floats.
#[inline(always)]
unsafe fn store_few(x: float32x4_t, to: *mut f32, n: usize) {
    // SAFETY: see above.
    unsafe {
        match n {
            0 => {}
            1 => vst1q_lane_f32::<0>(to, x),
            2 => vst1_f32(to, vget_low_f32(x)),
            _ => {
                vst1_f32(to, vget_low_f32(x));
                vst1q_lane_f32::<2>(to.add(2), x);
            }
        }
    }
}

impl Simd for Neon {
    const WIDTH: usize = 8;
    // 24 of the 32 registers hold sums, four the columns: four are left for the rows.
    const TILE_ROWS: usize = 6;
    const TILE_LANES: usize = 2;
    const WIDE_TILE_ROWS: usize = 0;

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: see above.
        unsafe { Neon(vld1q_f32(from), vld1q_f32(from.add(4))) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: see above.
        unsafe {
            vst1q_f32(to, self.0);
            vst1q_f32(to.add(4), self.1);
        }
    }
    #[inline(always)]
    unsafe fn load_part(from: *const f32, n: usize) -> Self {
        // SAFETY: see above; four and what is left of eight are read.
        unsafe {
            let rest = load_few(from.add(n & 4), n & 3);
            if n & 4 == 0 {
                Neon(rest, vdupq_n_f32(0.0))
            } else {
                Neon(vld1q_f32(from), rest)
            }
        }
    }
    #[inline(always)]
    unsafe fn store_part(self, to: *mut f32, n: usize) {
        // SAFETY: see above; four and what is left of eight are written.
        unsafe {
            let rest = if n & 4 == 0 {
                self.0
            } else {
                vst1q_f32(to, self.0);
                self.1
            };
            store_few(rest, to.add(n & 4), n & 3);
        }
    }
    // In the order of `Avx2::sum`, so that both train to the same bits.
    #[inline(always)]
    fn sum(self) -> f32 {
        // SAFETY: see above.
        unsafe {
            let four = vaddq_f32(self.0, self.1);
            vpadds_f32(vadd_f32(vget_low_f32(four), vget_high_f32(four)))
        }
    }
    #[inline(always)]
    fn largest(self) -> f32 {
        // SAFETY: see above.
        unsafe { vmaxnmvq_f32(vmaxnmq_f32(self.0, self.1)) }
    }
    #[inline(always)]
    unsafe fn transpose(from: *const f32, from_stride: usize, to: *mut f32, to_stride: usize) {
        for (row, column) in [(0, 0), (0, 4), (4, 0), (4, 4)] {
            // SAFETY: see above; of eight rows of eight, four of four are read, and
            // as many written.
            unsafe {
                let row_at = |i: usize| vld1q_f32(from.add((row + i) * from_stride + column));
                let (a, b, c, d) = (row_at(0), row_at(1), row_at(2), row_at(3));
                let double = |x| vreinterpretq_f64_f32(x);
                let (even, odd) = (double(vtrn1q_f32(a, b)), double(vtrn2q_f32(a, b)));
                let (even2, odd2) = (double(vtrn1q_f32(c, d)), double(vtrn2q_f32(c, d)));
                let put = |j: usize, x: float64x2_t| {
                    let to = to.add((column + j) * to_stride + row);
                    vst1q_f32(to, vreinterpretq_f32_f64(x));
                };
                put(0, vtrn1q_f64(even, even2));
                put(1, vtrn1q_f64(odd, odd2));
                put(2, vtrn2q_f64(even, even2));
                put(3, vtrn2q_f64(odd, odd2));
            }
        }
    }
}
