use super::*;
use crate::base::registry::Value;
use crate::rules::golden::{Case, cases, close};
use serde_json::json;

fn golden() -> Vec<Case> {
    cases(include_str!("../../../tests/golden_rules/losses.json"))
}

fn all() -> impl Iterator<Item = Loss> {
    let members = Loss::MEMBERS.iter();
    members.map(|m| Loss::from_config("", &m.class.into()).unwrap())
}

fn row(loss: &Loss, target: &[f32], output: &[f32]) -> (f32, Vec<f32>) {
    let mut losses = [f32::NAN];
    let mut gradient = vec![f32::NAN; output.len()];
    loss.rows(output.len(), target, output, &mut losses, &mut gradient);
    (losses[0], gradient)
}

/// The values are those of tests/golden_rules/make.py.
#[test]
fn losses_and_gradients_are_keras() {
    for case in golden() {
        let loss = Loss::from_config("", &case.config).unwrap();
        let (targets, outputs) = (case.rows("targets"), case.rows("outputs"));
        let (losses, gradients) = (case.row("losses"), case.rows("gradients"));
        for i in 0..losses.len() {
            let (value, gradient) = row(&loss, &targets[i], &outputs[i]);
            let what = json!([case.config, targets[i], outputs[i]]);
            // Keras' sum of logarithms has a rounding error of some 1e-7 where terms cancel.
            close(value, losses[i], 5e-6, 1e-6, &what);
            for (j, (g, want)) in gradient.iter().zip(&gradients[i]).enumerate() {
                let y = &outputs[i][j];
                if loss.class() == "MeanAbsolutePercentageError" && *y == targets[i][j] {
                    // At the corner, TensorFlow's derivative is 0, JAX' the half.
                    assert_eq!(*g, 0.0);
                    continue;
                }
                if want.is_nan() {
                    // Keras' CosineSimilarity to a vector of zeros.
                    assert_eq!(loss.class(), "CosineSimilarity");
                    continue;
                }
                // At the edge of a clipping, TensorFlow has one side's derivative, JAX half of it.
                if [0.0, 1.0].contains(y) {
                    continue;
                }
                close(*g, *want, 2e-5, 2e-6, &what);
            }
        }
    }
}

#[test]
fn every_loss_is_compared_with_keras() {
    for member in Loss::MEMBERS {
        let found = golden().iter().any(|c| c.config["type"] == member.class);
        assert!(found, "{}", member.class);
    }
}

/// Possible targets of a loss, and outputs inside its domain.
fn sample(loss: &Loss, from_logits: bool) -> (Vec<f32>, Vec<f32>) {
    let numbers = vec![0.7, -1.3, 2.1, 0.4];
    let shares = vec![0.1, 0.25, 0.3, 0.35];
    let one_hot = vec![0.0, 0.0, 1.0, 0.0];
    let yes_no = vec![1.0, 0.0, 1.0, 0.0];
    match loss.class() {
        "SparseCategoricalCrossentropy" if from_logits => (vec![2.0], numbers),
        "SparseCategoricalCrossentropy" => (vec![2.0], shares),
        "CategoricalCrossentropy" | "CategoricalFocalCrossentropy" if from_logits => {
            (one_hot, numbers)
        }
        "CategoricalCrossentropy" | "CategoricalFocalCrossentropy" => (one_hot, shares),
        "BinaryCrossentropy" | "BinaryFocalCrossentropy" if from_logits => (yes_no, numbers),
        "BinaryCrossentropy" | "BinaryFocalCrossentropy" => (yes_no, shares),
        "KLDivergence" => (vec![0.4, 0.3, 0.2, 0.1], shares),
        "Poisson" | "MeanSquaredLogarithmicError" => (vec![3.0, 1.0, 2.0, 0.0], shares),
        "CategoricalHinge" => (vec![1.0, 0.0, 0.0, 0.0], numbers),
        "Hinge" | "SquaredHinge" => (vec![1.0, -1.0, 1.0, -1.0], numbers),
        _ => (vec![0.2, -1.0, 3.5, 1.7], numbers),
    }
}

