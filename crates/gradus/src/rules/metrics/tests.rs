use super::*;
use crate::base::registry::Value;
use crate::rules::golden::{Case, cases, close};
use serde_json::json;

fn golden() -> Vec<Case> {
    cases(include_str!("../../../tests/golden_rules/metrics.json"))
}

/// A metric of these rows, in batches of this size.
fn measure(metric: &Metric, targets: &[Vec<f32>], outputs: &[Vec<f32>], batch: usize) -> f64 {
    let width = outputs[0].len();
    let mut gathered = metric.start(width);
    for (targets, outputs) in targets.chunks(batch).zip(outputs.chunks(batch)) {
        let batch = Batch {
            targets: &targets.concat(),
            outputs: &outputs.concat(),
            width,
            target_width: targets[0].len(),
            weights: &[],
        };
        metric.add(batch, &mut gathered);
    }
    metric.result(&gathered)
}

/// The values are those of tests/golden_rules/make.py.
#[test]
fn results_are_keras_in_batches_of_any_size() {
    for case in golden() {
        let metric = Metric::from_config("", &case.config).unwrap();
        let (targets, outputs) = (case.rows("targets"), case.rows("outputs"));
        let want = case.get("result").as_f64().unwrap_or(f64::NAN) as f32;
        for batch in [10, 7, 100] {
            let found = measure(&metric, &targets, &outputs, batch) as f32;
            if want.is_nan() {
                assert!(found.is_nan(), "{}: {found} for NaN", case.config);
                continue;
            }
            close(found, want, 1e-5, 1e-6, &case.config);
        }
    }
}

/// As Keras, whose `R2Score` is NaN then.
#[test]
fn rows_that_all_weigh_nothing_give_0() {
    for member in Metric::MEMBERS {
        let metric = Metric::from_config("", &member.class.into()).unwrap();
        let metric = metric.resolve(&Loss::MeanSquaredError, 1);
        let mut gathered = metric.start(1);
        let batch = Batch {
            targets: &[1.0, 0.0],
            outputs: &[0.25, 0.5],
            width: 1,
            target_width: 1,
            weights: &[0.0, 0.0],
        };
        metric.add(batch, &mut gathered);
        let found = metric.result(&gathered);
        match member.class {
            "R2Score" => assert!(found.is_nan()),
            class => assert_eq!(found, 0.0, "{class}"),
        }
    }
}

#[test]
fn names_are_keras() {
    for case in golden() {
        let metric = Metric::from_config("", &case.config).unwrap();
        let name = case.get("name").as_str().unwrap();
        // Keras appends numbers to class names: precision_3.
        let bare = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let bare = bare.strip_suffix('_').unwrap_or(name);
        assert_eq!(metric.name(), bare);
    }
}

#[test]
fn every_metric_is_compared_with_keras() {
    for member in Metric::MEMBERS {
        let found = golden().iter().any(|c| c.config["type"] == member.class);
        // The two that stand for others.
        let stands = ["Accuracy", "Crossentropy"].contains(&member.class);
        assert!(found != stands, "{}", member.class);
    }
}

#[test]
fn accuracy_and_crossentropy_stand_for_what_the_targets_are() {
    let cases = [
        (
            Loss::SparseCategoricalCrossentropy,
            3,
            Metric::SparseCategoricalAccuracy,
            Metric::SparseCategoricalCrossentropy,
        ),
        (
            Loss::CategoricalCrossentropy,
            3,
            Metric::CategoricalAccuracy,
            Metric::CategoricalCrossentropy,
        ),
        (
            Loss::BinaryCrossentropy,
            1,
            Metric::BinaryAccuracy,
            Metric::BinaryCrossentropy,
        ),
    ];
    for (loss, width, accuracy, crossentropy) in cases {
        assert_eq!(Metric::Accuracy.resolve(&loss, width), accuracy);
        assert_eq!(Metric::Crossentropy.resolve(&loss, width), crossentropy);
    }
    assert_eq!(
        Metric::AUC.resolve(&Loss::BinaryCrossentropy, 1),
        Metric::AUC
    );
}

/// A label and its one-hot vector are the same target.
#[test]
fn class_numbers_are_as_good_as_one_hot() {
    let outputs: Vec<Vec<f32>> = (0..12)
        .map(|i| {
            (0..4)
                .map(|j| ((i * 7 + j * 5) % 11) as f32 / 11.0)
                .collect()
        })
        .collect();
    let classes: Vec<Vec<f32>> = (0..12).map(|i| vec![(i % 4) as f32]).collect();
    let hot: Vec<Vec<f32>> = (0..12)
        .map(|i| (0..4).map(|j| f32::from(i % 4 == j)).collect())
        .collect();
    for member in Metric::MEMBERS
        .iter()
        .filter(|m| m.class != "BinaryAccuracy")
    {
        let metric = Metric::from_config("", &member.class.into()).unwrap();
        let by_class = measure(&metric, &classes, &outputs, 5);
        let by_hot = measure(&metric, &hot, &outputs, 5);
        // One crossentropy uses the label, the other a distribution.
        close(
            by_class as f32,
            by_hot as f32,
            1e-6,
            1e-6,
            &metric.to_config(),
        );
        assert!(by_class.is_finite(), "{}", member.class);
    }
}

#[test]
fn every_configuration_comes_back_the_same() {
    for case in golden() {
        let metric = Metric::from_config("", &case.config).unwrap();
        assert_eq!(
            Metric::from_config("", &metric.to_config()).unwrap(),
            metric
        );
    }
    for member in Metric::MEMBERS {
        for alias in member.aliases {
            let metric = Metric::from_config("", &(*alias).into()).unwrap();
            assert_eq!(metric.class(), member.class);
        }
    }
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    let bad: [Value; 8] = [
        json!({"type": "TopKCategoricalAccuracy", "k": 0}),
        json!({"type": "Precision", "thresholds": 1.5}),
        json!({"type": "Recall", "top_k": 0}),
        json!({"type": "FBetaScore", "beta": 0.0}),
        json!({"type": "F1Score", "threshold": 0.0}),
        json!({"type": "AUC", "num_thresholds": 1}),
        json!({"type": "AUC", "thresholds": [0.5, 2.0]}),
        json!({"type": "AUC", "num_labels": 3}),
    ];
    for bad in bad {
        assert!(Metric::from_config("", &bad).is_err(), "{bad}");
    }
}

/// Keras 3.15.1's `_direction` of each metric.
#[test]
fn directions_are_keras() {
    let falling = [
        "Crossentropy",
        "BinaryCrossentropy",
        "CategoricalCrossentropy",
        "SparseCategoricalCrossentropy",
        "MeanSquaredError",
        "RootMeanSquaredError",
        "MeanAbsoluteError",
        "MeanAbsolutePercentageError",
        "MeanSquaredLogarithmicError",
        "LogCoshError",
        "Poisson",
        "KLDivergence",
        "Hinge",
        "SquaredHinge",
        "CategoricalHinge",
    ];
    let counts = [
        "TruePositives",
        "TrueNegatives",
        "FalsePositives",
        "FalseNegatives",
    ];
    for member in Metric::MEMBERS {
        let name = json!({ "type": member.class });
        let metric = Metric::from_config("", &name).unwrap();
        let expected = match member.class {
            class if falling.contains(&class) => Some(Better::Smaller),
            class if counts.contains(&class) => None,
            _ => Some(Better::Larger),
        };
        assert_eq!(metric.better(), expected, "{}", member.class);
    }
    assert_eq!(Metric::function("own", |_, _| 0.0).better(), None);
}
