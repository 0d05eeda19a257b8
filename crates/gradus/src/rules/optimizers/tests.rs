use super::*;
use crate::rules::golden::{Case, cases, close};
use serde_json::json;

fn all() -> impl Iterator<Item = Optimizer> {
    let members = Method::MEMBERS.iter();
    members.map(|m| Optimizer::from_config("", &m.class.into()).unwrap())
}

/// Steps of one variable: the weights after each, and the last slots.
struct Walk<'a> {
    optimizer: &'a Optimizer,
    rate: f32,
    shape: &'a [usize],
    start: &'a [f32],
    gradients: &'a dyn Fn(f32, usize, usize) -> f32,
    steps: usize,
}

impl Visit for Walk<'_> {
    type Output = (Vec<Vec<f32>>, Vec<Vec<f32>>);
    fn visit<R: OptimizerFormula>(self, rule: &R) -> Self::Output {
        let movement = self.optimizer.movement("dense", "kernel", self.shape);
        let mut w = self.start.to_vec();
        let mut slots: Vec<_> = rule.slot_start().map(|s| vec![s; w.len()]).into();
        slots.truncate(movement.slots.len());
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
            let gradient = w.iter().enumerate();
            let gradient: Vec<f32> = gradient
                .map(|(i, &w)| (self.gradients)(w, step, i))
                .collect();
            for w in &mut w {
                *w -= *w * movement.decay * self.rate;
            }
            if movement.whole {
                let mut kept: [&mut [f32]; SLOTS] = Default::default();
                for (kept, slot) in kept.iter_mut().zip(&mut slots) {
                    *kept = slot;
                }
                rule.step_whole(
                    &c,
                    Whole {
                        shape: self.shape,
                        w: &mut w,
                        gradient: &gradient,
                        slots: kept,
                        scratch: &mut vec![f32::NAN; rule.scratch(self.shape)],
                    },
                );
            } else {
                for (i, w) in w.iter_mut().enumerate() {
                    let mut own = [0.0; SLOTS];
                    for (own, slot) in own.iter_mut().zip(&slots) {
                        *own = slot[i];
                    }
                    *w = rule.step(&c, *w, gradient[i], &mut own);
                    for (own, slot) in own.iter().zip(&mut slots) {
                        slot[i] = *own;
                    }
                }
            }
            weights.push(w.clone());
        }
        (weights, slots)
    }
}

