//! Tests of training configurations with parts unknown to gradus.

use super::super::*;
use super::{load, load_noting, parts, real};
use crate::base::registry::Value;
use crate::data::{Dataset, Tensor};
use crate::rules::losses::Loss;
use crate::rules::optimizers::Adam;
use crate::train::Fit;
use serde_json::json;

/// `chain.keras` with another compile configuration, or another tree of weights.
fn changed(
    compile: impl FnOnce(&mut Value),
    weights: impl FnOnce(&mut hdf5::Group),
) -> (Model, Vec<Note>) {
    let mut parts = parts(&real("chain.keras"));
    let mut config: Value = serde_json::from_str(&parts.config).unwrap();
    compile(&mut config["compile_config"]);
    parts.config = config.to_string();
    let mut root = hdf5::read(parts.weights).unwrap();
    weights(&mut root);
    parts.weights = hdf5::write(&root).unwrap();
    load_noting(archive::write(&parts).unwrap()).unwrap()
}

fn rows() -> Dataset {
    let x = (0..48).map(|n| n as f32 / 20.0 - 1.0).collect();
    let x = Tensor::from_f32([4, 3], x).unwrap();
    let y = Tensor::from_f32([1], vec![0.0, 1.0, 2.0, 1.0]).unwrap();
    Dataset::new(x, y).unwrap()
}

fn outputs(model: &Model) -> Vec<f32> {
    model.predict(rows()).unwrap().to_f32()
}

#[test]
fn an_unknown_optimizer_leaves_the_losses_and_metrics() {
    let whole = load(real("chain.keras")).unwrap();
    for unknown in [
        json!({"module": "keras.optimizers", "class_name": "Adafactor", "config": {}, "registered_name": null}),
        json!({"module": "mine", "class_name": "Lion", "config": {}, "registered_name": "mine>Lion"}),
    ] {
        let (mut model, notes) = changed(|compile| compile["optimizer"] = unknown, |_| {});
        let [
            Note {
                part: NotRead::Optimizer,
                problem,
            },
        ] = &notes[..]
        else {
            panic!("{notes:?}");
        };
        assert!(
            problem.starts_with("compile_config.optimizer: "),
            "{problem}"
        );
        assert_eq!(outputs(&model), outputs(&whole));
        assert_eq!(
            model.compiled.as_ref().unwrap().output_losses,
            whole.compiled.as_ref().unwrap().output_losses
        );
        assert_eq!(model.state, State::default());
        assert_eq!(
            model.evaluate(rows()).unwrap(),
            whole.evaluate(rows()).unwrap()
        );
        let problem = model.fit(rows(), Fit::new()).unwrap_err().to_string();
        assert!(
            problem.contains("has no optimizer: call `compile`"),
            "{problem}"
        );
        // It can be saved and loaded.
        let (back, notes) = load_noting(to_bytes(&model).unwrap()).unwrap();
        assert_eq!((back, notes), (model.clone(), Vec::new()));
        model
            .compile(Adam::default(), Loss::SparseCategoricalCrossentropy, &[])
            .unwrap();
        model.fit(rows(), Fit::new()).unwrap();
    }
}

#[test]
fn an_unknown_loss_leaves_the_optimizer_and_its_state() {
    let whole = load(real("chain.keras")).unwrap();
    let (mut model, notes) = changed(|compile| compile["loss"] = "tversky".into(), |_| {});
    assert_eq!(notes.len(), 1);
    assert_eq!(notes[0].part, NotRead::Loss);
    assert_eq!(
        notes[0].to_string(),
        "the loss is not read (compile_config.loss: unknown loss `tversky`): to evaluate it or \
         train on, name one"
    );
    let (ours, theirs) = (
        model.compiled.clone().unwrap(),
        whole.compiled.clone().unwrap(),
    );
    assert_eq!(ours.optimizer, theirs.optimizer);
    assert_eq!(model.state, whole.state);
    assert_eq!(outputs(&model), outputs(&whole));
    assert!(model.evaluate(rows()).is_err());
    assert!(model.fit(rows(), Fit::new()).is_err());
}

