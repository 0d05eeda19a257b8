//! Functions of single numbers: they are known by their values, so that it does not matter how a
//! file composes them.

use super::super::messages::Node;
use super::network::{attribute, float};
use crate::base::math;
use crate::rules::activations::{
    self, Activation, ActivationFormula, Celu, Elu, Form, Gelu, LeakyRelu, SoftShrink, Visit,
};

/// The values of a function at [`points`].
pub(super) type Samples = Vec<f64>;

/// Difference of values, relative to those above 1, up to which functions are one.
const SAME: f64 = 3e-6;

/// The activations to try first; the others follow in the registry's order.
const FIRST: &[&str] = &[
    "linear",
    "relu",
    "elu",
    "selu",
    "sigmoid",
    "tanh",
    "softplus",
    "softsign",
    "silu",
    "gelu",
    "relu6",
    "leaky_relu",
];

/// The numbers at which functions are compared: many around 0, some far off, none where a
/// function may have a corner.
pub(super) fn points() -> Samples {
    let near = (-100..=100).map(|n| (f64::from(n) + 0.37) * 0.13);
    let far = [20.3, 33.7, 88.1, 101.3, 1003.1]
        .into_iter()
        .flat_map(|x| [x, -x]);
    // Single precision holds them, in which activations are computed.
    near.chain(far).map(|x| f64::from(x as f32)).collect()
}

/// The activations that are functions of single numbers, with their values.
pub(super) struct Known(Vec<(Activation, Samples)>);

impl Known {
    pub fn new() -> Self {
        let by_name = |name: &str| Activation::from_config("", &name.into()).ok();
        let first = FIRST.iter().filter_map(|name| by_name(name));
        let names = Activation::MEMBERS
            .iter()
            .flat_map(|member| member.aliases.first());
        let approximate = Gelu { approximate: true }.into();
        let all = first
            .chain(names.filter_map(|name| by_name(name)))
            .chain([approximate]);
        let all = all.filter(|rule| rule.form() == Form::Element);
        Known(all.map(|rule| (rule.clone(), samples_of(&rule))).collect())
    }

    /// The activation with these values: one with its usual arguments, or with those that values
    /// far off tell.
    pub fn find(&self, samples: &[f64]) -> Option<Activation> {
        let found = self.0.iter().find(|(_, known)| are_same(samples, known));
        if let Some((rule, _)) = found {
            return Some(rule.clone());
        }
        let (points, last) = (points(), samples.len().checked_sub(1)?);
        let (highest, lowest) = (samples[last - 1], samples[last]);
        let guesses: [Activation; 5] = [
            LeakyRelu {
                negative_slope: lowest / points[last],
            }
            .into(),
            Elu { alpha: -lowest }.into(),
            Celu { alpha: -lowest }.into(),
            activations::relu(0.0, Some(highest), 0.0),
            SoftShrink {
                threshold: points[last - 1] - highest,
            }
            .into(),
        ];
        let fits = |rule: &Activation| rule.check().is_ok() && are_same(samples, &samples_of(rule));
        guesses.into_iter().find(fits)
    }
}

/// An activation's values.
pub(super) fn samples_of(rule: &Activation) -> Samples {
    struct At(f32);
    impl Visit for At {
        type Output = f64;
        fn visit<R: ActivationFormula>(self, rule: &R) -> f64 {
            rule.value(self.0).into()
        }
    }
    points()
        .into_iter()
        .map(|x| rule.visit(At(x as f32)))
        .collect()
}

/// True if values are the same, to single precision. A formula of a file may overflow where the
/// function does not.
pub(super) fn are_same(a: &[f64], b: &[f64]) -> bool {
    let size = b
        .iter()
        .fold(0.0, |size: f64, b| size.max(b.abs()))
        .min(1.0);
    let beyond = |x: f64| x.abs() > f32::MAX.into();
    let same = |(&a, &b): (&f64, &f64)| {
        (a - b).abs() <= SAME * b.abs().max(size)
            || beyond(a) && beyond(b) && (a > 0.0) == (b > 0.0)
            || !a.is_finite() && b.abs() > 80.0
    };
    a.iter().zip(b).all(same)
}

/// Factor and shift of values that are on a line.
pub(super) fn line(samples: &[f64]) -> Option<(f64, f64)> {
    let points = points();
    // The last two are a number far off, and its negative.
    let (&[.., x, _], &[.., a, b]) = (&points[..], samples) else {
        return None;
    };
    let (factor, shift) = ((a - b) / (2.0 * x), (a + b) / 2.0);
    let on_it: Samples = points.iter().map(|x| factor * x + shift).collect();
    (factor.is_finite() && are_same(samples, &on_it)).then_some((factor, shift))
}

