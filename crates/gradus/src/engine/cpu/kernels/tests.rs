//! Tests of every method of every lane against a single value's.

use crate::base::lane::Lane;
use crate::engine::cpu::isa::Isa;
use crate::engine::cpu::simd::{Kernel, Simd};

/// The widest lane.
const MOST: usize = 16;

/// All operations available to a formula, by name.
#[inline(always)]
fn all<L: Lane>(a: L, b: L, c: L) -> [(&'static str, L); 20] {
    let bits = L::from_bits;
    [
        ("splat", L::splat(-1.5)),
        ("bits", bits(L::bits(0x7f80_0001))),
        ("add", a + b),
        ("sub", a - b),
        ("mul", a * b),
        ("div", a / b),
        ("neg", -a),
        ("mul_add", a.mul_add(b, c)),
        ("sqrt", a.sqrt()),
        ("abs", a.abs()),
        ("min", a.min(b)),
        ("max", a.max(b)),
        ("sign", a.sign()),
        ("lt, select", L::select(a.lt(b), c, a)),
        ("select of a later lt", L::select(b.lt(a), a, c)),
        ("bits_add", bits(L::bits_add(a.to_bits(), b.to_bits()))),
        ("bits_mul", bits(L::bits_mul(a.to_bits(), b.to_bits()))),
        ("bits_xor", bits(L::bits_xor(a.to_bits(), b.to_bits()))),
        ("bits_shr", bits(L::bits_shr::<9>(a.to_bits()))),
        ("bits_shl", bits(L::bits_shl::<23>(a.to_bits()))),
    ]
}

/// [`all`] of one lane.
struct All<'a>(&'a [[f32; MOST]; 3]);

impl Kernel for All<'_> {
    type Output = Vec<(&'static str, [f32; MOST])>;
    #[inline(always)]
    fn run<L: Simd>(self) -> Self::Output {
        // SAFETY: no lane is wider than the arrays.
        let [a, b, c] = self.0.each_ref().map(|x| unsafe { L::load(x.as_ptr()) });
        let out = |(name, y): (&'static str, L)| {
            let mut numbers = [0.0; MOST];
            // SAFETY: as above.
            unsafe { y.store(numbers.as_mut_ptr()) };
            (name, numbers)
        };
        all(a, b, c).into_iter().map(out).collect()
    }
}

/// Values of every kind, in an order that pairs each with each.
fn operands(turn: usize) -> [[f32; MOST]; 3] {
    const KINDS: [f32; 17] = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.3,
        -7.25,
        3.0e38,
        -3.0e38,
        1.2e-38,
        -1.2e-38,
        1e-40,
        -1e-45,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
        16_777_217.0,
        std::f32::consts::PI,
    ];
    let of = |factor: usize| {
        std::array::from_fn(|i| KINDS[(i * (factor % 16 + 1) + factor / 16 + factor) % 17])
    };
    [of(turn), of(turn / 17), of(turn * 7 + 3)]
}

/// True for the same bits, or if both are NaN.
fn same(a: f32, b: f32) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

#[test]
fn a_lane_does_what_one_number_does() {
    for isa in Isa::tested() {
        let fused = isa != Isa::Portable || cfg!(target_arch = "aarch64");
        for turn in 0..17 * 17 {
            let numbers = operands(turn);
            for (n, (name, found)) in isa.run(All(&numbers)).into_iter().enumerate() {
                for i in 0..isa.width() {
                    let [a, b, c] = numbers.map(|x| x[i]);
                    let expected = match name {
                        "mul_add" if !fused => a * b + c,
                        _ => all(a, b, c)[n].1,
                    };
                    let bits = name.starts_with("bits");
                    let fine = match bits {
                        true => expected.to_bits() == found[i].to_bits(),
                        false => same(expected, found[i]),
                    };
                    assert!(fine, "{isa:?} {name} of {a:e} {b:e} {c:e}: {:e}", found[i]);
                }
            }
        }
    }
}

/// The operations of lanes only.
struct Lanes;

impl Kernel for Lanes {
    type Output = ();
    #[inline(always)]
    fn run<L: Simd>(self) {
        let width = L::WIDTH;
        assert!(width <= MOST);
        let numbers: [f32; MOST] = std::array::from_fn(|i| (i * i) as f32 - 40.0);
        let out = |lane: L| {
            let mut y = [0.0; MOST];
            // SAFETY: no lane is wider than the array.
            unsafe { lane.store(y.as_mut_ptr()) };
            y
        };
        let counted = out(L::from_bits(L::counting(u32::MAX - 2)));
        for (i, x) in counted[..width].iter().enumerate() {
            assert_eq!(x.to_bits(), (u32::MAX - 2).wrapping_add(i as u32));
        }
        for n in 0..=width {
            let whole = numbers.as_ptr();
            // SAFETY: within the arrays, none of which is shorter than the lane.
            let (part, stored) = unsafe {
                let mut stored = [7.5; MOST];
                L::load(whole).store_n(stored.as_mut_ptr(), n);
                (out(L::load_n(whole, n)), stored)
            };
            for i in 0..width {
                assert_eq!(part[i], if i < n { numbers[i] } else { 0.0 });
                assert_eq!(stored[i], if i < n { numbers[i] } else { 7.5 });
            }
        }
        for turn in 0..width {
            let mut turned = numbers;
            turned[..width].rotate_left(turn);
            // SAFETY: as above.
            let lane = unsafe { L::load(turned.as_ptr()) };
            // Whole numbers, whose sum is exact in any order.
            assert_eq!(lane.sum(), numbers[..width].iter().sum::<f32>());
            assert_eq!(lane.largest(), numbers[width - 1]);
        }
        let (from_stride, to_stride) = (width + 3, width + 5);
        let square: Vec<f32> = (0..width * from_stride).map(|i| i as f32).collect();
        let mut turned = vec![-1.0; width * to_stride];
        // SAFETY: squares of the lane's width, of such strides.
        unsafe { L::transpose(square.as_ptr(), from_stride, turned.as_mut_ptr(), to_stride) };
        for (i, x) in turned.iter().enumerate() {
            let (row, column) = (i / to_stride, i % to_stride);
            let inside = column < width;
            let expected = inside.then(|| square[column * from_stride + row]);
            assert_eq!(*x, expected.unwrap_or(-1.0));
        }
    }
}

#[test]
fn a_lane_is_loaded_stored_and_summed() {
    for isa in Isa::tested() {
        isa.run(Lanes);
    }
}
