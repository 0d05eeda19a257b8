//! Tests of weight files: saving and loading, and files of other programs
//! (`tests/weight_files/make.py`).

mod common;

use common::Folder;
use gradus::artifacts::weights::{Layout, save_weights};
use gradus::prelude::*;
use std::path::{Path, PathBuf};

fn real(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/weight_files")
        .join(name)
}

/// As `make.py` makes it.
fn network(seed: u64) -> Model {
    let chain = Sequential::new().input([4]).seed(seed);
    let chain = chain.add_named("hidden", Dense::new(3).activation(Activation::Relu), true);
    let chain = chain.add_named("norm", BatchNormalization::new().epsilon(1e-5), true);
    let chain = chain.add_named("slope", layers::PReLU::new(), true);
    chain.add_named("out", Dense::new(2), true).build().unwrap()
}

fn values(model: &Model) -> Vec<Vec<f32>> {
    model
        .weights()
        .map(|weight| weight.values.clone())
        .collect()
}

#[test]
fn every_format_and_layout_comes_back() {
    let folder = Folder::new();
    let model = network(1);
    for (name, layout) in [
        ("a.weights.h5", Layout::Keras),
        ("a.safetensors", Layout::Keras),
        ("b.safetensors", Layout::PyTorch),
        ("a.npz", Layout::Keras),
        ("b.npz", Layout::PyTorch),
    ] {
        let path = folder.path(name);
        save_weights(&model, &path, layout).unwrap();
        let mut other = network(2);
        assert_ne!(values(&other), values(&model));
        other.load_weights(&path).unwrap();
        assert_eq!(values(&other), values(&model), "{name}");
        // By name, too, and from whole models.
        let matched = network(2).load_weights_by_name(&path).unwrap();
        assert!(
            matched.is_complete() && matched.loaded.len() == 9,
            "{name}: {matched}"
        );
    }
    let path = folder.path("a.keras");
    model.save(&path).unwrap();
    let mut other = network(2);
    assert!(other.load_weights_by_name(&path).unwrap().is_complete());
    assert_eq!(values(&other), values(&model));
}

/// Expected: the outputs of PyTorch and of Keras for the same weights.
#[test]
fn weights_of_pytorch_and_keras_predict_what_they_predicted() {
    let x = gradus::data::read_npy(&real("x.npy")).unwrap();
    let expected = gradus::data::read_npy(&real("y.npy")).unwrap().to_f32();
    for name in ["torch.safetensors", "keras.npz", "torch_half.safetensors"] {
        let mut model = network(3);
        model.load_weights(real(name)).unwrap();
        let found = model
            .predict(Dataset::unlabelled(x.clone()))
            .unwrap()
            .to_f32();
        let near = if name.contains("half") { 1e-2 } else { 1e-6 };
        for (a, b) in found.iter().zip(&expected) {
            assert!((a - b).abs() < near, "{name}: {a} {b}");
        }
    }
}

#[test]
fn loading_by_name_reports_what_matched_and_leaves_the_rest() {
    let folder = Folder::new();
    let path = folder.path("a.safetensors");
    network(1).save_weights(&path).unwrap();
    let chain = Sequential::new().input([4]).seed(5);
    let chain = chain.add_named("hidden", Dense::new(3), true);
    let chain = chain.add_named("head", Dense::new(7), true);
    let mut model = chain.add_named("out", Dense::new(2), true).build().unwrap();
    let before = values(&model);
    let matched = model.load_weights_by_name(&path).unwrap();
    assert_eq!(matched.loaded, ["hidden/kernel", "hidden/bias", "out/bias"]);
    assert_eq!(matched.missing, ["head/kernel", "head/bias"]);
    assert_eq!(matched.unfit[0].name, "out/kernel");
    assert_eq!(matched.unfit[0].found, [3, 2]);
    assert_eq!(matched.unfit[0].expected, [7, 2]);
    assert_eq!(matched.unused.len(), 5);
    let report = matched.to_string();
    assert!(report.starts_with("3 of 6 weights found"), "{report}");
    assert!(report.contains("not in the model: norm/beta"), "{report}");
    let after = values(&model);
    assert_eq!(after[0], values(&network(1))[0]);
    assert_eq!(after[2..5], before[2..5]);
    // Strict loading refuses the same, and changes nothing.
    let refused = model.load_weights(&path).unwrap_err().to_string();
    assert!(
        refused.contains("out/kernel: found shape [3, 2], expected [7, 2]"),
        "{refused}"
    );
    assert_eq!(values(&model), after);
    // A file with nothing in common is an error.
    let mut other = Sequential::new()
        .input([4])
        .add(Dense::new(9))
        .build()
        .unwrap();
    let refused = other.load_weights_by_name(&path).unwrap_err().to_string();
    assert!(refused.contains("0 of 2 weights found"), "{refused}");
}

#[test]
fn a_name_that_says_no_format_is_refused() {
    let refused = network(1).save_weights("a.txt").unwrap_err().to_string();
    assert!(
        refused.contains(".weights.h5, .safetensors or .npz"),
        "{refused}"
    );
    let refused = save_weights(&network(1), "a.weights.h5", Layout::PyTorch).unwrap_err();
    assert!(
        refused.to_string().contains("`keras` for a .weights.h5"),
        "{refused}"
    );
    let unbuilt = Sequential::new().add(Dense::new(1)).build().unwrap();
    let refused = unbuilt.save_weights("a.npz").unwrap_err().to_string();
    assert!(refused.contains("no weights yet"), "{refused}");
}
