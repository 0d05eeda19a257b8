use super::*;
use crate::rules::golden::{cases, close};
use serde_json::json;

/// The values are those of tests/golden_rules/make.py.
#[test]
fn weights_become_what_keras_makes_of_them() {
    for case in cases(include_str!("../../../tests/golden_rules/constraints.json")) {
        let rule = Constraint::from_config("", &case.config).unwrap();
        let (shape, mut weights) = (case.counts("shape"), case.row("before"));
        assert!(rule.check_shape(&shape).is_ok());
        rule.apply(&shape, &mut weights);
        for (w, want) in weights.iter().zip(case.row("after")) {
            close(*w, want, 5e-7, 0.0, &json!([case.config, shape]));
        }
    }
}

fn all() -> impl Iterator<Item = Constraint> {
    let members = Constraint::MEMBERS.iter();
    members.map(|m| Constraint::from_config("", &m.class.into()).unwrap())
}

/// A second application changes next to nothing.
#[test]
fn what_is_constrained_stays() {
    for rule in all() {
        let mut once = [3.0, -4.0, 0.5, -0.25, 6.0, 0.0_f32];
        rule.apply(&[3, 2], &mut once);
        let mut twice = once;
        rule.apply(&[3, 2], &mut twice);
        for (a, b) in once.iter().zip(&twice) {
            close(*b, *a, 1e-6, 0.0, &rule.to_config());
        }
    }
}

#[test]
fn zeros_stay_zeros() {
    for rule in all() {
        let mut weights = [0.0; 6];
        rule.apply(&[3, 2], &mut weights);
        assert_eq!(weights, [0.0; 6], "{rule:?}");
    }
}

#[test]
fn the_norm_of_each_unit_is_kept_to() {
    let mut weights = [3.0, 0.1, 4.0, 0.2_f32];
    Constraint::from(MaxNorm::new(1.0)).apply(&[2, 2], &mut weights);
    for (w, want) in weights.iter().zip([0.6, 0.1, 0.8, 0.2]) {
        close(*w, want, 1e-6, 0.0, &"max norm".into());
    }
}

#[test]
fn axes_that_are_not_there_are_refused() {
    let rule = |axis| Constraint::from(UnitNorm { axis });
    assert!(rule(Axes::One(1)).check_shape(&[5]).is_err());
    assert!(rule(Axes::One(-3)).check_shape(&[5, 2]).is_err());
    assert!(
        rule(Axes::Several(vec![0, 2]))
            .check_shape(&[5, 2])
            .is_err()
    );
    assert!(
        rule(Axes::Several(vec![0, -1]))
            .check_shape(&[5, 2])
            .is_ok()
    );
    assert!(Constraint::from(NonNeg {}).check_shape(&[]).is_ok());
}

#[test]
fn every_configuration_comes_back_the_same() {
    for rule in all() {
        assert_eq!(
            Constraint::from_config("", &rule.to_config()).unwrap(),
            rule
        );
    }
    let several = json!({"type": "MaxNorm", "max_value": 1.0, "axis": [0, 1]});
    let rule = Constraint::from_config("", &several).unwrap();
    assert_eq!(rule.to_config(), several);
    for member in Constraint::MEMBERS {
        for alias in member.aliases {
            let rule = Constraint::from_config("", &(*alias).into()).unwrap();
            assert_eq!(rule.class(), member.class);
        }
    }
    for bad in [
        json!({"type": "MaxNorm", "max_value": -1.0}),
        json!({"type": "MinMaxNorm", "min_value": 2.0}),
        json!({"type": "MinMaxNorm", "rate": 1.5}),
        json!({"type": "UnitNorm", "axis": "rows"}),
    ] {
        assert!(Constraint::from_config("", &bad).is_err(), "{bad}");
    }
}
