//! Quantized models: Keras' numbers and files, what may be done with them and what may not.

mod common;

use common::Folder;
use gradus::layers::{DenseTranspose, Embedding, Quantization};
use gradus::prelude::*;
use serde_json::Value;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};

/// The models of `golden_quantized/make.py`.
const GOLDEN: [&str; 3] = ["dense", "positions", "embedding"];

fn golden(name: &str) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden_quantized");
    Path::new(folder).join(name)
}

/// The inputs of a golden model, and Keras' predictions.
fn rows(name: &str) -> (Tensor, Vec<f32>) {
    let text = std::fs::read_to_string(golden(&format!("{name}.json"))).unwrap();
    let kept: Value = serde_json::from_str(&text).unwrap();
    let numbers = |key: &str| -> Vec<f32> { serde_json::from_value(kept[key].clone()).unwrap() };
    let shape: Vec<usize> = serde_json::from_value(kept["shape"].clone()).unwrap();
    (
        Tensor::from_f32(&shape[1..], numbers("x")).unwrap(),
        numbers("y"),
    )
}

fn close(found: &Tensor, expected: &[f32], name: &str) {
    let found = found.to_f32();
    assert_eq!(found.len(), expected.len(), "{name}");
    for (found, expected) in found.iter().zip(expected) {
        let difference = (found - expected).abs();
        assert!(
            difference <= 1e-6 * expected.abs().max(1.0),
            "{name}: {found}, Keras {expected}"
        );
    }
}

/// A model with an embedding, or two dense layers and one that stays.
fn float(dense: bool) -> Model {
    let chain = Sequential::new().seed(3);
    match dense {
        true => chain
            .input([6])
            .add(
                Dense::new(40)
                    .activation(Activation::Elu)
                    .kernel_regularizer(L2::new(0.1)),
            )
            .add(BatchNormalization::new())
            .add(Dense::new(3).activation(Activation::Softmax)),
        false => chain
            .input([3])
            .add(Embedding::new(20, 16))
            .add(Flatten::new())
            .add(Dense::new(2)),
    }
    .build()
    .unwrap()
}

/// The same, quantized.
fn quantized(dense: bool) -> Model {
    let mut model = float(dense);
    model.quantize(Quantization::Int8).unwrap();
    model
}

fn data() -> Dataset {
    let x = (0..30 * 6)
        .map(|i| (i * 37 % 101) as f32 / 50.0 - 1.0)
        .collect();
    let y = (0..30).map(|i| (i % 3) as f32).collect();
    let x = Tensor::from_f32([6], x).unwrap();
    Dataset::new(x, Tensor::from_column(y).unwrap()).unwrap()
}

fn compiled(mut model: Model) -> Model {
    model
        .compile(
            Adam::new(),
            Loss::SparseCategoricalCrossentropy,
            &[Metric::Accuracy],
        )
        .unwrap();
    model
}

#[test]
fn kerass_files_are_read_and_predict_the_same() {
    for name in GOLDEN {
        let model = Model::load(golden(&format!("{name}.keras"))).unwrap();
        let (x, expected) = rows(name);
        close(&model.predict(x).unwrap(), &expected, name);
    }
}

#[test]
fn quantizing_gives_kerass_weights() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("quantized");
    std::fs::create_dir_all(&folder).unwrap();
    for name in GOLDEN {
        let mut model = Model::load(golden(&format!("{name}_float.keras"))).unwrap();
        model.quantize(Quantization::Int8).unwrap();
        let expected = Model::load(golden(&format!("{name}.keras"))).unwrap();
        assert_eq!(model.layers, expected.layers, "{name}");
        // `golden_quantized/make.py` gives them back to Keras.
        let path = folder.join(format!("{name}.keras"));
        model.save(&path).unwrap();
        assert_eq!(
            Model::load(&path).unwrap().layers,
            expected.layers,
            "{name}"
        );
        let weights = folder.join(format!("{name}.weights.h5"));
        model.save_weights(&weights).unwrap();
        let mut other = expected.clone();
        let scales = other.layers.iter_mut().flat_map(|l| &mut l.weights);
        scales.for_each(|weight| weight.values.fill(0.0));
        other.load_weights(&weights).unwrap();
        assert_eq!(other.layers, expected.layers, "{name}");
    }
}

#[test]
fn weights_of_every_format_come_back() {
    let folder = Folder::new();
    for format in ["w.weights.h5", "w.safetensors", "w.npz"] {
        for dense in [true, false] {
            let model = quantized(dense);
            model.save_weights(folder.path(format)).unwrap();
            let mut other = model.clone();
            for weight in other.layers.iter_mut().flat_map(|l| &mut l.weights) {
                weight.values.fill(0.0);
            }
            other.load_weights(folder.path(format)).unwrap();
            assert_eq!(other.layers, model.layers, "{format}");
            let by_name = other.load_weights_by_name(folder.path(format));
            assert!(by_name.unwrap().is_complete(), "{format}");
            // Whole numbers are nothing for a layer of floats, nor the other way round.
            let mut plain = float(dense);
            let problem = plain.load_weights_by_name(folder.path(format)).unwrap_err();
            assert!(
                problem.to_string().contains("is quantized"),
                "{format}: {problem}"
            );
            plain.save_weights(folder.path(format)).unwrap();
            let problem = other.load_weights_by_name(folder.path(format)).unwrap_err();
            assert!(
                problem.to_string().contains("is not int8"),
                "{format}: {problem}"
            );
        }
    }
}

