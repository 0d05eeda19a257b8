//! Four numbers as an array: plain Rust, which the compiler turns into SSE2 or
//! NEON, and which Miri can follow.

use crate::base::lane::Lane;
use crate::engine::cpu::simd::Simd;
use std::array::from_fn;
use std::ops::{Add, Div, Mul, Neg, Sub};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Portable([f32; 4]);

macro_rules! operator {
    ($trait:ident, $method:ident, $op:tt) => {
        impl $trait for Portable {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Portable(from_fn(|i| self.0[i] $op other.0[i]))
            }
        }
    };
}

operator!(Add, add, +);
operator!(Sub, sub, -);
operator!(Mul, mul, *);
operator!(Div, div, /);

impl Neg for Portable {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Portable(self.0.map(|x| -x))
    }
}

impl Lane for Portable {
    type Mask = [bool; 4];
    type Bits = [u32; 4];

    #[inline(always)]
    fn splat(x: f32) -> Self {
        Portable([x; 4])
    }
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        // Where it is not one instruction, a fused product is a slow call.
        if cfg!(any(target_arch = "aarch64", target_feature = "fma")) {
            Portable(from_fn(|i| self.0[i].mul_add(b.0[i], c.0[i])))
        } else {
            self * b + c
        }
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Portable(self.0.map(f32::sqrt))
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Portable(self.0.map(f32::abs))
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        Portable(from_fn(|i| Lane::min(self.0[i], other.0[i])))
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Portable(from_fn(|i| Lane::max(self.0[i], other.0[i])))
    }
    #[inline(always)]
    fn lt(self, other: Self) -> Self::Mask {
        from_fn(|i| self.0[i] < other.0[i])
    }
    #[inline(always)]
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self {
        Portable(from_fn(|i| if mask[i] { yes.0[i] } else { no.0[i] }))
    }
    #[inline(always)]
    fn to_bits(self) -> Self::Bits {
        self.0.map(f32::to_bits)
    }
    #[inline(always)]
    fn from_bits(bits: Self::Bits) -> Self {
        Portable(bits.map(f32::from_bits))
    }
    #[inline(always)]
    fn bits(x: u32) -> Self::Bits {
        [x; 4]
    }
    #[inline(always)]
    fn counting(start: u32) -> Self::Bits {
        from_fn(|i| start.wrapping_add(i as u32))
    }
    #[inline(always)]
    fn bits_add(a: Self::Bits, b: Self::Bits) -> Self::Bits {
        from_fn(|i| a[i].wrapping_add(b[i]))
    }
    #[inline(always)]
    fn bits_mul(a: Self::Bits, b: Self::Bits) -> Self::Bits {
        from_fn(|i| a[i].wrapping_mul(b[i]))
    }
    #[inline(always)]
    fn bits_xor(a: Self::Bits, b: Self::Bits) -> Self::Bits {
        from_fn(|i| a[i] ^ b[i])
    }
    #[inline(always)]
    fn bits_shr<const N: i32>(a: Self::Bits) -> Self::Bits {
        a.map(|x| x >> N)
    }
    #[inline(always)]
    fn bits_shl<const N: i32>(a: Self::Bits) -> Self::Bits {
        a.map(|x| x << N)
    }
}

impl Simd for Portable {
    const WIDTH: usize = 4;
    const TILE_ROWS: usize = 4;

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: readable for 4 numbers, by the caller's promise.
        Portable(unsafe { from.cast::<[f32; 4]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: writable for 4 numbers, by the caller's promise.
        unsafe { to.cast::<[f32; 4]>().write_unaligned(self.0) }
    }
    #[inline(always)]
    unsafe fn load_part(from: *const f32, n: usize) -> Self {
        let mut all = [0.0; 4];
        for (i, x) in all.iter_mut().enumerate().take(n) {
            // SAFETY: i < n, which are readable.
            *x = unsafe { *from.add(i) };
        }
        Portable(all)
    }
    #[inline(always)]
    unsafe fn store_part(self, to: *mut f32, n: usize) {
        for (i, x) in self.0.iter().enumerate().take(n) {
            // SAFETY: i < n, which are writable.
            unsafe { *to.add(i) = *x };
        }
    }
    #[inline(always)]
    fn sum(self) -> f32 {
        let [a, b, c, d] = self.0;
        (a + b) + (c + d)
    }
    #[inline(always)]
    fn largest(self) -> f32 {
        let [a, b, c, d] = self.0;
        f32::max(f32::max(a, b), f32::max(c, d))
    }
}
