//! `Lane`: the arithmetic that a formula may use.
//!
//! A formula (an activation, an optimizer's update) is written once, generic over `Lane`. One `f32`
//! makes it the reference; a SIMD register makes it the fast kernel. Both take the same path
//! through it: there are no data-dependent branches, only [`Lane::select`].

use std::ops::{Add, Div, Mul, Neg, Sub};

/// One or more `f32` values that are computed with together.
pub trait Lane:
    Copy
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// The result of a comparison, one for each value.
    type Mask: Copy;
    /// The same count of `u32` values, for random bits and exponents.
    type Bits: Copy;

    /// The same value everywhere.
    fn splat(x: f32) -> Self;
    /// `self * b + c`, rounded once where the processor can.
    fn mul_add(self, b: Self, c: Self) -> Self;
    /// The square root.
    fn sqrt(self) -> Self;
    /// The absolute value.
    fn abs(self) -> Self;
    /// The smaller number; `other` where `self` is NaN.
    fn min(self, other: Self) -> Self;
    /// The larger number; `other` where `self` is NaN.
    fn max(self, other: Self) -> Self;
    /// `self < other`.
    fn lt(self, other: Self) -> Self::Mask;
    /// `yes` where the mask is set, `no` elsewhere.
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;

    /// The bit patterns of the values.
    fn to_bits(self) -> Self::Bits;
    /// Values from bit patterns.
    fn from_bits(bits: Self::Bits) -> Self;
    /// The same bits everywhere.
    fn bits(x: u32) -> Self::Bits;
    /// `start`, `start + 1`, `start + 2`, …
    fn counting(start: u32) -> Self::Bits;
    /// Wrapping sum.
    fn bits_add(a: Self::Bits, b: Self::Bits) -> Self::Bits;
    /// Wrapping product.
    fn bits_mul(a: Self::Bits, b: Self::Bits) -> Self::Bits;
    /// Exclusive or.
    fn bits_xor(a: Self::Bits, b: Self::Bits) -> Self::Bits;
    /// Shift towards the low bits, zeros coming in.
    fn bits_shr<const N: i32>(a: Self::Bits) -> Self::Bits;
    /// Shift towards the high bits.
    fn bits_shl<const N: i32>(a: Self::Bits) -> Self::Bits;

    /// Zero.
    #[inline(always)]
    fn zero() -> Self {
        Self::splat(0.0)
    }

    /// One.
    #[inline(always)]
    fn one() -> Self {
        Self::splat(1.0)
    }

    /// 1 where the number is above 0, -1 below, 0 at 0.
    #[inline(always)]
    fn sign(self) -> Self {
        let negative = Self::select(self.lt(Self::zero()), -Self::one(), Self::zero());
        Self::select(Self::zero().lt(self), Self::one(), negative)
    }
}

impl Lane for f32 {
    type Mask = bool;
    type Bits = u32;

    #[inline(always)]
    fn splat(x: f32) -> Self {
        x
    }
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        f32::mul_add(self, b, c)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        f32::sqrt(self)
    }
    #[inline(always)]
    fn abs(self) -> Self {
        f32::abs(self)
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        if self < other { self } else { other }
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        if self > other { self } else { other }
    }
    #[inline(always)]
    fn lt(self, other: Self) -> bool {
        self < other
    }
    #[inline(always)]
    fn select(mask: bool, yes: Self, no: Self) -> Self {
        if mask { yes } else { no }
    }
    #[inline(always)]
    fn to_bits(self) -> u32 {
        f32::to_bits(self)
    }
    #[inline(always)]
    fn from_bits(bits: u32) -> Self {
        f32::from_bits(bits)
    }
    #[inline(always)]
    fn bits(x: u32) -> u32 {
        x
    }
    #[inline(always)]
    fn counting(start: u32) -> u32 {
        start
    }
    #[inline(always)]
    fn bits_add(a: u32, b: u32) -> u32 {
        a.wrapping_add(b)
    }
    #[inline(always)]
    fn bits_mul(a: u32, b: u32) -> u32 {
        a.wrapping_mul(b)
    }
    #[inline(always)]
    fn bits_xor(a: u32, b: u32) -> u32 {
        a ^ b
    }
    #[inline(always)]
    fn bits_shr<const N: i32>(a: u32) -> u32 {
        a >> N
    }
    #[inline(always)]
    fn bits_shl<const N: i32>(a: u32) -> u32 {
        a << N
    }
}
