//! Tests of `base::math` against `f64`, on one value and on every lane.

use super::bounds::{Function, bounds};
use crate::engine::cpu::isa::Isa;
use crate::engine::cpu::simd::{Kernel, Simd, lanes};

/// A function applied to many values.
struct Map<'a>(Function, &'a [f32]);

impl Kernel for Map<'_> {
    type Output = Vec<f32>;
    #[inline(always)]
    fn run<L: Simd>(self) -> Vec<f32> {
        let Map(function, x) = self;
        let mut y = vec![0.0; x.len()];
        lanes!(L, x.len(), |i, count| {
            // SAFETY: `i + count` is at most the length of both.
            unsafe {
                let lane = L::load_n(x.as_ptr().add(i), count);
                function.of(lane).store_n(y.as_mut_ptr().add(i), count);
            }
        });
        y
    }
}

/// Many values from one to another, equally many between 2ⁿ and 2ⁿ⁺¹ for every n.
fn between((from, to): (f32, f32)) -> Vec<f32> {
    const POINTS: u64 = 50_000;
    let (from, to) = (u64::from(from.to_bits()), u64::from(to.to_bits()));
    assert!(from < to);
    let point = |i: u64| f32::from_bits((from + (to - from) * i / POINTS) as u32);
    (0..=POINTS).map(point).collect()
}

/// A lane's name, and the function that computes with it.
type Way = (String, Box<dyn Fn(&[f32]) -> Vec<f32>>);

/// The name of the lane without fused multiply-add, if there is one.
const UNFUSED: &str = match cfg!(any(target_arch = "aarch64", target_feature = "fma")) {
    true => "none",
    false => "Portable",
};

fn ways(function: Function) -> Vec<Way> {
    let one = move |x: &[f32]| x.iter().map(|&x| function.of(x)).collect();
    let mut all: Vec<Way> = vec![("f32".into(), Box::new(one))];
    for isa in Isa::tested() {
        all.push((
            format!("{isa:?}"),
            Box::new(move |x| isa.run(Map(function, x))),
        ));
    }
    all
}

#[test]
fn functions_keep_their_bounds_on_every_lane() {
    let mut broken = Vec::new();
    for bound in bounds() {
        let (x, y): (Vec<f32>, Vec<f32>) = bound.edges.iter().copied().unzip();
        let points: Vec<Vec<f32>> = bound.ranges.iter().map(|r| between(*r)).collect();
        let truths: Vec<Vec<f64>> = points
            .iter()
            .map(|x| x.iter().map(|&x| (bound.truth)(f64::from(x))).collect())
            .collect();
        let mut single = Vec::new();
        for (way, compute) in ways(bound.function) {
            for ((x, want), found) in x.iter().zip(&y).zip(compute(&x)) {
                let fine = found == *want || (found.is_nan() && want.is_nan());
                if !fine {
                    broken.push(format!("{:?}({x:e}) is {found:e} on {way}", bound.function));
                }
            }
            let found: Vec<Vec<f32>> = points.iter().map(|x| compute(x)).collect();
            let numbers = points.iter().flatten().zip(truths.iter().flatten());
            let mut worst = (0.0, 0.0);
            let mut within = true;
            for ((&x, &want), &y) in numbers.zip(found.iter().flatten()) {
                let error = (f64::from(y) - want).abs() / (bound.unit)(f64::from(x), want);
                let more = if way == UNFUSED {
                    (bound.unfused)(f64::from(x))
                } else {
                    0.0
                };
                within &= error <= bound.most + more;
                if error.is_nan() || error > worst.0 {
                    worst = (error, x);
                }
            }
            let said = format!(
                "{:?} on {way}: {:.3} at {:e}",
                bound.function, worst.0, worst.1
            );
            println!("{said}");
            if !within {
                broken.push(said);
            }
            // With fused products, a lane equals a single value bit for bit.
            match way.as_str() {
                "f32" => single = found,
                UNFUSED => {}
                _ if found != single => broken.push(format!("{:?} on {way}", bound.function)),
                _ => {}
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}
