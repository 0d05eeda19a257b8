use super::*;
use crate::base::registry::Value;
use crate::rules::golden::{cases, close};
use serde_json::json;

fn progress(step: u64, total: u64) -> Progress {
    Progress {
        iteration: step,
        step,
        total,
        per_epoch: 10,
    }
}

/// Every member with some arguments.
fn examples() -> Vec<Value> {
    let text = include_str!("../../../tests/golden_rules/schedules.json");
    let mut all: Vec<Value> = cases(text).into_iter().map(|c| c.config).collect();
    all.extend([
        json!({"type": "PowerScheduling", "initial_learning_rate": 0.1, "decay_steps": 20}),
        json!({"type": "ExponentialByEpoch", "initial_learning_rate": 0.01, "decay_epochs": 20}),
        json!({"type": "PiecewiseByEpoch", "boundaries": [5, 15], "values": [0.01, 0.005, 0.001]}),
        json!({"type": "OneCycle", "max_rate": 0.05}),
        json!({"type": "OneCycleLR", "max_lr": 0.05, "anneal_strategy": "linear"}),
    ]);
    all
}

/// The values are those of tests/golden_rules/make.py.
#[test]
fn rates_are_keras() {
    for case in cases(include_str!("../../../tests/golden_rules/schedules.json")) {
        let schedule = Schedule::from_config("", &case.config).unwrap();
        assert!(schedule.is_keras());
        for (step, want) in case.counts("steps").into_iter().zip(case.row("rates")) {
            let rate = schedule.at(progress(step as u64, 1)).rate as f32;
            let what = json!([case.config, step]);
            close(rate, want, 3e-6, 3e-8, &what);
        }
    }
}

/// The values are those of tests/golden_rules/make.py.
#[test]
fn one_cycle_lr_is_pytorchs() {
    for case in cases(include_str!("../../../tests/golden_rules/one_cycle.json")) {
        let schedule = Schedule::from_config("", &case.config).unwrap();
        let total = case.get("total").as_u64().unwrap();
        for (step, (rate, momentum)) in
            (0..).zip(case.row("rates").into_iter().zip(case.row("momenta")))
        {
            let parameters = schedule.at(progress(step, total));
            close(
                parameters.rate as f32,
                rate,
                1e-6,
                1e-12,
                &json!([case.config, step]),
            );
            close(
                parameters.momentum.unwrap() as f32,
                momentum,
                1e-6,
                0.0,
                &case.config,
            );
        }
    }
}

#[test]
fn every_schedule_is_finite_and_comes_back_the_same() {
    let examples = examples();
    for member in Schedule::MEMBERS {
        assert!(
            examples.iter().any(|e| e["type"] == member.class),
            "{}",
            member.class
        );
    }
    for example in examples {
        let schedule = Schedule::from_config("", &example).unwrap();
        let config = schedule.to_config();
        assert_eq!(Schedule::from_config("", &config).unwrap(), schedule);
        for total in [1, 2, 3, 100] {
            for step in [0, 1, 2, 50, 99, 100, 10_000, u64::from(u32::MAX)] {
                let parameters = schedule.at(progress(step, total));
                assert!(
                    parameters.rate.is_finite() && parameters.rate >= -1e-9,
                    "{example} {step} of {total}"
                );
                assert!(parameters.momentum.is_none_or(|m| (0.0..1.0).contains(&m)));
            }
        }
    }
}

/// The book's examples (chapter 11, learning rate scheduling).
#[test]
fn the_books_schedules_are_the_books() {
    let at = |config: Value, step| {
        Schedule::from_config("", &config)
            .unwrap()
            .at(progress(step, 1000))
            .rate
    };
    let power = json!({"type": "PowerScheduling", "initial_learning_rate": 0.1, "decay_steps": 20});
    assert_eq!(at(power.clone(), 0), 0.1);
    assert!((at(power.clone(), 20) - 0.1 / 2.0).abs() < 1e-12);
    assert!((at(power, 60) - 0.1 / 4.0).abs() < 1e-12);
    let power = json!({"type": "PowerScheduling", "initial_learning_rate": 0.1, "decay_steps": 20, "power": 2.0});
    assert!((at(power, 40) - 0.1 / 9.0).abs() < 1e-12);
    let exponential =
        json!({"type": "ExponentialByEpoch", "initial_learning_rate": 0.01, "decay_epochs": 20});
    assert_eq!(at(exponential.clone(), 9), 0.01);
    assert!((at(exponential.clone(), 10) - 0.01 * 0.1_f64.powf(0.05)).abs() < 1e-12);
    assert!((at(exponential, 200) - 0.001).abs() < 1e-12);
    let piecewise =
        json!({"type": "PiecewiseByEpoch", "boundaries": [5, 15], "values": [0.01, 0.005, 0.001]});
    let rates = [0, 49, 50, 149, 150, 10_000].map(|step| at(piecewise.clone(), step));
    assert_eq!(rates, [0.01, 0.01, 0.005, 0.005, 0.001, 0.001]);
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    for bad in [
        json!({"type": "ExponentialDecay", "initial_learning_rate": 0.1, "decay_steps": 0, "decay_rate": 0.5}),
        json!({"type": "ExponentialDecay", "initial_learning_rate": -0.1, "decay_steps": 1, "decay_rate": 0.5}),
        json!({"type": "InverseTimeDecay", "initial_learning_rate": 0.1, "decay_steps": 0, "decay_rate": 0.5}),
        json!({"type": "PiecewiseConstantDecay", "boundaries": [1, 2], "values": [0.1, 0.2]}),
        json!({"type": "PiecewiseConstantDecay", "boundaries": [2, 1], "values": [0.1, 0.2, 0.3]}),
        json!({"type": "PiecewiseByEpoch", "boundaries": [2, 2], "values": [0.1, 0.2, 0.3]}),
        json!({"type": "PolynomialDecay", "initial_learning_rate": 0.1, "decay_steps": 0}),
        json!({"type": "CosineDecay", "initial_learning_rate": 0.1, "decay_steps": 0}),
        json!({"type": "CosineDecayRestarts", "initial_learning_rate": 0.1, "first_decay_steps": 1, "t_mul": 0.5}),
        json!({"type": "OneCycle", "max_rate": 0}),
        json!({"type": "OneCycleLR", "max_lr": 0.1, "pct_start": 2}),
        json!({"type": "OneCycleLR", "max_lr": 0.1, "anneal_strategy": "square"}),
    ] {
        assert!(Schedule::from_config("", &bad).is_err(), "{bad}");
    }
}
