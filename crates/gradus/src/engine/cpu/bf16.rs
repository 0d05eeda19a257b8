//! The trial of a processor's instruction for pairs of bfloat16 numbers before it is used:
//! that it makes the numbers of all other sets, and that it saves time. Both are looked at once.

use super::kernels::avx512;
use super::simd::{Kernel, Simd, WIDEST};
use std::hint::black_box;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// True if pairs are summed as Intel describes it. The processor must have the instruction.
pub(super) fn is_exact() -> bool {
    static EXACT: OnceLock<bool> = OnceLock::new();
    // SAFETY: the caller has seen that the processor has what it takes.
    *EXACT.get_or_init(|| unsafe { avx512::run_pairs(Exact) })
}

/// True if pairs take clearly less time than numbers one by one: on some processors the
/// instruction is taken apart into slower ones. As above.
pub(super) fn is_quicker() -> bool {
    static QUICKER: OnceLock<bool> = OnceLock::new();
    *QUICKER.get_or_init(|| {
        let least = |work: fn() -> f32| {
            let mut least = Duration::MAX;
            for _ in 0..9 {
                let start = Instant::now();
                black_box(work());
                least = least.min(start.elapsed());
            }
            least
        };
        // SAFETY: the caller has seen that the processor has what it takes.
        let pairs = least(|| unsafe { avx512::run_pairs(MultiplyAdds::<true>) });
        // SAFETY: as above.
        let numbers = least(|| unsafe { avx512::run(MultiplyAdds::<false>) });
        5 * pairs < 4 * numbers
    })
}

/// Sums pairs whose results depend on order, rounding and denormal values.
struct Exact;

impl Kernel for Exact {
    type Output = bool;

    #[inline(always)]
    fn run<L: Simd>(self) -> bool {
        const BIG: f32 = 16_777_216.0;
        const TINY: f32 = f32::MIN_POSITIVE;
        // Two upper operands, two lower ones, the addend, and the result: the upper product is
        // added and rounded before the lower, to nearest even; denormal values are 0.
        const CASES: [[f32; 6]; 5] = [
            [BIG, 1.0, -BIG, 1.0, 1.0, 0.0],
            [-BIG, 1.0, 1.0, BIG, 1.0, 1.0],
            [1.0, 1.0, 0.0, 0.0, BIG + 2.0, BIG + 4.0],
            [1.0, 1.0, 1.0, 1.0, BIG, BIG],
            [TINY, 0.5, 0.0, 0.0, TINY / 2.0, 0.0],
        ];
        let pair = |upper: f32, lower: f32| f32::from_bits(upper.to_bits() | lower.to_bits() >> 16);
        let (mut a, mut b, mut c) = ([0.0; WIDEST], [0.0; WIDEST], [0.0; WIDEST]);
        let mut wanted = [0.0; WIDEST];
        for i in 0..WIDEST {
            let case = black_box(CASES[i % CASES.len()]);
            (a[i], b[i]) = (pair(case[0], case[2]), pair(case[1], case[3]));
            (c[i], wanted[i]) = (case[4], case[5]);
        }
        // SAFETY: no lane is wider than the arrays.
        unsafe {
            let (a, b, sum) = (L::load(a.as_ptr()), L::load(b.as_ptr()), c.as_mut_ptr());
            a.mul_add_pairs(b, L::load(sum)).store(sum);
        }
        c[..L::WIDTH] == wanted[..L::WIDTH]
    }
}

/// The same number of multiply-adds in registers by pairs as by single values.
struct MultiplyAdds<const PAIRS: bool>;

impl<const PAIRS: bool> Kernel for MultiplyAdds<PAIRS> {
    type Output = f32;

    #[inline(always)]
    fn run<L: Simd>(self) -> f32 {
        let (a, b) = (L::splat(black_box(0.5)), L::splat(black_box(0.25)));
        // Independent sums, as many as in a tile.
        let mut sums = [L::zero(); 24];
        for _ in 0..256 {
            for sum in &mut sums {
                *sum = match PAIRS {
                    true => a.mul_add_pairs(b, *sum),
                    false => a.mul_add(b, *sum),
                };
            }
            if !PAIRS {
                for sum in &mut sums {
                    *sum = a.mul_add(b, *sum);
                }
            }
        }
        sums.into_iter().fold(0.0, |all, sum| all + sum.sum())
    }
}

#[cfg(test)]
mod tests {
    use super::super::denormals::Flushed;
    use super::super::isa::Isa;
    use super::*;

    #[test]
    fn what_is_asked_of_the_instruction_is_what_two_others_do() {
        let _flushed = Flushed::new();
        for isa in Isa::tested() {
            assert!(isa.run_pairs(Exact), "{isa:?}");
            let (pairs, numbers) = (MultiplyAdds::<true>, MultiplyAdds::<false>);
            // The lower halves are empty: half the products.
            assert_eq!(2.0 * isa.run_pairs(pairs), isa.run(numbers), "{isa:?}");
        }
    }
}