#[test]
fn the_file_is_a_quarter_of_the_size() {
    let folder = Folder::new();
    let wide = Sequential::new()
        .input([784])
        .add(Dense::new(300))
        .add(Dense::new(100));
    let mut model = wide.build().unwrap();
    let size = |model: &Model| {
        model.save(folder.path("m.keras")).unwrap();
        folder.read("m.keras").len() as f64
    };
    let before = size(&model);
    model.quantize(Quantization::Int8).unwrap();
    let ratio = size(&model) / before;
    assert!(ratio < 0.27, "{ratio}");
    assert!(
        model
            .summary()
            .unwrap()
            .contains("Non-trainable params: 265,600")
    );
}

#[test]
fn each_layer_is_quantized_or_left_for_a_reason() {
    let mut graph = Functional::new();
    let x = graph.input([4]);
    let code = graph.layer_named("code", Dense::new(3), x).unwrap();
    let y = graph.layer(BatchNormalization::new(), code).unwrap();
    let y = graph.layer(Dropout::new(0.5), y).unwrap();
    let y = graph
        .layer_named("back", DenseTranspose::new(4, "code"), y)
        .unwrap();
    let y = graph.layer_named("broken", Dense::new(2), y).unwrap();
    let y = graph.layer_named("last", Dense::new(2), y).unwrap();
    let mut model = graph.model(y).unwrap();
    model.layer_mut("broken").unwrap().weights[0].values[1] = f32::NAN;
    let done = model.quantize(Quantization::Int8).unwrap();
    assert_eq!(done.layers, ["last"]);
    let reasons: Vec<(&str, &str)> = done.left.iter().map(|(l, r)| (&**l, &**r)).collect();
    let expected = [
        ("code", "another layer shares its kernel"),
        ("batch_normalization", "a layer without an int8 form"),
        ("back", "a layer without an int8 form"),
        ("broken", "NaN"),
    ];
    assert_eq!(reasons.len(), expected.len(), "{reasons:?}");
    for ((layer, reason), (name, part)) in reasons.into_iter().zip(expected) {
        assert!(layer == name && reason.contains(part), "{layer}: {reason}");
    }
    let again = model.clone().quantize(Quantization::Int8).unwrap();
    assert!(again.layers.is_empty());
    assert!(
        again
            .left
            .iter()
            .any(|(l, reason)| l == "last" && reason.contains("int8"))
    );
    let unbuilt = Sequential::new().add(Dense::new(2)).build().unwrap();
    let error = unbuilt.clone().quantize(Quantization::Int8).unwrap_err();
    assert!(error.to_string().contains("no weights yet"), "{error}");
    assert!("int4".parse::<Quantization>().is_err());
    let refused = model.zero_below(0.1).unwrap_err().to_string();
    assert!(refused.contains("layer last"), "{refused}");
}

#[test]
fn a_quantized_layer_is_evaluated_and_not_trained() {
    let mut model = compiled(quantized(true));
    let loss = model.evaluate(data()).unwrap();
    assert!(loss.get("loss").unwrap().is_finite());
    let before = model.clone();
    let refused = model.fit(data(), Fit::new()).unwrap_err().to_string();
    assert!(
        refused.contains("layer dense") && refused.contains("int8"),
        "{refused}"
    );
    let finder = gradus::train::LearningRateFinder::new();
    let refused = model
        .find_learning_rate(data(), finder)
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("layer dense") && refused.contains("int8"),
        "{refused}"
    );
    assert_eq!(model, before);
    // Frozen layers are trained behind, not before.
    for name in ["dense", "dense_1"] {
        model.set_trainable(name, false).unwrap();
    }
    let refused = model.fit(data(), Fit::new()).unwrap_err().to_string();
    assert!(refused.contains("layer dense_1"), "{refused}");
    let base = quantized(true);
    let mut model = Sequential::new()
        .add_layers(&base, ..2)
        .unwrap()
        .add(Dense::new(3));
    model = model.seed(1);
    let mut model = compiled(model.build().unwrap());
    model.set_trainable("dense", false).unwrap();
    let frozen = model.layer("dense").unwrap().clone();
    let rows = data();
    model.fit(&rows, Fit::new().epochs(2)).unwrap();
    assert_eq!(*model.layer("dense").unwrap(), frozen);
}

#[test]
fn a_row_does_not_depend_on_its_neighbours_or_on_threads() {
    let model = quantized(true);
    let x = data();
    let whole = model.predict(&x).unwrap().to_f32();
    for threads in [1, 2, 3] {
        gradus::set_threads(threads);
        assert_eq!(model.predict(&x).unwrap().to_f32(), whole);
    }
    gradus::set_threads(0);
    let predictor = model.predictor().unwrap();
    let inputs = x.inputs()[0].to_f32();
    for (row, expected) in inputs.chunks(6).zip(whole.chunks(3)) {
        let mut found = [0.0; 3];
        predictor.predict_into(row, &mut found).unwrap();
        assert_eq!(found, expected);
    }
}

