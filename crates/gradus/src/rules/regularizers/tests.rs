use super::*;
use crate::rules::golden::{cases, close};
use serde_json::json;

/// The values are those of tests/golden_rules/make.py.
#[test]
fn penalties_and_gradients_are_keras() {
    for case in cases(include_str!(
        "../../../tests/golden_rules/regularizers.json"
    )) {
        let rule = Regularizer::from_config("", &case.config).unwrap();
        let (shape, weights) = (case.counts("shape"), case.row("weights"));
        let mut gradient = vec![0.0; weights.len()];
        let penalty = rule.penalty_and_gradient(&shape, &weights, &mut gradient);
        let want = case.get("penalty").as_f64().unwrap();
        close(penalty as f32, want as f32, 2e-6, 0.0, &case.config);
        assert_eq!(rule.penalty(&shape, &weights), penalty);
        for (g, want) in gradient.iter().zip(case.row("gradient")) {
            close(*g, want, 5e-6, 1e-7, &case.config);
        }
    }
}

fn all() -> impl Iterator<Item = Regularizer> {
    let members = Regularizer::MEMBERS.iter().map(|m| match m.class {
        "L1L2" => json!({"type": "L1L2", "l1": 0.02, "l2": 0.05}),
        class => class.into(),
    });
    let columns = json!({"type": "OrthogonalRegularizer", "mode": "columns"});
    members
        .chain([columns])
        .map(|c| Regularizer::from_config("", &c).unwrap())
}

#[test]
fn every_gradient_is_the_derivative_and_is_added() {
    let weights = [0.5, -1.25, 0.3, 0.8, 1.4, -0.6_f32];
    for rule in all() {
        let mut gradient = vec![100.0; 6];
        rule.penalty_and_gradient(&[2, 3], &weights, &mut gradient);
        for i in 0..6 {
            let moved = |by: f32| {
                let mut weights = weights;
                weights[i] += by;
                rule.penalty(&[2, 3], &weights)
            };
            let want = (moved(1e-2) - moved(-1e-2)) / 2e-2;
            close(
                gradient[i] - 100.0,
                want as f32,
                2e-2,
                2e-5,
                &rule.to_config(),
            );
        }
    }
}

#[test]
fn zeros_have_no_penalty_and_no_gradient() {
    for rule in all() {
        let mut gradient = [0.0; 4];
        assert_eq!(
            rule.penalty_and_gradient(&[2, 2], &[0.0; 4], &mut gradient),
            0.0
        );
        assert_eq!(gradient, [0.0; 4], "{rule:?}");
    }
}

#[test]
fn orthogonal_vectors_have_no_penalty_and_parallel_ones_the_factor() {
    let rule: Regularizer = OrthogonalRegularizer::default().into();
    assert_eq!(rule.penalty(&[2, 2], &[1.0, 0.0, 0.0, 3.0]), 0.0);
    assert!((rule.penalty(&[2, 2], &[1.0, 2.0, -2.0, -4.0]) - 0.01).abs() < 1e-9);
    assert!(rule.check_shape(&[2, 2]).is_ok());
    assert!(rule.check_shape(&[2]).is_err());
    assert!(Regularizer::from(L2::new(0.1)).check_shape(&[2]).is_ok());
}

#[test]
fn every_configuration_comes_back_the_same() {
    for rule in all() {
        assert_eq!(
            Regularizer::from_config("", &rule.to_config()).unwrap(),
            rule
        );
    }
    for member in Regularizer::MEMBERS {
        for alias in member.aliases {
            let rule = Regularizer::from_config("", &(*alias).into()).unwrap();
            assert_eq!(rule.class(), member.class);
        }
    }
    for bad in [
        json!({"type": "L1", "l1": -0.1}),
        json!({"type": "L2", "l2": -0.1}),
        json!({"type": "L1L2", "l1": 0.1, "l2": -0.1}),
        json!({"type": "OrthogonalRegularizer", "factor": -1.0}),
        json!({"type": "OrthogonalRegularizer", "mode": "diagonals"}),
    ] {
        assert!(Regularizer::from_config("", &bad).is_err(), "{bad}");
    }
}
