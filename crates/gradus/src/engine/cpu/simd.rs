//! SIMD lanes in memory, and the dispatch to the processor's widest.

use crate::base::lane::Lane;

/// A lane that can be loaded and stored.
pub(super) trait Simd: Lane {
    /// Values in a lane.
    const WIDTH: usize;
    /// Rows and lanes of columns of a product's tile: as many as fit into the registers beside a
    /// row's value and the lanes. With one more, the compiler keeps a sum in memory, which halves
    /// the speed.
    const TILE_ROWS: usize;
    /// See `TILE_ROWS`.
    const TILE_LANES: usize;
    /// Rows of a tile with one more lane, for what would be a single lane beside other tiles and
    /// wait for its own sums; 0 if there is none.
    const WIDE_TILE_ROWS: usize;

    /// # Safety
    /// `from` must be readable for `WIDTH` floats.
    unsafe fn load(from: *const f32) -> Self;
    /// # Safety
    /// `to` must be writable for `WIDTH` floats.
    unsafe fn store(self, to: *mut f32);
    /// Loads the first `n` < `WIDTH` values, and zeros after them.
    /// # Safety
    /// `from` must be readable for `n` floats.
    unsafe fn load_part(from: *const f32, n: usize) -> Self;
    /// # Safety
    /// `to` must be writable for `n` < `WIDTH` floats.
    unsafe fn store_part(self, to: *mut f32, n: usize);
    /// The sum of the values.
    fn sum(self) -> f32;
    /// The largest of the values.
    fn largest(self) -> f32;

    /// `c` plus the products of bfloat16 pairs: each 32-bit element has one in the upper half,
    /// which is multiplied and added first, and one in the lower.
    #[inline(always)]
    fn mul_add_pairs(self, b: Self, c: Self) -> Self {
        mul_add_halves(self, b, c)
    }

    /// Loads `n` ≤ `WIDTH` values.
    /// # Safety
    /// `from` must be readable for `n` floats.
    #[inline(always)]
    unsafe fn load_n(from: *const f32, n: usize) -> Self {
        // SAFETY: the caller's promise.
        unsafe {
            if n == Self::WIDTH {
                Self::load(from)
            } else {
                Self::load_part(from, n)
            }
        }
    }

    /// Stores `n` ≤ `WIDTH` values.
    /// # Safety
    /// `to` must be writable for `n` floats.
    #[inline(always)]
    unsafe fn store_n(self, to: *mut f32, n: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            if n == Self::WIDTH {
                self.store(to);
            } else {
                self.store_part(to, n);
            }
        }
    }

    /// Writes the nonzero values to `values`, contiguously, and their elements of `bits` to
    /// `places`; returns their number.
    /// # Safety
    /// Both must be writable for `WIDTH` elements.
    #[inline(always)]
    unsafe fn nonzeros(self, bits: Self::Bits, values: *mut f32, places: *mut u32) -> usize {
        let (mut numbers, mut beside) = ([0.0_f32; WIDEST], [0.0_f32; WIDEST]);
        let mut n = 0;
        // SAFETY: no lane is wider than `WIDEST`; the caller's promise.
        unsafe {
            self.store(numbers.as_mut_ptr());
            Self::from_bits(bits).store(beside.as_mut_ptr());
            for (number, bits) in numbers.into_iter().zip(beside).take(Self::WIDTH) {
                *values.add(n) = number;
                *places.add(n) = bits.to_bits();
                n += usize::from(number != 0.0);
            }
        }
        n
    }

    /// `to[j * to_stride + i] = from[i * from_stride + j]` for i, j < `WIDTH`.
    /// # Safety
    /// Both squares must be readable or writable.
    #[inline(always)]
    unsafe fn transpose(from: *const f32, from_stride: usize, to: *mut f32, to_stride: usize) {
        for i in 0..Self::WIDTH {
            for j in 0..Self::WIDTH {
                // SAFETY: the caller's promise.
                unsafe { *to.add(j * to_stride + i) = *from.add(i * from_stride + j) };
            }
        }
    }
}

/// [`Simd::mul_add_pairs`] for processors without an instruction.
#[inline(always)]
pub(super) fn mul_add_halves<L: Simd>(a: L, b: L, c: L) -> L {
    let upper = |x: L| L::from_bits(L::bits_shl::<16>(L::bits_shr::<16>(x.to_bits())));
    let lower = |x: L| L::from_bits(L::bits_shl::<16>(x.to_bits()));
    let sum = upper(a).mul_add(upper(b), c);
    lower(a).mul_add(lower(b), sum)
}

/// Limit of a lane's width on any processor.
pub(super) const WIDEST: usize = 16;

/// Columns are cut by multiples of this: whole tiles of every lane.
pub(super) const PANEL: usize = 48;

/// A kernel to run with the widest lane available.
pub(super) trait Kernel {
    /// Its result.
    type Output;
    /// Runs it. Must be `#[inline(always)]`: only then is it compiled for the detected processor.
    fn run<L: Simd>(self) -> Self::Output;
}

/// Cuts `lanes` into parts of at most `most`; the first part gets one more if a single lane would
/// be left and there are such wide tiles.
#[inline(always)]
pub(super) fn panels(
    lanes: usize,
    most: usize,
    wide: bool,
) -> impl Iterator<Item = (usize, usize)> {
    let first = match wide && lanes > most && lanes % most == 1 {
        true => most + 1,
        false => 0,
    };
    let rest = parts(lanes - first, most).map(move |(start, n)| (first + start, n));
    (first > 0).then_some((0, first)).into_iter().chain(rest)
}

/// Cuts `n` into parts of at most `most`, as equal as possible, since a thin one would not fill the
/// pipeline; returns the start and length of each.
#[inline(always)]
pub(super) fn parts(n: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    let count = n.div_ceil(most);
    let (each, longer) = (n / count.max(1), n % count.max(1));
    let mut start = 0;
    (0..count).map(move |i| {
        let length = each + usize::from(i < longer);
        start += length;
        (start - length, length)
    })
}

/// Runs the body for every lane of `n` values: `i` is the lane's start, `count` its number of
/// values. A macro, since a closure might not be compiled for the detected processor; one body for
/// full lanes and the rest, since two would double the program.
macro_rules! lanes {
    ($lane:ty, $n:expr, |$i:ident, $count:ident| $body:block) => {{
        let n: usize = $n;
        let width = <$lane as $crate::engine::cpu::simd::Simd>::WIDTH;
        let mut $i: usize = 0;
        while $i < n {
            let $count = width.min(n - $i);
            $body
            $i += width;
        }
    }};
}

pub(super) use lanes;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_cover_all_lanes_and_leave_none_alone() {
        for lanes in 0..60 {
            for (most, wide) in [(2, false), (2, true), (3, false)] {
                let mut end = 0;
                for (start, n) in panels(lanes, most, wide) {
                    assert_eq!(start, end);
                    assert!(n >= 1 && n <= most + usize::from(wide));
                    assert!(!wide || n > 1 || lanes == 1, "{lanes} lanes");
                    end += n;
                }
                assert_eq!(end, lanes);
            }
        }
    }
}
