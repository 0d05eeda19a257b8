//! Tests of every activation against double precision.

use super::*;
use crate::base::math::truth::distribution;
use crate::base::registry::Value;
use serde_json::json;

type Truth = Box<dyn Fn(f64) -> f64>;

fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// The function of a configuration in double precision, and the points where its derivative jumps.
fn truth(config: &Value) -> (Truth, Vec<f64>) {
    let class = config["type"].as_str().unwrap();
    let number = |key: &str| f64::from(config[key].as_f64().unwrap() as f32);
    let boxed = |f: fn(f64) -> f64| Box::new(f) as Truth;
    match class {
        "Linear" => (boxed(|x| x), vec![]),
        "Celu" => {
            let a = number("alpha");
            (
                Box::new(move |x| x.max(0.0) + a * (x.min(0.0) / a).exp_m1()),
                vec![],
            )
        }
        "Elu" => {
            let a = number("alpha");
            (
                Box::new(move |x| if x > 0.0 { x } else { a * x.exp_m1() }),
                vec![0.0],
            )
        }
        "Exponential" => (boxed(f64::exp), vec![]),
        "Gelu" if config["approximate"] == true => {
            let f = |x: f64| {
                x * sigmoid(2.0 * (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3)))
            };
            (boxed(f), vec![])
        }
        "Gelu" => (boxed(|x| x * distribution(x)), vec![]),
        "LeakyRelu" => {
            let s = number("negative_slope");
            (
                Box::new(move |x| if x > 0.0 { x } else { s * x }),
                vec![0.0],
            )
        }
        "GeneralRelu" => {
            let (s, t) = (number("negative_slope"), number("threshold"));
            let m = config["max_value"].as_f64().unwrap_or(f64::INFINITY);
            let f = move |x: f64| if x > t { x.min(m) } else { s * (x - t) };
            (Box::new(f), vec![t, m])
        }
        "HardShrink" => {
            let t = number("threshold");
            (
                Box::new(move |x: f64| if x.abs() > t { x } else { 0.0 }),
                vec![-t, t],
            )
        }
        "SoftShrink" => {
            let t = number("threshold");
            let f = move |x: f64| x.signum() * (x.abs() - t).max(0.0);
            (Box::new(f), vec![-t, t])
        }
        "TanhShrink" => (boxed(|x| x - x.tanh()), vec![]),
        "HardSigmoid" => (
            boxed(|x| ((x + 3.0) / 6.0).clamp(0.0, 1.0)),
            vec![-3.0, 3.0],
        ),
        "HardSilu" => (
            boxed(|x| x * ((x + 3.0) / 6.0).clamp(0.0, 1.0)),
            vec![-3.0, 3.0],
        ),
        "HardTanh" => (boxed(|x| x.clamp(-1.0, 1.0)), vec![-1.0, 1.0]),
        "LogSigmoid" => (boxed(|x| -softplus(-x)), vec![]),
        "Mish" => (boxed(|x| x * softplus(x).tanh()), vec![]),
        "Relu" => (boxed(|x| x.max(0.0)), vec![0.0]),
        "Relu6" => (boxed(|x| x.clamp(0.0, 6.0)), vec![0.0, 6.0]),
        "Selu" => {
            let f = |x: f64| {
                1.0507009873554805
                    * if x > 0.0 {
                        x
                    } else {
                        1.6732632423543772 * x.exp_m1()
                    }
            };
            (boxed(f), vec![0.0])
        }
        "Sigmoid" => (boxed(sigmoid), vec![]),
        "Silu" => (boxed(|x| x * sigmoid(x)), vec![]),
        "Softplus" => (boxed(softplus), vec![]),
        "Softsign" => (boxed(|x| x / (1.0 + x.abs())), vec![]),
        "SparsePlus" => {
            let f = |x: f64| {
                if x < 1.0 {
                    (x + 1.0).max(0.0).powi(2) / 4.0
                } else {
                    x
                }
            };
            (boxed(f), vec![-1.0, 1.0])
        }
        "SparseSigmoid" => (
            boxed(|x| ((x + 1.0) / 2.0).clamp(0.0, 1.0)),
            vec![-1.0, 1.0],
        ),
        "Squareplus" => {
            let b = number("b");
            let f = move |x: f64| {
                let root = x.hypot(b.sqrt());
                if x < 0.0 {
                    b / 2.0 / (root - x)
                } else {
                    (x + root) / 2.0
                }
            };
            (Box::new(f), vec![])
        }
        "Tanh" => (boxed(f64::tanh), vec![]),
        "Threshold" => {
            let (t, v) = (number("threshold"), number("default_value"));
            (Box::new(move |x| if x > t { x } else { v }), vec![t])
        }
        _ => panic!("no truth is written down for {class}"),
    }
}