#[test]
fn weights_that_are_no_int8_are_refused() {
    let folder = Folder::new();
    for number in [0.5, 128.0, -129.0, f32::NAN] {
        let mut model = quantized(true);
        model.layer_mut("dense").unwrap().weights[0].values[3] = number;
        let problems = [
            model.save(folder.path("m.keras")).unwrap_err(),
            model.predict(data()).unwrap_err(),
        ];
        for problem in problems {
            let problem = problem.to_string();
            assert!(problem.contains("layer dense: kernel"), "{problem}");
        }
    }
    assert!(folder.names("").is_empty());
}

/// The error for a golden file whose configuration was changed.
fn problem(change: impl Fn(&mut Value)) -> String {
    let bytes = std::fs::read(golden("dense.keras")).unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut changed = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for n in 0..archive.len() {
        let mut entry = archive.by_index(n).unwrap();
        let name = entry.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        if name == "config.json" {
            let mut config: Value = serde_json::from_slice(&bytes).unwrap();
            change(&mut config["config"]["layers"][1]["config"]);
            bytes = config.to_string().into_bytes();
        }
        let options = zip::write::SimpleFileOptions::default();
        changed.start_file(name, options).unwrap();
        changed.write_all(&bytes).unwrap();
    }
    let folder = Folder::new();
    let path = folder.write("m.keras", changed.finish().unwrap().into_inner());
    Model::load(path)
        .map(|_| ())
        .map_or_else(|error| error.to_string(), |()| String::new())
}

#[test]
fn a_configuration_has_no_quantization() {
    let table = serde_json::json!({ "type": "Dense", "units": 3, "quantization": "int8" });
    let problem = Layer::from_config("", &table).unwrap_err().to_string();
    assert!(problem.contains("quantization"), "{problem}");
    let layer = quantized(true).layers.remove(0).rule;
    assert!(!layer.to_config().to_string().contains("int8"));
}

#[test]
fn other_quantizations_are_named() {
    let quantizer = |config: &mut Value, key: &str, value: Value| {
        config["quantization_config"]["config"]["activation_quantizer"]["config"][key] = value;
    };
    let of_inputs = "quantization_config.activation_quantizer";
    type Change = Box<dyn Fn(&mut Value)>;
    let refused: Vec<(Change, &str)> = vec![
        (
            Box::new(|c| c["dtype"]["config"]["mode"] = "float8".into()),
            "float8_from_float32",
        ),
        (
            Box::new(|c| c["dtype"]["config"]["source_name"] = "mixed_bfloat16".into()),
            "int8_from_mixed_bfloat16",
        ),
        (
            Box::new(|c| c["dtype"] = "float32".into()),
            "quantization_config",
        ),
        (
            Box::new(|c| c["quantization_config"]["config"]["activation_quantizer"] = Value::Null),
            "found none",
        ),
        (
            Box::new(move |c| quantizer(c, "value_range", [-7, 7].into())),
            of_inputs,
        ),
        (
            Box::new(move |c| quantizer(c, "epsilon", 0.1.into())),
            of_inputs,
        ),
        (
            Box::new(move |c| quantizer(c, "epsilon", Value::Null)),
            of_inputs,
        ),
        (Box::new(|c| c["lora_rank"] = 4.into()), "lora_rank"),
        (Box::new(|c| c["units"] = 18.into()), "kernel"),
    ];
    for (change, part) in refused {
        let problem = problem(change);
        assert!(problem.contains(part), "{part}: {problem}");
    }
    assert_eq!(problem(|_| ()), "");
    assert_eq!(
        problem(|config| config["quantization_config"] = Value::Null),
        ""
    );
    assert_eq!(
        problem(|config| config["dtype"] = "int8_from_float32".into()),
        ""
    );
}

#[test]
fn sums_stay_exact_up_to_the_most_inputs() {
    let mut model = Sequential::new()
        .input([132_104])
        .add(Dense::new(3).kernel_initializer(Initializer::Ones))
        .build()
        .unwrap();
    model.quantize(Quantization::Int8).unwrap();
    let x = Tensor::from_f32([132_104], vec![1.0; 132_104]).unwrap();
    let found = model.predict(x).unwrap().to_f32();
    assert!(
        found.iter().all(|y| (y - 132_104.0).abs() < 0.1),
        "{found:?}"
    );
}

#[test]
fn an_int8_kernel_of_too_many_inputs_is_left() {
    let mut model = Sequential::new()
        .input([132_105])
        .add(Dense::new(1))
        .add(Dense::new(1))
        .build()
        .unwrap();
    let done = model.quantize(Quantization::Int8).unwrap();
    assert_eq!(done.layers, ["dense_1"]);
    assert!(done.left[0].1.contains("at most 132104"), "{:?}", done.left);
}