/// Every loss with its default arguments, and with some others.
fn variants() -> Vec<(Loss, bool)> {
    let mut all: Vec<_> = all().map(|loss| (loss, false)).collect();
    let mut more = |config: Value| {
        let logits = config["from_logits"] == true;
        all.push((Loss::from_config("", &config).unwrap(), logits));
    };
    more(json!({"type": "SparseCategoricalCrossentropy", "from_logits": true}));
    for class in [
        "CategoricalCrossentropy",
        "BinaryCrossentropy",
        "CategoricalFocalCrossentropy",
        "BinaryFocalCrossentropy",
    ] {
        more(json!({"type": class, "from_logits": true, "label_smoothing": 0.1}));
    }
    more(json!({"type": "BinaryFocalCrossentropy", "apply_class_balancing": true, "gamma": 0.5}));
    more(json!({"type": "CategoricalFocalCrossentropy", "gamma": 0.0}));
    more(json!({"type": "Huber", "delta": 0.3}));
    all
}

#[test]
fn every_gradient_is_the_derivative() {
    for (loss, from_logits) in variants() {
        let (target, output) = sample(&loss, from_logits);
        let (value, gradient) = row(&loss, &target, &output);
        assert!(value.is_finite(), "{loss:?}");
        for i in 0..output.len() {
            let h = 4e-3;
            let moved = |by: f32| {
                let mut output = output.clone();
                output[i] += by;
                f64::from(row(&loss, &target, &output).0)
            };
            // Five points: the error is of the fourth order.
            let near = (moved(h) - moved(-h)) / (2.0 * f64::from(h));
            let far = (moved(2.0 * h) - moved(-2.0 * h)) / (4.0 * f64::from(h));
            let want = ((4.0 * near - far) / 3.0) as f32;
            close(
                gradient[i],
                want,
                1e-3,
                3e-4,
                &json!([format!("{loss:?}"), i]),
            );
            assert!(gradient.iter().any(|g| *g != 0.0), "{loss:?}");
        }
    }
}

/// Combined with its activation, a loss computes the same from the activation's input.
#[test]
fn losses_before_their_activation_are_the_same() {
    let logits = [0.7_f32, -1.3, 2.1, 0.4];
    let sum: f32 = logits.iter().map(|z| z.exp()).sum();
    let softmax = logits.map(|z| z.exp() / sum);
    let sigmoid = logits.map(|z| 1.0 / (1.0 + (-z).exp()));
    let mut pairs = 0;
    for loss in all() {
        for (activation, output) in [
            (Activation::Softmax, softmax),
            (Activation::Sigmoid, sigmoid),
        ] {
            let Some(before) = loss.before(&activation) else {
                continue;
            };
            pairs += 1;
            let (target, _) = sample(&loss, false);
            let (after, _) = row(&loss, &target, &output);
            let (fused, _) = row(&before, &target, &logits);
            close(fused, after, 2e-6, 0.0, &loss.to_config());
            assert!(before.before(&activation).is_none());
        }
    }
    assert_eq!(pairs, 4);
}

/// Extreme outputs, and those at the edge, give no NaN.
#[test]
fn every_loss_is_finite_at_the_edges() {
    for (loss, from_logits) in variants() {
        let probability = !from_logits
            && (loss.class().contains("entropy")
                || ["Poisson", "KLDivergence", "MeanSquaredLogarithmicError"]
                    .contains(&loss.class()));
        let outputs = match probability {
            true => [[0.0, 0.0, 0.0, 1.0], [1.0, 0.0, 0.0, 0.0], [0.25; 4]],
            false => [
                [0.0; 4],
                [-1e4, 1e4, 0.0, 100.0],
                [30.0, -30.0, -200.0, 200.0],
            ],
        };
        for output in outputs {
            let (target, _) = sample(&loss, from_logits);
            let (value, gradient) = row(&loss, &target, &output);
            assert!(value.is_finite(), "{loss:?} at {output:?}: {value}");
            assert!(
                gradient.iter().all(|g| g.is_finite()),
                "{loss:?} at {output:?}: {gradient:?}"
            );
        }
    }
}