/// Each member with its default arguments, and some with others.
fn cases() -> Vec<Activation> {
    let others = [
        json!({"type": "Celu", "alpha": 0.5}),
        json!({"type": "Elu", "alpha": 0.25}),
        json!({"type": "Gelu", "approximate": true}),
        json!({"type": "LeakyRelu", "negative_slope": 0.01}),
        json!({"type": "GeneralRelu", "negative_slope": 0.1, "max_value": 4.0, "threshold": 0.5}),
        json!({"type": "GeneralRelu", "negative_slope": 0.3, "max_value": 2.0}),
        json!({"type": "HardShrink", "threshold": 1.5}),
        json!({"type": "SoftShrink", "threshold": 0.0}),
        json!({"type": "Squareplus", "b": 0.01}),
        json!({"type": "Threshold", "threshold": 0.5, "default_value": -2.0}),
    ];
    let members = Activation::MEMBERS.iter().map(|m| m.class);
    let mut all: Vec<_> = members
        .filter(|class| *class != "Threshold")
        .map(|class| Activation::from_config("", &class.into()).unwrap())
        .collect();
    all.extend(
        others
            .iter()
            .map(|o| Activation::from_config("", o).unwrap()),
    );
    all
}

struct At(f32);
impl Visit for At {
    type Output = (f32, f32);
    fn visit<R: ActivationFormula>(self, rule: &R) -> (f32, f32) {
        let y = rule.value(self.0);
        // A rule that does not use x gets a meaningless one.
        let x = if R::DERIVATIVE_USES_INPUT {
            self.0
        } else {
            f32::NAN
        };
        (y, rule.derivative(x, y))
    }
}

fn grid() -> impl Iterator<Item = f32> {
    let fine = (-4000..=4000).map(|i| i as f32 * 0.005 + 0.001_3);
    let wide = (0..280).flat_map(|i| {
        let x = 1.36_f32.powi(i - 140);
        [x, -x]
    });
    fine.chain(wide).chain([0.0, f32::MAX, f32::MIN])
}

#[test]
fn every_value_is_the_formulas() {
    for activation in cases() {
        if activation.form() != Form::Element {
            continue;
        }
        let (f, _) = truth(&activation.to_config());
        for x in grid() {
            let (y, _) = activation.visit(At(x));
            let want = f(f64::from(x));
            if want.abs() > f64::from(f32::MAX) {
                continue;
            }
            // A difference of two nearly equal values is only as exact as these.
            let scale = match activation.class() {
                "TanhShrink" => f64::from(x.abs()).max(want.abs()),
                // The argument of e^x is rounded three times.
                "Gelu" => want.abs() * (1.0 + f64::from(x).powi(2).min(200.0)),
                "GeneralRelu" | "SoftShrink" | "SparsePlus" | "SparseSigmoid" | "HardSigmoid"
                | "HardSilu" => want.abs() + 1.0,
                "Celu" => want.abs() * 2.0,
                _ => want.abs(),
            };
            let bound = 5.0 * f64::from(f32::EPSILON) * scale + 1e-37;
            let error = (f64::from(y) - want).abs();
            assert!(error <= bound, "{activation:?} at {x}: {y} for {want}");
        }
    }
}

