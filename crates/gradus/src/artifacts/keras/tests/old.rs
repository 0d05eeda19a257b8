//! Files of Keras 2, made by `tests/keras_files/make_old.py`.

use super::super::*;
use super::{load_noting, real};
use crate::base::registry::Value;
use crate::data::{Dataset, Tensor};
use crate::model::Sequential;
use crate::model::layers::{Activation as ActivationLayer, BatchNormalization, Dense};
use crate::rules::activations::Activation;
use crate::rules::losses::Loss;
use crate::rules::metrics::Metric;
use crate::rules::optimizers::{Adam, LearningRate, Nadam, Optimizer, SGD};
use crate::rules::schedules::InverseTimeDecay;
use crate::train::Fit;

fn numbers(value: &Value) -> Vec<f32> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        number => vec![number.as_f64().unwrap() as f32],
    }
}

fn said(file: &str) -> Value {
    serde_json::from_slice(&real(file)).unwrap()
}

fn rows(model: &Model, said: &Value) -> Dataset {
    let x = Tensor::from_f32(model.inputs[0].shape.clone().unwrap(), numbers(&said["x"])).unwrap();
    let width = match &said["target"][0] {
        Value::Array(items) => items.len(),
        _ => 1,
    };
    let y = Tensor::from_f32([width], numbers(&said["target"])).unwrap();
    Dataset::new(x, y).unwrap()
}

fn same(model: &Model, rows: &Dataset, expected: &Value, tolerance: f32) {
    let found = model.predict(rows).unwrap().to_f32();
    let expected = numbers(expected);
    assert_eq!(found.len(), expected.len());
    for (ours, theirs) in found.iter().zip(expected) {
        assert!((ours - theirs).abs() <= tolerance, "{ours} {theirs}");
    }
}

/// Compares with Keras' predictions, before and after another epoch.
fn agrees(mut model: Model, said: &Value) {
    let rows = rows(&model, said);
    same(&model, &rows, &said["y"], 1e-6);
    model
        .fit(&rows, Fit::new().batch_size(4).shuffle(false))
        .unwrap();
    same(&model, &rows, &said["after"], 2e-5);
}

#[test]
fn chains_go_on_with_their_optimizers_state() {
    let optimizers: [(&str, Optimizer); 2] = [
        ("old_213", Optimizer::from(Adam::default())),
        ("old_215", Optimizer::from(Nadam::new())),
    ];
    for (name, optimizer) in optimizers {
        let (model, notes) = load_noting(real(&format!("{name}.keras"))).unwrap();
        assert_eq!(notes, [], "{name}");
        let compiled = model.compiled.as_ref().unwrap();
        assert_eq!(compiled.optimizer, Some(optimizer.learning_rate(0.01)));
        let output_loss = compiled.output_losses[0].as_ref().unwrap();
        assert_eq!(output_loss.loss.class(), "SparseCategoricalCrossentropy");
        assert_eq!(output_loss.loss.to_config()["from_logits"], true);
        let expected = [
            ("accuracy".to_owned(), Metric::Accuracy),
            ("mine".to_owned(), Metric::SparseCategoricalAccuracy),
        ];
        assert_eq!(output_loss.metrics, expected);
        assert_eq!(model.state.iteration, 6);
        let said = said(&format!("{name}.json"));
        match model.state.scalars[..] {
            [] => agrees(model, &said),
            // Nadam's product, which Keras 2 multiplies once per variable.
            [product] => {
                let u = |t: i32| 0.9 * (1.0 - 0.5 * 0.96_f32.powi(t));
                let expected: f32 = (1..=6).map(u).product();
                assert!((product - expected).abs() < 1e-6, "{product} {expected}");
                same(&model, &rows(&model, &said), &said["y"], 1e-6);
            }
            _ => panic!("{:?}", model.state.scalars),
        }
    }
}

#[test]
fn what_is_called_with_training_false_stays_in_inference_mode() {
    for name in ["old_213_graph", "old_215_graph"] {
        let (model, notes) = load_noting(real(&format!("{name}.keras"))).unwrap();
        assert_eq!(notes, [], "{name}");
        // The decay beside the rate becomes a schedule.
        let rate = LearningRate::Schedule(
            InverseTimeDecay {
                initial_learning_rate: 0.1,
                decay_steps: 1.0,
                decay_rate: 0.5,
                staircase: false,
            }
            .into(),
        );
        let optimizer = SGD::new().learning_rate(rate);
        assert_eq!(
            model.compiled.as_ref().unwrap().optimizer,
            Some(optimizer.into())
        );
        assert!(!model.is_noisy());
        let said = said(&format!("{name}.json"));
        let before = model.clone();
        // Keras 3 reads their frozen state from our file.
        let back = load_noting(to_bytes(&model).unwrap()).unwrap();
        assert_eq!(back, (model.clone(), Vec::new()), "{name}");
        agrees(back.0, &said);
        // Moving averages stay, and the layers beside them are trained.
        let mut after = model;
        after.fit(rows(&before, &said), Fit::new()).unwrap();
        for layer in ["bn", "inner/batch_normalization"] {
            let layer = before
                .layers
                .iter()
                .position(|l| l.name.starts_with(layer))
                .unwrap();
            let (old, new) = (&before.layers[layer].weights, &after.layers[layer].weights);
            let changed: Vec<bool> = old.iter().zip(new).map(|(o, n)| o != n).collect();
            assert_eq!(changed, [true, true, false, false]);
        }
    }
}

#[test]
fn the_same_graph_in_an_h5_file_is_the_same_model() {
    let (zip, _) = load_noting(real("old_215_graph.keras")).unwrap();
    let (h5, notes) = load_noting(real("old_graph.h5")).unwrap();
    // Keras 2's step count is ignored.
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert_eq!(notes[0].part, NotRead::State);
    assert_eq!(h5, zip);
}

