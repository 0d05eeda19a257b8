//! Whole-model `.h5` files, and `.weights.h5`.

use super::super::*;
use super::{load, real};
use crate::data::{Dataset, Tensor};
use crate::model::Sequential;
use crate::model::layers::{BatchNormalization, Dense};
use crate::rules::losses::Loss;
use crate::rules::metrics::Metric;
use crate::rules::optimizers::{Optimizer, SGD};
use std::path::PathBuf;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keras_files")
}

fn text(attribute: &mut hdf5::Group, name: &str, change: impl FnOnce(String) -> String) {
    let Some(hdf5::Attribute::Text(text)) = attribute.attributes.get_mut(name) else {
        panic!("no {name}");
    };
    *text = change(std::mem::take(text));
}

/// The error for `keras3.h5` after a change.
fn problem(change: impl FnOnce(&mut hdf5::Group)) -> String {
    let mut root = hdf5::read(real("keras3.h5")).unwrap();
    change(&mut root);
    load(hdf5::write(&root).unwrap()).unwrap_err().to_string()
}

#[test]
fn a_file_of_keras_3_is_the_same_model_as_its_keras_file() {
    assert_eq!(
        load(real("keras3.h5")).unwrap(),
        load(real("keras3.keras")).unwrap()
    );
}

#[test]
fn a_file_of_keras_2_is_loaded_and_predicts_the_same() {
    let model = Model::load(folder().join("keras2.h5")).unwrap();
    assert_eq!(model.name, "older");
    let compiled = model.compiled.as_ref().unwrap();
    let optimizer = Optimizer::from(SGD::new().momentum(0.9)).learning_rate(0.01);
    assert_eq!(compiled.optimizer, Some(optimizer));
    let output_loss = compiled.output_losses[0].as_ref().unwrap();
    assert_eq!(output_loss.loss, Loss::SparseCategoricalCrossentropy);
    assert_eq!(
        output_loss.metrics,
        [("accuracy".to_owned(), Metric::Accuracy)]
    );
    // As in Keras 3: Keras 2 has other variables.
    assert_eq!(model.state, State::default());
    same_predictions(&model, "keras2.json");
}

#[test]
fn a_graph_of_keras_2_is_loaded_and_predicts_the_same() {
    let model = Model::load(folder().join("keras2_graph.h5")).unwrap();
    assert!(!model.chain);
    same_predictions(&model, "keras2_graph.json");
}

/// Compares with Keras' results; the file has inputs and outputs.
fn same_predictions(model: &Model, file: &str) {
    fn numbers(value: &serde_json::Value) -> Vec<f32> {
        match value {
            serde_json::Value::Array(items) => items.iter().flat_map(numbers).collect(),
            number => vec![number.as_f64().unwrap() as f32],
        }
    }
    let found: serde_json::Value = serde_json::from_slice(&real(file)).unwrap();
    let shape = model.inputs[0].shape.clone().unwrap();
    let x = Tensor::from_f32(shape, numbers(&found["x"])).unwrap();
    let y = model.predict(Dataset::unlabelled(x)).unwrap().to_f32();
    let expected = numbers(&found["y"]);
    assert_eq!(y.len(), expected.len());
    for (ours, theirs) in y.iter().zip(expected) {
        assert!((ours - theirs).abs() < 1e-6, "{ours} {theirs}");
    }
}

#[test]
fn what_is_unknown_or_code_is_refused_by_name() {
    let refused = problem(|root| {
        text(root, "model_config", |text| {
            text.replace("\"Dropout\"", "\"Lambda\"")
                .replace("\"Flatten\"", "\"Conv3D\"")
                .replace("\"BatchNormalization\"", "\"Custom>Norm\"")
        });
    });
    for part in [
        "3 things that gradus cannot take",
        "(flatten): unknown layer `Conv3D`",
        "(batch_normalization): unknown layer `Custom>Norm`",
        "`Lambda` carries code",
    ] {
        assert!(refused.contains(part), "{part}\nis not in\n{refused}");
    }
}

#[test]
fn what_is_missing_is_named() {
    let missing = problem(|root| {
        let weights = root.groups.get_mut("model_weights").unwrap();
        weights.groups.remove("out");
    });
    assert!(
        missing.contains("model_weights/out is missing"),
        "{missing}"
    );
    let missing = problem(|root| {
        let dense = root
            .child("model_weights")
            .child("dense")
            .child("old")
            .child("dense");
        dense.arrays.remove("bias");
    });
    assert!(
        missing.contains("dense/old/dense/bias is missing"),
        "{missing}"
    );
    let missing = problem(|root| {
        root.attributes.remove("model_config");
    });
    assert!(missing.contains("no attribute model_config"), "{missing}");
    let alone = load(real("keras3.weights.h5")).unwrap_err().to_string();
    assert!(alone.contains("it holds weights alone"), "{alone}");
    let lying = problem(|root| {
        text(root, "model_config", |text| {
            text.replace("\"units\": 6", "\"units\": 1000000000")
        })
    });
    assert!(lying.contains("expected [12, 1000000000]"), "{lying}");
}

#[test]
fn weights_of_keras_are_loaded_with_the_optimizers_state() {
    let expected = load(real("keras3.keras")).unwrap();
    let mut model = expected.clone();
    model.state = State::default();
    model
        .layers
        .iter_mut()
        .flat_map(|l| &mut l.weights)
        .for_each(|w| w.values.fill(0.0));
    model
        .load_weights(folder().join("keras3.weights.h5"))
        .unwrap();
    assert_eq!(model, expected);
    let ours = hdf5::read(weights_to_bytes(&model).unwrap()).unwrap();
    assert_eq!(ours, hdf5::read(real("keras3.weights.h5")).unwrap());
}

#[test]
fn weights_that_do_not_fit_change_nothing() {
    let chain = |units| {
        let chain = Sequential::new()
            .input([4, 3])
            .add(crate::model::layers::Flatten::new());
        let chain = chain.add(Dense::new(6)).add(BatchNormalization::new());
        chain.add_named("out", Dense::new(units), true)
    };
    let path = folder().join("keras3.weights.h5");
    let refused = |model: &mut Model| {
        let before = model.clone();
        let problem = model.load_weights(&path).unwrap_err().to_string();
        assert_eq!(*model, before);
        problem
    };
    let problem = refused(&mut chain(4).build().unwrap());
    assert!(problem.contains("layer out, kernel"), "{problem}");
    assert!(
        problem.contains("found shape [6, 3], expected [6, 4]"),
        "{problem}"
    );
    let mut short = Sequential::new()
        .input([12])
        .add(Dense::new(6))
        .build()
        .unwrap();
    let problem = refused(&mut short);
    assert!(
        problem.contains("not in the model: batch_normalization/0"),
        "{problem}"
    );
    let mut unbuilt = Sequential::new().add(Dense::new(6)).build().unwrap();
    assert!(
        unbuilt
            .load_weights(&path)
            .unwrap_err()
            .to_string()
            .contains("no weights yet")
    );
}
