//! Four floats as an array: plain Rust, which the compiler turns into SSE2 or another set, and
//! which Miri can run.

use crate::base::lane::Lane;
use crate::engine::cpu::simd::Simd;
use std::ops::{Add, Div, Mul, Neg, Sub};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Portable([f32; 4]);

/// An array computed element by element. Written out: loops and closures for every operation of
/// every kernel would take the compiler minutes.
macro_rules! four {
    (|$i:ident| $number:expr) => {
        [
            {
                const $i: usize = 0;
                $number
            },
            {
                const $i: usize = 1;
                $number
            },
            {
                const $i: usize = 2;
                $number
            },
            {
                const $i: usize = 3;
                $number
            },
        ]
    };
}

macro_rules! operator {
    ($trait:ident, $method:ident, $op:tt) => {
        impl $trait for Portable {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Portable(four!(|I| self.0[I] $op other.0[I]))
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
        Portable(four!(|I| -self.0[I]))
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
        // Without an instruction for it, a fused product is a slow call.
        if cfg!(any(target_arch = "aarch64", target_feature = "fma")) {
            Portable(four!(|I| self.0[I].mul_add(b.0[I], c.0[I])))
        } else {
            self * b + c
        }
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Portable(four!(|I| self.0[I].sqrt()))
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Portable(four!(|I| self.0[I].abs()))
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        Portable(four!(|I| Lane::min(self.0[I], other.0[I])))
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Portable(four!(|I| Lane::max(self.0[I], other.0[I])))
    }
    #[inline(always)]
    fn lt(self, other: Self) -> Self::Mask {
        four!(|I| self.0[I] < other.0[I])
    }
    #[inline(always)]
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self {
        Portable(four!(|I| if mask[I] { yes.0[I] } else { no.0[I] }))
    }
    #[inline(always)]
    fn to_bits(self) -> Self::Bits {
        four!(|I| self.0[I].to_bits())
    }
    #[inline(always)]
    fn from_bits(bits: Self::Bits) -> Self {
        Portable(four!(|I| f32::from_bits(bits[I])))
    }
    #[inline(always)]
    fn bits(x: u32) -> Self::Bits {
        [x; 4]
    }
    #[inline(always)]
    fn counting(start: u32) -> Self::Bits {
        four!(|I| start.wrapping_add(I as u32))
    }
    #[inline(always)]
    fn bits_add(a: Self::Bits, b: Self::Bits) -> Self::Bits {
        four!(|I| a[I].wrapping_add(b[I]))
    }
    #[inline(always)]
    fn bits_mul(a: Self::Bits, b: Self::Bits) -> Self::Bits {
        four!(|I| a[I].wrapping_mul(b[I]))
    }
    #[inline(always)]
    fn bits_xor(a: Self::Bits, b: Self::Bits) -> Self::Bits {
        four!(|I| a[I] ^ b[I])
    }
    #[inline(always)]
    fn bits_shr<const N: i32>(a: Self::Bits) -> Self::Bits {
        four!(|I| a[I] >> N)
    }
    #[inline(always)]
    fn bits_shl<const N: i32>(a: Self::Bits) -> Self::Bits {
        four!(|I| a[I] << N)
    }
}

impl Simd for Portable {
    const WIDTH: usize = 4;
    const TILE_ROWS: usize = 4;
    const TILE_LANES: usize = 2;
    const WIDE_TILE_ROWS: usize = 0;

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
