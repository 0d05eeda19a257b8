//! Error bounds of the functions in `base::math`, for `accuracy.rs`.

use crate::base::lane::Lane;
use crate::base::math;
use crate::base::math::truth::{density, distribution};

/// A function of `base::math` of one argument.
#[derive(Clone, Copy, Debug)]
pub(super) enum Function {
    Exp,
    ExpM1,
    Sigmoid,
    Tanh,
    Ln,
    Ln1p,
    Softplus,
    CosOfTurns,
    Pow(f32),
    Distribution,
    Density,
}

impl Function {
    #[inline(always)]
    pub fn of<L: Lane>(self, x: L) -> L {
        match self {
            Function::Exp => math::exp(x),
            Function::ExpM1 => math::exp_m1(x),
            Function::Sigmoid => math::sigmoid(x),
            Function::Tanh => math::tanh(x),
            Function::Ln => math::ln(x),
            Function::Ln1p => math::ln_1p(x),
            Function::Softplus => math::softplus(x),
            Function::CosOfTurns => math::cos_of_turns(x),
            Function::Pow(p) => math::pow(x, p),
            Function::Distribution => math::normal(x).0,
            Function::Density => math::normal(x).1,
        }
    }
}

/// The error bound of a function.
pub(super) struct Bound {
    pub function: Function,
    pub truth: Box<dyn Fn(f64) -> f64>,
    /// The largest error, in units that depend on the argument and the true value.
    pub most: f64,
    pub unit: Box<dyn Fn(f64, f64) -> f64>,
    /// Additional error without fused products, in the same units.
    pub unfused: fn(f64) -> f64,
    /// Ranges of validity, each from a value to another of the same sign, further from 0.
    pub ranges: &'static [(f32, f32)],
    /// Arguments with exact results; for 0, of either sign.
    pub edges: &'static [(f32, f32)],
}

/// The distance between the two `f32` around a value.
fn ulp(_: f64, y: f64) -> f64 {
    let y = y.abs().max(f64::from(f32::MIN_POSITIVE));
    f64::from_bits(y.to_bits() & (0x7ff << 52)) * f64::from(f32::EPSILON)
}

const NAN: f32 = f32::NAN;
const INF: f32 = f32::INFINITY;
const MAX: f32 = f32::MAX;
const TINY: f32 = f32::MIN_POSITIVE;