#[test]
fn a_list_of_layers_is_a_sequential() {
    let (model, notes) = load_noting(real("old_list.h5")).unwrap();
    assert_eq!(notes, []);
    assert!(model.chain);
    let said = said("old_215.json");
    same(&model, &rows(&model, &said), &said["y"], 1e-6);
    let optimizer = model.compiled.unwrap().optimizer.unwrap();
    assert_eq!(optimizer.method.class(), "SGD");
    assert_eq!(optimizer.to_config()["learning_rate"]["decay_rate"], 0.25);
}

#[test]
fn a_state_of_keras_2_in_an_h5_file_is_left_out_and_noted() {
    let (model, notes) = load_noting(real("keras2.h5")).unwrap();
    assert_eq!(model.state, State::default());
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert_eq!(notes[0].part, NotRead::State);
}

/// The layers of `old_215.keras`, under these names.
fn chain(first: &str, width: usize) -> Model {
    Sequential::new()
        .input([4])
        .add_named(first, Dense::new(width).activation(Activation::Elu), true)
        .add(BatchNormalization::new())
        .add(ActivationLayer::new(Activation::Tanh))
        .add_named("out", Dense::new(3), true)
        .build()
        .unwrap()
}

#[test]
fn weights_alone_go_by_name_or_by_order() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keras_files/old_weights.h5");
    let said = said("old_215.json");
    for first in ["dense", "hidden"] {
        let mut model = chain(first, 5);
        model.load_weights(&path).unwrap();
        same(&model, &rows(&model, &said), &said["y"], 1e-6);
    }
    let mut model = chain("dense", 6);
    let before = model.clone();
    let problem = model.load_weights(&path).unwrap_err().to_string();
    assert!(problem.contains("layer dense, kernel"), "{problem}");
    assert_eq!(model, before);
    let mut short = Sequential::new()
        .input([4])
        .add(Dense::new(5))
        .build()
        .unwrap();
    let problem = short.load_weights(&path).unwrap_err().to_string();
    assert!(
        problem.contains("weights of 3 layers, expected those of 1"),
        "{problem}"
    );
    let alone = load_noting(real("old_weights.h5")).unwrap_err().to_string();
    assert!(
        alone.contains("holds weights alone") && alone.contains("gradus convert"),
        "{alone}"
    );
}

#[test]
fn windows_paths_are_groups() {
    let mut parts = super::parts(&real("old_213.keras"));
    let mut root = hdf5::read(parts.weights).unwrap();
    let old = root.groups.remove(weights::OLD_LAYERS).unwrap();
    for (name, group) in old.groups {
        root.groups
            .insert(format!("{}\\{name}", weights::OLD_LAYERS), group);
    }
    parts.weights = hdf5::write(&root).unwrap();
    let (model, _) = load_noting(archive::write(&parts).unwrap()).unwrap();
    assert_eq!(model, load_noting(real("old_213.keras")).unwrap().0);
    root.groups
        .insert("\\".repeat(100_000), hdf5::Group::default());
    if let Ok(weights) = hdf5::write(&root) {
        parts.weights = weights;
        let problem = load_noting(archive::write(&parts).unwrap())
            .unwrap_err()
            .to_string();
        assert!(problem.contains("nested deeper"), "{problem}");
    }
}

/// The error for a file of Keras 2 with a changed configuration.
fn with(file: &str, old: &str, new: &str) -> Result<(Model, Vec<Note>)> {
    let mut parts = super::parts(&real(file));
    assert!(parts.config.contains(old), "{old}");
    parts.config = parts.config.replace(old, new);
    load_noting(archive::write(&parts).unwrap())
}

#[test]
fn what_cannot_be_kept_is_refused_or_noted() {
    let always = with(
        "old_215_graph.keras",
        "{\"training\": false}",
        "{\"training\": true}",
    );
    let problem = always.unwrap_err().to_string();
    assert!(problem.contains("called with training = true"), "{problem}");
    let other = with(
        "old_215_graph.keras",
        "{\"training\": false}",
        "{\"mask\": 3}",
    );
    assert!(
        other
            .unwrap_err()
            .to_string()
            .contains("called with mask = 3")
    );
    // For Nadam it is not a decay of the rate.
    let nadam = "\"class_name\": \"Nadam\", \"config\": {";
    let (_, notes) = with(
        "old_215.keras",
        nadam,
        &format!("{nadam}\"decay\": 0.004, "),
    )
    .unwrap();
    assert_eq!(notes[0].part, NotRead::Optimizer);
    assert!(notes[0].problem.contains("decay = 0.004"), "{notes:?}");
    // Code in place of a loss's function is never executed.
    let function = "\"fn\": \"sparse_categorical_crossentropy\"";
    for code in [
        "\"fn\": \"my_own\"",
        "\"fn\": {\"class_name\": \"__lambda__\", \"config\": {\"value\": \"x\"}}",
    ] {
        let (model, notes) = with("old_215.keras", function, code).unwrap();
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert_eq!(notes[0].part, NotRead::Loss);
        assert_eq!(model.compiled.unwrap().output_losses, [None]);
    }
    let wrapper = "\"class_name\": \"SparseCategoricalCrossentropy\"";
    let (model, notes) = with(
        "old_215.keras",
        wrapper,
        "\"class_name\": \"LossFunctionWrapper\"",
    )
    .unwrap();
    assert_eq!(notes, []);
    let output_loss = model.compiled.unwrap().output_losses[0].clone().unwrap();
    assert_eq!(output_loss.loss.to_config()["from_logits"], true);
    assert_ne!(output_loss.loss, Loss::SparseCategoricalCrossentropy);
}