#[test]
fn every_configuration_comes_back_the_same() {
    for (loss, _) in variants() {
        assert_eq!(Loss::from_config("", &loss.to_config()).unwrap(), loss);
    }
    for member in Loss::MEMBERS {
        for alias in member.aliases {
            let loss = Loss::from_config("", &(*alias).into()).unwrap();
            assert_eq!(loss.class(), member.class);
        }
    }
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    for bad in [
        json!({"type": "Huber", "delta": 0.0}),
        json!({"type": "BinaryCrossentropy", "label_smoothing": 1.5}),
        json!({"type": "CategoricalCrossentropy", "label_smoothing": -0.1}),
        json!({"type": "BinaryFocalCrossentropy", "gamma": -1.0}),
        json!({"type": "CategoricalFocalCrossentropy", "alpha": -1.0}),
        json!({"type": "MeanSquaredError", "delta": 1.0}),
    ] {
        assert!(Loss::from_config("", &bad).is_err(), "{bad}");
    }
}

#[test]
fn reductions_are_keras() {
    let loss = |reduction: &str| {
        let config = json!({"type": "mse", "reduction": reduction});
        Loss::from_config("", &config).unwrap()
    };
    // Losses 4 and 1 with weights 3 and 0.5; each mean is scaled to the batch's loss.
    let weights = [3.0, 0.5];
    let mean = (3.0 * 4.0 + 0.5 * 1.0) / 2.0;
    for (reduction, want, unweighted) in [
        ("sum_over_batch_size", mean, 1.0),
        ("mean", mean, 1.0),
        ("sum", 2.0 * mean, 2.0),
        ("mean_with_sample_weight", 2.0 * mean / 3.5, 1.0),
    ] {
        let loss = loss(reduction);
        let scale = loss.scale(2, &[0.0, 0.0], Some(&weights));
        assert!((scale * mean - want).abs() < 1e-6, "{reduction}: {scale}");
        assert_eq!(loss.scale(2, &[0.0, 0.0], None), unweighted, "{reduction}");
        let again = Loss::from_config("", &loss.to_config()).unwrap();
        assert_eq!(again, loss);
    }
    assert_eq!(loss("sum_over_batch_size"), Loss::MeanSquaredError);
    assert_ne!(loss("sum"), Loss::MeanSquaredError);
    // All weights 0 give loss 0, not NaN.
    let weighted = loss("mean_with_sample_weight");
    assert_eq!(weighted.scale(2, &[0.0, 0.0], Some(&[0.0, 0.0])), 0.0);
    // Two positions per row: both have the row's weight.
    assert_eq!(weighted.scale(4, &[0.0; 4], Some(&[1.0, 3.0])), 0.5);
}

#[test]
fn rows_to_be_ignored_are_in_no_reduction() {
    let loss = |reduction: &str| {
        let config = json!({"type": "SparseCategoricalCrossentropy", "ignore_class": 2,
            "reduction": reduction});
        Loss::from_config("", &config).unwrap()
    };
    let targets = [0.0, 2.0, 1.0, 2.0];
    let weights = [1.0, 50.0, 3.0, 50.0];
    for (reduction, want) in [
        ("sum_over_batch_size", 4.0 / 2.0),
        ("sum", 4.0),
        ("mean_with_sample_weight", 4.0 / (1.0 + 3.0)),
    ] {
        let scale = loss(reduction).scale(4, &targets, Some(&weights));
        assert_eq!(scale, want, "{reduction}");
    }
}

#[test]
fn a_reduction_that_is_none_is_refused() {
    for bad in [json!("none"), Value::Null, json!("summ"), json!(1)] {
        let config = json!({"type": "mse", "reduction": bad});
        let error = Loss::from_config("train.loss", &config).unwrap_err();
        assert!(
            error.to_string().contains("train.loss.reduction"),
            "{error}"
        );
    }
    let config = json!({"type": "mse", "reductoin": "sum"});
    let error = Loss::from_config("", &config).unwrap_err();
    assert!(error.to_string().contains("`reduction`"), "{error}");
}