pub(super) fn bounds() -> Vec<Bound> {
    let bound = |function, truth: fn(f64) -> f64, most, ranges, edges| Bound {
        function,
        truth: Box::new(truth),
        most,
        unit: Box::new(ulp),
        unfused: |_| 0.0,
        ranges,
        edges,
    };
    let normal = |function, truth: fn(f64) -> f64, most, ranges, edges| Bound {
        unfused: |x| 0.5 * x * x,
        ..bound(function, truth, most, ranges, edges)
    };
    let mut all = vec![
        bound(
            Function::Exp,
            f64::exp,
            2.0,
            &[(1e-9, 88.722_8), (-1e-9, -86.89)],
            &[
                (0.0, 1.0),
                (-0.0, 1.0),
                (TINY, 1.0),
                (88.73, INF),
                (MAX, INF),
                (INF, INF),
                (-88.0, 0.0),
                (-MAX, 0.0),
                (-INF, 0.0),
                (NAN, NAN),
            ],
        ),
        Bound {
            unfused: |_| 1.0,
            ..bound(
                Function::ExpM1,
                f64::exp_m1,
                3.0,
                &[(1e-30, 88.722_8), (-1e-30, -100.0)],
                &[
                    (0.0, 0.0),
                    (-0.0, 0.0),
                    (TINY, TINY),
                    (MAX, INF),
                    (INF, INF),
                    (-MAX, -1.0),
                    (-INF, -1.0),
                    (NAN, NAN),
                ],
            )
        },
        bound(
            Function::Sigmoid,
            |x| 1.0 / (1.0 + (-x).exp()),
            3.0,
            &[(1e-9, 100.0), (-1e-9, -87.0)],
            &[
                (0.0, 0.5),
                (-0.0, 0.5),
                (MAX, 1.0),
                (INF, 1.0),
                (-89.0, 0.0),
                (-MAX, 0.0),
                (-INF, 0.0),
                (NAN, NAN),
            ],
        ),
        bound(
            Function::Tanh,
            f64::tanh,
            3.0,
            &[(1e-30, 30.0), (-1e-30, -30.0)],
            &[
                (0.0, 0.0),
                (-0.0, 0.0),
                (TINY, TINY),
                (MAX, 1.0),
                (INF, 1.0),
                (-MAX, -1.0),
                (-INF, -1.0),
                (NAN, NAN),
            ],
        ),
        bound(
            Function::Ln,
            f64::ln,
            2.0,
            &[
                (1e-45, MAX),
                (1e-6, 0.4),
                (0.4, 0.999_999),
                (1.000_001, 2.5),
            ],
            &[
                (1.0, 0.0),
                (0.0, -INF),
                (-0.0, -INF),
                (INF, INF),
                (-TINY, NAN),
                (-INF, NAN),
                (NAN, NAN),
            ],
        ),
        bound(
            Function::Ln1p,
            f64::ln_1p,
            3.0,
            &[(1e-30, MAX), (1e-7, 1e3), (-1e-30, -0.999_999)],
            &[
                (0.0, 0.0),
                (-0.0, 0.0),
                (TINY, TINY),
                (INF, INF),
                (NAN, NAN),
            ],
        ),
        bound(
            Function::Softplus,
            |x| x.max(0.0) + (-x.abs()).exp().ln_1p(),
            3.0,
            &[(1e-9, MAX), (1e-3, 100.0), (-1e-9, -86.6)],
            &[
                (MAX, MAX),
                (INF, INF),
                (-88.0, 0.0),
                (-MAX, 0.0),
                (-INF, 0.0),
                (NAN, NAN),
            ],
        ),
        normal(
            Function::Distribution,
            distribution,
            3.0,
            &[(1e-9, 13.0), (-1e-9, -0.999_999)],
            &[
                (0.0, 0.5),
                (-0.0, 0.5),
                (14.5, 1.0),
                (MAX, 1.0),
                (INF, 1.0),
                (-14.5, 0.0),
                (-MAX, 0.0),
                (-INF, 0.0),
                (NAN, NAN),
            ],
        ),
        normal(
            Function::Distribution,
            distribution,
            6.0,
            &[(-1.0, -13.0)],
            &[],
        ),
        normal(
            Function::Density,
            density,
            4.0,
            &[(1e-9, 13.0), (-1e-9, -13.0)],
            &[
                (14.5, 0.0),
                (MAX, 0.0),
                (INF, 0.0),
                (-14.5, 0.0),
                (-MAX, 0.0),
                (-INF, 0.0),
                (NAN, NAN),
            ],
        ),
        Bound {
            unit: Box::new(|_, _| 1e-7),
            ..bound(
                Function::CosOfTurns,
                |u| (std::f64::consts::TAU * u).cos(),
                2.0,
                &[(1e-9, 0.999_999_94), (0.25, 0.999_999_94)],
                &[(0.25, 0.0), (0.75, 0.0)],
            )
        },
    ];
    all.extend([0.3_f32, 0.5, 0.7, 1.0, 2.0].map(|p| Bound {
        function: Function::Pow(p),
        truth: Box::new(move |x| x.powf(f64::from(p))),
        most: 1.0,
        unit: Box::new(move |x, y| {
            (2.0 + (f64::from(p) * x.ln()).abs()) * f64::from(f32::EPSILON) * y
        }),
        unfused: |_| 0.0,
        ranges: &[(1e-18, 1e18), (0.5, 2.0)],
        edges: &[(0.0, 0.0), (-0.0, 0.0), (1.0, 1.0), (INF, INF), (NAN, NAN)],
    }));
    all
}
