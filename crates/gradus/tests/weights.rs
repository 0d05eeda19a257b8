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

/// PyTorch's kernels are (outputs, inputs of a group, rows, columns).
#[test]
fn kernels_of_convolutions_are_turned_for_pytorch() {
    let conv = layers::Conv2D::new(4, [2, 3]).groups(2);
    let depthwise = layers::DepthwiseConv2D::new([3, 1]).depth_multiplier(2);
    let transposed = layers::Conv2DTranspose::new(5, [1, 2]);
    let chain = Sequential::new().input([6, 5, 2]).seed(3);
    let chain = chain.add_named("conv", conv, true);
    let chain = chain.add_named("depthwise", depthwise, true);
    let chain = chain.add_named("transposed", transposed, true);
    let chain = chain.add(layers::Reshape::new([12, 5]));
    let chain = chain.add_named("steps", layers::Conv1D::new(3, 4), true);
    let model = chain.build().unwrap();
    let folder = Folder::new();
    let path = folder.path("torch.safetensors");
    save_weights(&model, &path, Layout::PyTorch).unwrap();
    let file = std::fs::read(&path).unwrap();
    let length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&file[8..8 + length]).unwrap();
    // Number of the kernel here at (row, column, channel, filter); there, its place.
    let check = |layer: &str, shape: [usize; 4], place: fn([usize; 4]) -> [usize; 4]| {
        let kernel = &model.layer(layer).unwrap().weights[0];
        let found = &header[format!("{layer}.weight")];
        assert_eq!(found["shape"], serde_json::json!(shape), "{layer}");
        let start = found["data_offsets"][0].as_u64().unwrap() as usize + 8 + length;
        let [_, columns, channels, filters] = kernel.shape[..] else {
            panic!("{:?}", kernel.shape)
        };
        for (n, value) in kernel.values.iter().enumerate() {
            let pixel = n / filters / channels;
            let here = [
                pixel / columns,
                pixel % columns,
                n / filters % channels,
                n % filters,
            ];
            let [a, b, c, d] = place(here);
            let there = ((a * shape[1] + b) * shape[2] + c) * shape[3] + d;
            let bytes = &file[start + 4 * there..][..4];
            assert_eq!(bytes, value.to_le_bytes(), "{layer} {here:?}");
        }
    };
    check("conv", [4, 1, 2, 3], |[i, j, c, f]| [f, c, i, j]);
    check("depthwise", [8, 1, 3, 1], |[i, j, c, m]| {
        [c * 2 + m, 0, i, j]
    });
    check("transposed", [8, 5, 1, 2], |[i, j, o, c]| [c, o, i, j]);
    let mut other = model.clone();
    for weight in other.layers.iter_mut().flat_map(|layer| &mut layer.weights) {
        weight.values.fill(0.0);
    }
    other.load_weights(&path).unwrap();
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
