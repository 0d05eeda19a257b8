//! SIMD lanes in memory, and what is done with the processor's widest.

use crate::base::lane::Lane;

/// A lane that can be loaded and stored.
pub(super) trait Simd: Lane {
    /// Numbers in a lane.
    const WIDTH: usize;
    /// Rows and lanes of columns of a product's tile: as many as fit the
    /// registers with a row's number and the lanes beside them. One more than
    /// fits, and the compiler keeps a sum in memory, which halves the speed.
    const TILE_ROWS: usize;
    /// See `TILE_ROWS`.
    const TILE_LANES: usize;
    /// Rows of a tile with one lane more, for what would be a single lane beside other
    /// tiles and wait for its own sums; 0 if there is none.
    const WIDE_TILE_ROWS: usize;

    /// # Safety
    /// `from` must be readable for `WIDTH` numbers.
    unsafe fn load(from: *const f32) -> Self;
    /// # Safety
    /// `to` must be writable for `WIDTH` numbers.
    unsafe fn store(self, to: *mut f32);
    /// The first `n` < `WIDTH` numbers, zeros behind them.
    /// # Safety
    /// `from` must be readable for `n` numbers.
    unsafe fn load_part(from: *const f32, n: usize) -> Self;
    /// # Safety
    /// `to` must be writable for `n` < `WIDTH` numbers.
    unsafe fn store_part(self, to: *mut f32, n: usize);
    /// The sum of the numbers.
    fn sum(self) -> f32;
    /// The largest of the numbers.
    fn largest(self) -> f32;

    /// `c` and the products of two bfloat16 numbers with two others: each lane's bits are one
    /// in the upper half, which is multiplied and added first, and one in the lower.
    #[inline(always)]
    fn mul_add_pairs(self, b: Self, c: Self) -> Self {
        mul_add_halves(self, b, c)
    }

    /// `n` ≤ `WIDTH` numbers.
    /// # Safety
    /// `from` must be readable for `n` numbers.
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

    /// `n` ≤ `WIDTH` numbers.
    /// # Safety
    /// `to` must be writable for `n` numbers.
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

    /// Writes those numbers that are not zero to `values`, one behind the other, and the
    /// bits beside them to `places`: how many there are.
    /// # Safety
    /// Both must be writable for `WIDTH` numbers.
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

/// [`Simd::mul_add_pairs`] where no instruction does it.
#[inline(always)]
pub(super) fn mul_add_halves<L: Simd>(a: L, b: L, c: L) -> L {
    let upper = |x: L| L::from_bits(L::bits_shl::<16>(L::bits_shr::<16>(x.to_bits())));
    let lower = |x: L| L::from_bits(L::bits_shl::<16>(x.to_bits()));
    let sum = upper(a).mul_add(upper(b), c);
    lower(a).mul_add(lower(b), sum)
}

/// The most numbers that a lane has on any processor.
pub(super) const WIDEST: usize = 16;

/// Columns are cut by multiples of this: whole tiles of every lane.
pub(super) const PANEL: usize = 48;

/// Something to do with the widest lane there is.
pub(super) trait Kernel {
    /// Its result.
    type Output;
    /// Does it. Must be `#[inline(always)]`: only then is it compiled for the
    /// processor that was found.
    fn run<L: Simd>(self) -> Self::Output;
}

/// Cuts `lanes` into parts of at most `most`, the first of them of one more where a single
/// lane would be left and there are such wide tiles.
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

/// Cuts `n` into parts of at most `most`, as equal as can be, since a thin one
/// would not fill the pipeline: where each starts, and how long it is.
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

/// Runs the body for every lane of `n` numbers: `i` is where the lane starts,
/// `count` how many of its numbers there are. A macro, since a closure might
/// not be compiled for the processor that was found; one body for whole lanes
/// and the rest, since two would double the program.
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
