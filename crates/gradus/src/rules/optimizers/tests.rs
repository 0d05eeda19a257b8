use super::*;
use crate::rules::golden::{Case, cases, close};
use serde_json::json;

fn all() -> impl Iterator<Item = Optimizer> {
    let members = Method::MEMBERS.iter();
    members.map(|m| Optimizer::from_config("", &m.class.into()).unwrap())
}

/// Steps of one weight: the weights, and the last slots.
struct Walk<'a> {
    optimizer: &'a Optimizer,
    rate: f32,
    start: f32,
    gradients: &'a dyn Fn(f32, usize) -> f32,
    steps: usize,
}

impl Visit for Walk<'_> {
    type Output = (Vec<f32>, [f32; SLOTS]);
    fn visit<R: Formula>(self, rule: &R) -> Self::Output {
        let mut w = self.start;
        let mut slots = rule.slot_start();
        let mut scalars = rule.scalars().to_vec();
        let mut weights = Vec::new();
        for step in 0..self.steps {
            let c = rule.coefficients(Clock {
                iteration: step as u64,
                learning_rate: self.rate,
                momentum: None,
                scalars: &mut scalars,
            });
            assert_eq!(c[0], self.rate, "the first coefficient is the rate");
            let g = (self.gradients)(w, step);
            if let Some(decay) = self.optimizer.weight_decay {
                w -= w * decay as f32 * self.rate;
            }
            w = rule.step(&c, w, g, &mut slots);
            weights.push(w);
        }
        (weights, slots)
    }
}

/// The numbers are those of tests/golden_rules/make.py.
#[test]
fn the_first_steps_are_keras() {
    for case in cases(include_str!("../../../tests/golden_rules/optimizers.json")) {
        let optimizer = Optimizer::from_config("", &case.config).unwrap();
        let LearningRate::Constant(rate) = optimizer.learning_rate else {
            panic!("no schedule here");
        };
        let (start, gradients) = (case.row("start"), case.rows("gradients"));
        let (weights, slots) = (case.rows("weights"), case.rows("slots"));
        assert_eq!(
            optimizer.method.slots().len(),
            slots.len(),
            "{}",
            case.config
        );
        for i in 0..start.len() {
            let (found, found_slots) = optimizer.method.visit(Walk {
                optimizer: &optimizer,
                rate: rate as f32,
                start: start[i],
                gradients: &|_, step| gradients[step][i],
                steps: gradients.len(),
            });
            for (step, found) in found.iter().enumerate() {
                close(*found, weights[step][i], 2e-6, 1e-9, &case.config);
            }
            for (slot, found) in slots.iter().zip(found_slots) {
                close(found, slot[i], 2e-6, 1e-12, &case.config);
            }
        }
    }
}

/// Every member is among the cases that Keras has computed.
#[test]
fn every_optimizer_is_compared_with_keras() {
    let cases: Vec<Case> = cases(include_str!("../../../tests/golden_rules/optimizers.json"));
    for member in Method::MEMBERS {
        assert!(
            cases.iter().any(|c| c.config["type"] == member.class),
            "{}",
            member.class
        );
    }
}

/// Every optimizer walks down a bowl, and no step is a NaN.
#[test]
fn every_optimizer_descends() {
    for optimizer in all() {
        let rate = match optimizer.method.class() {
            "Adadelta" => 1.0,
            _ => optimizer.method.default_rate() as f32 * 5.0,
        };
        let (weights, _) = optimizer.method.visit(Walk {
            optimizer: &optimizer,
            rate,
            start: 1.0,
            gradients: &|w, _| w,
            steps: 2000,
        });
        let w = weights[1999];
        assert!(w.abs() < 0.9, "{} ends at {w}", optimizer.method.class());
    }
}

/// No gradient, and a large one, make no NaN.
#[test]
fn every_step_is_finite() {
    for optimizer in all() {
        for g in [0.0, 1e-30, 1e15, -1e15] {
            let (weights, slots) = optimizer.method.visit(Walk {
                optimizer: &optimizer,
                rate: 0.001,
                start: 0.5,
                gradients: &|_, step| if step == 0 { 0.0 } else { g },
                steps: 3,
            });
            let all = weights.iter().chain(&slots);
            assert!(
                all.into_iter().all(|x| x.is_finite()),
                "{optimizer:?} at {g}"
            );
        }
    }
}

#[test]
fn every_configuration_comes_back_the_same() {
    for optimizer in all() {
        let config = optimizer.to_config();
        assert_eq!(Optimizer::from_config("", &config).unwrap(), optimizer);
        assert!(optimizer.method.slots().len() <= SLOTS);
    }
    for member in Method::MEMBERS {
        for alias in member.aliases {
            let optimizer = Optimizer::from_config("", &(*alias).into()).unwrap();
            assert_eq!(optimizer.method.class(), member.class);
        }
    }
    let full = json!({
        "type": "RMSprop", "rho": 0.8, "momentum": 0.5, "epsilon": 1e-6, "centered": true,
        "name": "mine", "learning_rate": 0.5, "weight_decay": 0.1, "clipnorm": null,
        "global_clipnorm": 1.0, "clipvalue": null, "use_ema": true, "ema_momentum": 0.9,
        "ema_overwrite_frequency": 10, "loss_scale_factor": 128.0,
        "gradient_accumulation_steps": 4
    });
    let optimizer = Optimizer::from_config("", &full).unwrap();
    assert_eq!(optimizer.to_config(), full);
    for name in ["adam", "adam_12"] {
        let config = json!({"type": "Adam", "name": name});
        let optimizer = Optimizer::from_config("", &config).unwrap();
        assert_eq!(optimizer, Optimizer::from(Adam::new()));
    }
}

#[test]
fn adamw_decays_by_default_and_others_do_not() {
    for optimizer in all() {
        let adamw = optimizer.method.class() == "AdamW";
        assert_eq!(optimizer.weight_decay, adamw.then_some(0.004));
    }
    assert_eq!(Optimizer::from(AdamW::new()).weight_decay, Some(0.004));
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    for bad in [
        json!({"type": "SGD", "momentum": 1.5}),
        json!({"type": "Adam", "beta_1": 1.0}),
        json!({"type": "AdamW", "beta_2": -0.1}),
        json!({"type": "Nadam", "epsilon": -1.0}),
        json!({"type": "RMSprop", "rho": 2.0}),
        json!({"type": "Lion", "beta_1": 0.0}),
        json!({"type": "Ftrl", "learning_rate_power": 0.5}),
        json!({"type": "Adagrad", "initial_accumulator_value": -1.0}),
        json!({"type": "Adadelta", "rho": 1.0}),
        json!({"type": "Adamax", "beta_2": 1.0}),
        json!({"type": "Adam", "ema_momentum": 1.5}),
        json!({"type": "Adam", "ema_overwrite_frequency": 0}),
        json!({"type": "Adam", "gradient_accumulation_steps": 1}),
        json!({"type": "Adam", "loss_scale_factor": 0.0}),
        json!({"type": "Adam", "weight_decay": -0.1}),
        json!({"type": "Adam", "clipnorm": 1.0, "clipvalue": 1.0}),
        json!({"type": "Adam", "no_such": 1.0}),
    ] {
        assert!(Optimizer::from_config("", &bad).is_err(), "{bad}");
    }
}