/// The values are those of tests/golden_rules/make.py.
#[test]
fn the_first_steps_are_keras() {
    for case in cases(include_str!("../../../tests/golden_rules/optimizers.json")) {
        let optimizer = Optimizer::from_config("", &case.config).unwrap();
        let LearningRate::Constant(rate) = optimizer.learning_rate else {
            panic!("no schedule here");
        };
        let gradients = case.rows("gradients");
        let (found, found_slots) = optimizer.method.visit(Walk {
            optimizer: &optimizer,
            rate: rate as f32,
            shape: &case.counts("shape"),
            start: &case.row("start"),
            gradients: &|_, step, i| gradients[step][i],
            steps: gradients.len(),
        });
        for (found, want) in found.iter().zip(case.rows("weights")) {
            for (found, want) in found.iter().zip(want) {
                close(*found, want, 2e-6, 1e-9, &case.config);
            }
        }
        let slots = case.rows("slots");
        assert_eq!(found_slots.len(), slots.len(), "{}", case.config);
        for (found, want) in found_slots.iter().flatten().zip(slots.iter().flatten()) {
            close(*found, *want, 2e-6, 1e-12, &case.config);
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

/// Every optimizer descends a quadratic bowl, as a vector and as a matrix.
#[test]
fn every_optimizer_descends() {
    for (optimizer, shape) in all().flat_map(|o| [(o.clone(), vec![2]), (o, vec![2, 1])]) {
        let rate = match optimizer.method.class() {
            "Adadelta" => 1.0,
            _ => optimizer.method.default_rate() as f32 * 5.0,
        };
        let (weights, _) = optimizer.method.visit(Walk {
            optimizer: &optimizer,
            rate,
            shape: &shape,
            start: &[1.0, -1.0],
            gradients: &|w, _, _| w,
            steps: 2000,
        });
        for w in &weights[1999] {
            assert!(w.abs() < 0.9, "{} ends at {w}", optimizer.method.class());
        }
    }
}

/// A zero gradient, and a large one, give no NaN.
#[test]
fn every_step_is_finite() {
    for (optimizer, shape) in all().flat_map(|o| [(o.clone(), vec![1]), (o, vec![1, 1])]) {
        for g in [0.0, 1e-30, 1e15, -1e15] {
            let (weights, slots) = optimizer.method.visit(Walk {
                optimizer: &optimizer,
                rate: 0.001,
                shape: &shape,
                start: &[0.5],
                gradients: &|_, step, _| if step == 0 { 0.0 } else { g },
                steps: 3,
            });
            let all = weights.iter().chain(&slots).flatten();
            assert!(
                all.into_iter().all(|x| x.is_finite()),
                "{optimizer:?} at {g}"
            );
        }
    }
}

/// The default update of a whole variable equals that of each element.
#[test]
fn a_whole_variable_moves_as_its_numbers() {
    let rule = Adam::default();
    let c = [0.1, 0.1, 0.1, 0.01, 1e-7, 0.0];
    let (mut w, gradient) = ([1.0, 2.0], [0.5, -3.0]);
    let (mut m, mut v) = ([0.1, 0.2], [0.3, 0.4]);
    let mut numbers = Vec::new();
    for i in 0..2 {
        let mut slots = [m[i], v[i], 0.0];
        let w = rule.step(&c, w[i], gradient[i], &mut slots);
        numbers.push([w, slots[0], slots[1]]);
    }
    rule.step_whole(
        &c,
        Whole {
            shape: &[2],
            w: &mut w,
            gradient: &gradient,
            slots: [&mut m, &mut v, &mut []],
            scratch: &mut [],
        },
    );
    assert_eq!([[w[0], m[0], v[0]], [w[1], m[1], v[1]]].to_vec(), numbers);
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
fn adamw_and_muon_decay_by_default_and_others_do_not() {
    for optimizer in all() {
        let decays = ["AdamW", "Muon"].contains(&optimizer.method.class());
        assert_eq!(optimizer.weight_decay, decays.then_some(0.004));
    }
    assert_eq!(AdamW::new().weight_decay, Some(0.004));
    // No weight decay in the file means none.
    let none = json!({"type": "Muon", "weight_decay": null, "adam_weight_decay": null});
    let none = Optimizer::from_config("", &none).unwrap();
    assert_eq!(none.movement("dense", "kernel", &[2, 2]).decay, 0.0);
    assert_eq!(none.movement("dense", "bias", &[2]).decay, 0.0);
}

#[test]
fn muon_leaves_to_adam_what_is_no_matrix_or_excluded() {
    let muon = json!({"type": "Muon", "exclude_layers": ["dense_1"], "weight_decay": 0.5,
        "adam_weight_decay": 0.25, "exclude_from_weight_decay": ["bias"]});
    let muon = Optimizer::from_config("", &muon).unwrap().use_ema(0.9);
    let matrix = muon.movement("dense", "kernel", &[3, 2]);
    assert!(matrix.whole);
    assert_eq!((matrix.slots, matrix.decay), (vec![0, 2], 0.5));
    for (layer, name, shape, decay) in [
        ("dense", "bias", &[2][..], 0.0),
        ("dense_1", "kernel", &[2, 2], 0.25),
        ("Embedding", "embeddings", &[2, 2], 0.25),
        ("prelu", "alpha", &[2, 2, 2], 0.25),
    ] {
        let movement = muon.movement(layer, name, shape);
        assert!(!movement.whole, "{layer}");
        assert_eq!((movement.slots, movement.decay), (vec![0, 1, 2], decay));
    }
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
        json!({"type": "Lamb", "beta_2": 1.0}),
        json!({"type": "Muon", "momentum": 2.0}),
        json!({"type": "Muon", "exclude_layers": ["dense_[12]"]}),
        json!({"type": "Muon", "ns_steps": -1}),
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