#[test]
fn an_unknown_metric_is_not_measured_and_all_else_is_there() {
    let whole = load(real("chain.keras")).unwrap();
    let unknown = json!(["accuracy", {
        "module": "keras.metrics", "class_name": "PearsonCorrelation",
        "config": {"name": "p"}, "registered_name": null,
    }]);
    let (model, notes) = changed(|compile| compile["metrics"] = unknown, |_| {});
    assert_eq!(notes.len(), 1);
    assert_eq!(notes[0].part, NotRead::Metric);
    assert_eq!(model, whole);
}

#[test]
fn losses_without_an_optimizer_are_kept() {
    let (model, notes) = changed(|compile| compile["optimizer"] = Value::Null, |_| {});
    assert_eq!(notes, []);
    assert!(model.compiled.as_ref().unwrap().optimizer.is_none());
    assert!(model.evaluate(rows()).is_ok());
}

#[test]
fn a_state_that_does_not_fit_starts_afresh_and_says_so() {
    let whole = load(real("chain.keras")).unwrap();
    let damages: [fn(&mut hdf5::Group); 3] = [
        |vars| {
            drop(
                vars.arrays
                    .insert("3".into(), hdf5::Array::floats([1], vec![0.0])),
            )
        },
        |vars| drop(vars.arrays.remove("4")),
        |vars| {
            drop(
                vars.arrays
                    .insert("0".into(), hdf5::Array::floats([], vec![1.0])),
            )
        },
    ];
    for damage in damages {
        let (model, notes) = changed(
            |_| {},
            |root| {
                damage(root.child("optimizer").child("vars"));
            },
        );
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert_eq!(notes[0].part, NotRead::State);
        assert_eq!(model.state, State::default());
        assert_eq!(outputs(&model), outputs(&whole));
    }
}

#[test]
fn nadams_product_is_found_where_older_keras_keeps_it_or_made_again() {
    let whole = load(real("chain.keras")).unwrap();
    let product = whole.state.scalars[0];
    let arrays = |root: &hdf5::Group| -> Vec<hdf5::Array> {
        let arrays = root.at("optimizer/vars").unwrap().numbered().unwrap();
        arrays.into_iter().cloned().collect()
    };
    // Keras 3.0 to 3.4.
    let (model, notes) = changed(
        |_| {},
        |root| {
            let mut arrays = arrays(root);
            let last = arrays.pop().unwrap();
            arrays.insert(2, last);
            weights::number(root.child("optimizer").child("vars"), arrays);
        },
    );
    assert_eq!(notes, []);
    assert_eq!(model, whole);
    // Keras 2 stores neither it nor the learning rate.
    let (model, notes) = changed(
        |_| {},
        |root| {
            let mut arrays = arrays(root);
            arrays.pop();
            arrays.remove(1);
            weights::number(root.child("optimizer").child("vars"), arrays);
        },
    );
    assert_eq!(notes, []);
    let again = model.state.scalars[0];
    assert!(
        (again - product).abs() <= 1e-6 * product,
        "{again} {product}"
    );
    assert_eq!(model.state.slots, whole.state.slots);
    assert_eq!(model.compiled, whole.compiled);
    // A count of steps that nobody can have taken.
    let (model, _) = changed(
        |compile| compile["optimizer"]["config"]["beta_1"] = 0.999_999_99.into(),
        |root| {
            let mut arrays = arrays(root);
            arrays.pop();
            arrays[0] = hdf5::Array {
                shape: vec![],
                values: hdf5::Values::I64(vec![i64::MAX]),
            };
            weights::number(root.child("optimizer").child("vars"), arrays);
        },
    );
    assert_eq!(outputs(&model), outputs(&whole));
}
