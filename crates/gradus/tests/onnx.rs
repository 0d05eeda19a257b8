//! Networks of PyTorch's exporters and skl2onnx, read; models written, and read again; damaged
//! files.

mod common;
#[allow(dead_code)]
#[path = "common/mutate.rs"]
mod mutate;
#[allow(dead_code)]
#[path = "common/random.rs"]
mod random;

use common::Folder;
use gradus::artifacts::onnx::{Inputs, load_onnx, save_onnx};
use gradus::data::{npz_keys, read_npy};
use gradus::layers::{
    Add, BatchNormalization, Concatenate, Flatten, LayerNormalization, MCAlphaDropout, MCDropout,
    Normalization, PReLU, Rescaling,
};
use gradus::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};

fn golden(name: &str) -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden_onnx");
    tests.join(name)
}

/// Every network there, by its name without the ending.
fn names() -> Vec<String> {
    let entries = fs::read_dir(golden("")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names
        .filter_map(|name| name.strip_suffix(".onnx").map(str::to_owned))
        .collect();
    names.sort_unstable();
    names
}

fn assert_near(found: &[f32], wanted: &[f32], what: &str) {
    assert_eq!(found.len(), wanted.len(), "{what}");
    for (found, wanted) in found.iter().zip(wanted) {
        let off = (found - wanted).abs() / wanted.abs().max(1.0);
        assert!(off <= 1e-5, "{what}: {found} instead of {wanted}");
    }
}

/// The inputs and the wanted numbers of a golden network.
fn expected(name: &str, model: &Model) -> (Dataset, Vec<f32>) {
    let file = golden(&format!("{name}.npz"));
    let array = |key: &str| read_npy(Path::new(&format!("{}:{key}", file.display()))).unwrap();
    let keys = npz_keys(&file).unwrap();
    let inputs = model.inputs.iter().map(|input| {
        let key = format!("x/{}", input.name);
        assert!(keys.contains(&key), "{name} has no {key}");
        array(&key)
    });
    let data = Dataset::from_parts(inputs.collect(), Vec::new()).unwrap();
    (data, array("y").to_f32())
}

#[test]
fn networks_of_other_libraries_predict_what_onnx_runtime_does() {
    let names = names();
    assert!(names.len() >= 36, "{names:?}");
    for name in names {
        let (model, notes) = load_onnx(golden(&format!("{name}.onnx")))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let (data, wanted) = expected(&name, &model);
        let found = model
            .predict(&data)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_near(&found.to_f32(), &wanted, &name);
        let labelled = ["skl_binary", "skl_classifier", "skl_zipmap"].contains(&&*name);
        assert_eq!(!notes.is_empty(), labelled, "{name}: {notes:?}");
        // It is a model like any other: it has a Keras file, and an ONNX file again.
        let folder = Folder::new();
        model.save(folder.path("m.keras")).unwrap();
        let loaded = Model::load(folder.path("m.keras")).unwrap();
        assert_eq!(loaded.predict(&data).unwrap(), found, "{name}");
        save_onnx(&model, folder.path("m.onnx"), Inputs::Raw).unwrap();
        let (again, _) = load_onnx(folder.path("m.onnx"))
            .unwrap_or_else(|error| panic!("{name} again: {error}"));
        assert_near(&again.predict(&data).unwrap().to_f32(), &wanted, &name);
    }
}

#[test]
fn axes_are_turned_only_where_they_must() {
    let classes = |name: &str| -> Vec<String> {
        let (model, _) = load_onnx(golden(name)).unwrap();
        let layers = model.layers.iter();
        layers.map(|layer| layer.rule.class().to_owned()).collect()
    };
    for exporter in ["script", "dynamo"] {
        let lenet = classes(&format!("torch_{exporter}_lenet.onnx"));
        let wanted = [
            "Permute",
            "Conv2D",
            "MaxPooling2D",
            "Conv2D",
            "AveragePooling2D",
            "Permute",
            "Flatten",
            "Dense",
            "LeakyReLU",
            "Dense",
            "Activation",
        ];
        let without = |classes: &[&str]| -> Vec<String> {
            classes
                .iter()
                .filter(|class| **class != "Activation")
                .map(|c| (*c).to_owned())
                .collect()
        };
        let found: Vec<&str> = lenet.iter().map(String::as_str).collect();
        assert_eq!(without(&found), without(&wanted), "{lenet:?}");
        let residual = classes(&format!("torch_{exporter}_residual.onnx"));
        let turns = residual.iter().filter(|class| *class == "Permute");
        assert_eq!(turns.count(), 1, "{residual:?}");
    }
    for name in ["channels_last.onnx", "keras_images.onnx"] {
        let last = classes(name);
        assert!(!last.contains(&"Permute".to_owned()), "{last:?}");
    }
}

#[test]
fn weights_in_another_file_are_read_within_the_folder_alone() {
    let folder = Folder::new();
    let file = fs::read(golden("external.onnx")).unwrap();
    let data = fs::read(golden("external.data")).unwrap();
    let path = folder.write("m.onnx", &file);
    let said = |path: &Path| load_onnx(path).unwrap_err().to_string();
    assert!(said(&path).contains("`external.data`"));
    folder.write("external.data", &data[..data.len() - 1]);
    let short = said(&path);
    assert!(
        short.contains("bytes from") && short.contains("which has"),
        "{short}"
    );
    folder.write("external.data", &data);
    assert!(load_onnx(&path).is_ok());
    // Names of one length, for the messages have lengths before them.
    for name in ["../secret.txt", "/etc/hostname", "folder/../abc"] {
        let mut other = file.clone();
        let place = b"external.data";
        let starts = 0..other.len() - place.len();
        let found: Vec<usize> = starts.filter(|&n| other[n..].starts_with(place)).collect();
        assert!(!found.is_empty() && name.len() == place.len());
        for n in found {
            other[n..n + place.len()].copy_from_slice(name.as_bytes());
        }
        let refused = said(&folder.write("other.onnx", &other));
        assert!(refused.contains("in the folder"), "{refused}");
    }
    #[cfg(unix)]
    {
        let outside = Folder::new();
        outside.write("data", &data);
        fs::remove_file(folder.path("external.data")).unwrap();
        std::os::unix::fs::symlink(outside.path("data"), folder.path("external.data")).unwrap();
        let refused = said(&path);
        assert!(refused.contains("no file in the folder"), "{refused}");
    }
}

#[test]
fn layers_are_those_of_the_graph() {
    let (model, _) = load_onnx(golden("torch_script_norms.onnx")).unwrap();
    let layers = model.layers.iter();
    let layers: Vec<(&str, &str)> = layers.map(|l| (l.name.as_str(), l.rule.class())).collect();
    let wanted = [
        ("0", "BatchNormalization"),
        ("1", "Dense"),
        ("2", "BatchNormalization"),
        ("3", "Activation"),
        ("5", "Dense"),
        ("6", "LayerNormalization"),
        ("7", "Activation"),
        ("8", "Dense"),
    ];
    assert_eq!(layers, wanted);
}

/// A model with most of what import knows, and rows for it.
fn own() -> (Model, Dataset) {
    let mut g = Functional::new().name("own");
    let x = g.input_named("x", [6]);
    let z = g.input_named("z", [2, 3]);
    let wide = g
        .layer(Normalization::new().given([2024.0; 6], [4.0; 6]), x)
        .unwrap();
    let a = g
        .layer(Dense::new(8).activation(Activation::Gelu), wide)
        .unwrap();
    let a = g.layer(BatchNormalization::new(), a).unwrap();
    let b = g
        .layer(Dense::new(4).activation(Activation::Mish), z)
        .unwrap();
    let b = g.layer(LayerNormalization::new(), b).unwrap();
    let b = g.layer(Flatten::new(), b).unwrap();
    let sum = g.layer(Add::new(), [a, b]).unwrap();
    let all = g.layer(Concatenate::new(), [sum, wide]).unwrap();
    let all = g.layer(PReLU::new(), all).unwrap();
    let all = g.layer(Rescaling::new(0.5).offset(0.1), all).unwrap();
    let y = g
        .layer_named("y", Dense::new(3).activation(Activation::Softmax), all)
        .unwrap();
    let model = g.seed(4).model([y, b]).unwrap();
    let row = |size: usize, from: f32| {
        (0..5 * size)
            .map(|n| from + (n as f32 * 0.7).sin())
            .collect()
    };
    let x = Tensor::from_f32([6], row(6, 2024.0)).unwrap();
    let z = Tensor::from_f32([2, 3], row(6, 0.0)).unwrap();
    (model, Dataset::from_parts(vec![x, z], Vec::new()).unwrap())
}

#[test]
fn a_model_that_was_written_is_read_again() {
    let folder = Folder::new();
    let (model, data) = own();
    save_onnx(&model, folder.path("own.onnx"), Inputs::Raw).unwrap();
    let (again, notes) = load_onnx(folder.path("own.onnx")).unwrap();
    assert!(notes.is_empty(), "{notes:?}");
    assert_eq!(again.name, "own");
    let names: Vec<&str> = again.inputs.iter().map(|input| &*input.name).collect();
    assert_eq!(names, ["x", "z"]);
    let (wanted, found) = (
        model.predict_all(&data).unwrap(),
        again.predict_all(&data).unwrap(),
    );
    for (found, wanted) in found.iter().zip(&wanted) {
        assert_near(&found.to_f32(), &wanted.to_f32(), "own");
    }
    let count = |model: &Model| {
        model
            .weights()
            .map(|weight| weight.values.len())
            .sum::<usize>()
    };
    assert_eq!(count(&again), count(&model));
}

#[test]
fn what_onnx_cannot_say_is_refused_by_name_and_all_at_once() {
    let model = Sequential::new()
        .input([3])
        .add(MCDropout::new(0.5))
        .add(Dense::new(2))
        .add(MCAlphaDropout::new(0.1))
        .build()
        .unwrap();
    let folder = Folder::new();
    let error = save_onnx(&model, folder.path("m.onnx"), Inputs::Raw).unwrap_err();
    let said = error.to_string();
    for part in [
        "mc_dropout (MCDropout)",
        "mc_alpha_dropout (MCAlphaDropout)",
        "random numbers",
        "m.onnx",
    ] {
        assert!(said.contains(part), "{said}");
    }
    assert!(!folder.path("m.onnx").exists());
}

#[test]
fn every_activation_is_written_and_read_again() {
    let folder = Folder::new();
    let numbers: Vec<f32> = (0..700).map(|n| (n as f32 - 350.0) * 0.031).collect();
    let data = Dataset::unlabelled(Tensor::from_f32([7], numbers).unwrap());
    let known = Activation::MEMBERS.iter();
    for name in known.filter_map(|member| member.aliases.first()) {
        // Some have no usual arguments.
        let Ok(activation) = Activation::from_config("", &(*name).into()) else {
            continue;
        };
        let dense = Dense::new(7).activation(activation);
        let model = Sequential::new().input([7]).add(dense).build().unwrap();
        save_onnx(&model, folder.path("m.onnx"), Inputs::Raw).unwrap();
        let (again, _) = load_onnx(folder.path("m.onnx")).unwrap();
        let (wanted, found) = (model.predict(&data).unwrap(), again.predict(&data).unwrap());
        assert_near(&found.to_f32(), &wanted.to_f32(), name);
        // As one layer again.
        assert_eq!(again.layers.len(), 1, "{name}: {:?}", again.layers);
    }
}

#[test]
fn what_is_not_read_is_refused_by_name_and_all_at_once() {
    let said = |name: &str| load_onnx(golden(name)).unwrap_err().to_string();
    let unread = said("refused/unread.onnx");
    for part in ["unread.onnx", "`/conv/Conv` (Conv)", "`/CumSum` (CumSum)"] {
        assert!(unread.contains(part), "{unread}");
    }
    let external = said("refused/external.onnx");
    assert!(
        external.contains("`external.data`") && external.contains("weight"),
        "{external}"
    );
    let pool = said("refused/pool.onnx");
    assert!(
        pool.contains("(MaxPool)") && pool.contains("negative"),
        "{pool}"
    );
}

#[test]
fn damaged_files_are_errors() {
    let folder = Folder::new();
    save_onnx(&own().0, folder.path("own.onnx"), Inputs::Raw).unwrap();
    let own = folder.read("own.onnx");
    let files = [
        "torch_script_norms.onnx",
        "torch_dynamo_wide.onnx",
        "skl_zipmap.onnx",
        "torch_script_residual.onnx",
        "torch_dynamo_mobile.onnx",
        "torch_script_decoder.onnx",
        "torch_script_sequence.onnx",
        "channels_last.onnx",
    ];
    let files = files.iter().map(|name| fs::read(golden(name)).unwrap());
    for (n, bytes) in files.chain([own]).enumerate() {
        for case in 0..150 {
            let damaged = mutate::mutate(bytes.clone(), n * 1000 + case);
            let path = folder.write("damaged.onnx", &damaged);
            if let Ok((model, _)) = load_onnx(path) {
                // Numbers were damaged, or texts: it still predicts something.
                assert!(model.is_built());
            }
        }
        for end in (0..bytes.len()).step_by(bytes.len() / 60) {
            let path = folder.write("cut.onnx", &bytes[..end]);
            if let Err(error) = load_onnx(path) {
                assert!(error.to_string().contains("cut.onnx"), "{error}");
            }
        }
    }
}