#[test]
fn every_slope_is_the_derivative_and_finite() {
    for activation in cases() {
        if activation.form() != Form::Element {
            continue;
        }
        let (f, jumps) = truth(&activation.to_config());
        for x in grid() {
            let (y, slope) = activation.visit(At(x));
            if !y.is_finite() {
                assert!(
                    f(f64::from(x)) > f64::from(f32::MAX),
                    "{activation:?} at {x}"
                );
                continue;
            }
            assert!(slope.is_finite(), "{activation:?} has slope {slope} at {x}");
            let x = f64::from(x);
            let h = 1e-5 * x.abs().max(0.1);
            if jumps.iter().any(|jump| (x - jump).abs() <= 2.0 * h) {
                continue;
            }
            let want = (f(x + h) - f(x - h)) / (2.0 * h);
            let want = if want.is_finite() { want } else { continue };
            let bound = 1e-6 + 2e-6 * want.abs() + 1e-10 * f(x).abs() / h;
            let error = (f64::from(slope) - want).abs();
            assert!(error <= bound, "{activation:?} at {x}: {slope} for {want}");
        }
    }
}

#[test]
fn every_configuration_comes_back_the_same() {
    for activation in cases() {
        let config = activation.to_config();
        assert_eq!(Activation::from_config("", &config).unwrap(), activation);
        let short = serde_json::to_value(&activation).unwrap();
        assert_eq!(Activation::from_config("", &short).unwrap(), activation);
    }
    for member in Activation::MEMBERS {
        for alias in member.aliases.iter().filter(|a| **a != "threshold") {
            let activation = Activation::from_config("", &(*alias).into()).unwrap();
            assert_eq!(activation.class(), member.class);
        }
    }
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    for bad in [
        json!({"type": "Celu", "alpha": 0.0}),
        json!({"type": "Elu", "alpha": -1.0}),
        json!({"type": "LeakyRelu", "negative_slope": -0.1}),
        json!({"type": "GeneralRelu", "max_value": -1.0}),
        json!({"type": "GeneralRelu", "threshold": -1.0}),
        json!({"type": "Squareplus", "b": 0.0}),
        json!({"type": "SoftShrink", "threshold": -0.5}),
        json!("threshold"),
    ] {
        assert!(Activation::from_config("", &bad).is_err(), "{bad}");
    }
}

#[test]
fn relu_with_arguments_is_the_simplest_rule() {
    assert_eq!(relu(0.0, None, 0.0), Activation::Relu);
    assert_eq!(relu(0.0, Some(6.0), 0.0), Activation::Relu6);
    assert_eq!(relu(0.2, None, 0.0), Activation::LeakyRelu);
    assert_eq!(relu(0.2, None, 1.0).class(), "GeneralRelu");
    // Keras: relu([-2, 0.5, 3, 9], negative_slope=0.1, max_value=4, threshold=1).
    let general = relu(0.1, Some(4.0), 1.0);
    let values = [-2.0, 0.5, 3.0, 9.0].map(|x| general.visit(At(x)).0);
    assert_eq!(values, [-0.3, -0.05, 3.0, 4.0]);
}

#[test]
fn an_activation_has_its_nature_from_its_values() {
    let of = |nature| {
        let usual = Activation::MEMBERS.iter().filter_map(|m| m.aliases.first());
        let all = usual.filter_map(|a| Activation::from_config("", &(*a).into()).ok());
        let such = all.filter(|a| a.nature() == nature);
        such.map(|a| a.class().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(of(Nature::Linear), ["Linear"]);
    let rectifiers = [
        "Celu",
        "Relu6",
        "Elu",
        "Gelu",
        "LeakyRelu",
        "Mish",
        "Relu",
        "Silu",
        "HardSilu",
        "Softplus",
        "SparsePlus",
        "Squareplus",
    ];
    assert_eq!(of(Nature::Rectifier), rectifiers);
    assert_eq!(of(Nature::SelfNormalizing), ["Selu"]);
    let saturating = [
        "HardTanh",
        "HardSigmoid",
        "SparseSigmoid",
        "Sigmoid",
        "Softsign",
        "Tanh",
    ];
    assert_eq!(of(Nature::Saturating), saturating);
    assert_eq!(of(Nature::Shares), ["Softmax", "LogSoftmax"]);
    assert_eq!(Activation::Sigmoid.range(), (0.0, 1.0));
    assert_eq!(Activation::Elu.range(), (-1.0, f64::INFINITY));
    assert_eq!(Activation::Softsign.range(), (-0.98, 0.98));
    let dies = |a: Activation| a.dies();
    assert!(dies(Activation::Relu) && dies(Activation::Relu6));
    assert!(!dies(Activation::LeakyRelu) && !dies(Activation::Gelu) && !dies(Activation::Sigmoid));
}