/// The value of an operator of single numbers; `None` of others.
pub(super) fn value(node: &Node, args: &[f64]) -> Option<f64> {
    let number = |name: &str, default: f64| float(node, name, default);
    let x = *args.first()?;
    let truth = |is: bool| if is { 1.0 } else { 0.0 };
    Some(match (&*node.op_type, args) {
        ("Identity" | "Cast", [_]) => x,
        ("Relu", [_]) => x.max(0.0),
        ("LeakyRelu", [_]) => {
            if x < 0.0 {
                x * number("alpha", 0.01)
            } else {
                x
            }
        }
        ("Elu", [_]) => {
            if x < 0.0 {
                number("alpha", 1.0) * x.exp_m1()
            } else {
                x
            }
        }
        ("Celu", [_]) => {
            let alpha = number("alpha", 1.0);
            x.max(0.0) + (alpha * (x / alpha).exp_m1()).min(0.0)
        }
        ("Selu", [_]) => {
            let alpha = number("alpha", 1.673_263_242_354_377_2);
            number("gamma", 1.050_700_987_355_480_5) * if x < 0.0 { alpha * x.exp_m1() } else { x }
        }
        ("Sigmoid", [_]) => sigmoid(x),
        ("HardSigmoid", [_]) => (number("alpha", 0.2) * x + number("beta", 0.5)).clamp(0.0, 1.0),
        ("HardSwish", [_]) => x * (x / 6.0 + 0.5).clamp(0.0, 1.0),
        ("Swish", [_]) => x * sigmoid(number("alpha", 1.0) * x),
        ("Mish", [_]) => x * softplus(x).tanh(),
        ("Tanh", [_]) => x.tanh(),
        ("Softplus", [_]) => softplus(x),
        ("Softsign", [_]) => x / (1.0 + x.abs()),
        ("ThresholdedRelu", [_]) => {
            if x > number("alpha", 1.0) {
                x
            } else {
                0.0
            }
        }
        ("Shrink", [_]) => {
            let (lambd, bias) = (number("lambd", 0.5), number("bias", 0.0));
            if x < -lambd {
                x + bias
            } else if x > lambd {
                x - bias
            } else {
                0.0
            }
        }
        ("Gelu", [_]) => {
            let text = attribute(node, "approximate").and_then(|a| a.s.as_deref());
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x * x * x);
            match text {
                Some(b"tanh") => 0.5 * x * (1.0 + inner.tanh()),
                _ => 0.5 * x * (1.0 + erf(x * std::f64::consts::FRAC_1_SQRT_2)),
            }
        }
        ("Erf", [_]) => erf(x),
        ("Exp", [_]) => x.exp(),
        ("Log", [_]) => x.ln(),
        ("Sqrt", [_]) => x.sqrt(),
        ("Abs", [_]) => x.abs(),
        ("Neg", [_]) => -x,
        ("Reciprocal", [_]) => 1.0 / x,
        ("Clip", [_]) => {
            let (low, high) = (
                number("min", f64::NEG_INFINITY),
                number("max", f64::INFINITY),
            );
            x.max(low).min(high)
        }
        ("Clip", [_, low]) => x.max(*low),
        ("Clip", [_, low, high]) => x.max(*low).min(*high),
        ("Add" | "Sum", [_, y]) => x + y,
        ("Sub", [_, y]) => x - y,
        ("Mul", [_, y]) => x * y,
        ("Div", [_, y]) => x / y,
        ("Pow", [_, y]) => x.powf(*y),
        ("Greater", [_, y]) => truth(x > *y),
        ("GreaterOrEqual", [_, y]) => truth(x >= *y),
        ("Less", [_, y]) => truth(x < *y),
        ("LessOrEqual", [_, y]) => truth(x <= *y),
        ("Where", [_, y, z]) => {
            if x == 0.0 {
                *z
            } else {
                *y
            }
        }
        ("Max", [_, y]) => x.max(*y),
        ("Min", [_, y]) => x.min(*y),
        _ => return None,
    })
}

/// True of an operator that [`value`] knows.
pub(super) fn is_function(node: &Node) -> bool {
    (1..=3).any(|n| value(node, &[0.5; 3][..n]).is_some())
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// The error function, to single precision.
fn erf(x: f64) -> f64 {
    let (below, _) = math::normal((x * std::f64::consts::SQRT_2) as f32);
    2.0 * f64::from(below) - 1.0
}
