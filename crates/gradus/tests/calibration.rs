//! Ranges of the inputs of layers, against numpy's; the ONNX files with them. What ONNX Runtime computes
//! of such files is looked at by `.ci/onnx.py`.

mod common;

use common::Folder;
use gradus::artifacts::onnx::{Inputs, Int8, save_onnx, save_onnx_int8};
use gradus::data::{Data, Generator, NpyRows, Stream, npz_keys, read_npy, write_npy};
use gradus::layers::{
    Conv2D, DepthwiseConv2D, GlobalAveragePooling2D, Quantization, SeparableConv2D,
};
use gradus::optimize::{Calibration, CalibrationMethod, calibrate};
use gradus::prelude::*;
use std::path::Path;

const METHODS: [CalibrationMethod; 3] = [
    CalibrationMethod::MinMax,
    CalibrationMethod::Percentile(99.9),
    CalibrationMethod::Entropy,
];

/// A model whose first layer takes the numbers of the rows.
fn taker() -> Model {
    let model = Sequential::new().input([1]).add(Dense::new(2));
    model.build().unwrap()
}

fn range(calibration: &Calibration) -> (f32, f32) {
    assert_eq!(calibration.ranges[0].layer, "dense");
    (calibration.ranges[0].min, calibration.ranges[0].max)
}

fn array(key: &str) -> Tensor {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/golden_quantized/ranges.npz"
    );
    read_npy(Path::new(&format!("{file}:{key}"))).unwrap()
}

#[test]
fn ranges_are_those_of_numpy() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/golden_quantized/ranges.npz"
    );
    let keys = npz_keys(Path::new(file)).unwrap();
    let names: Vec<&str> = keys
        .iter()
        .filter_map(|key| key.strip_suffix("/x"))
        .collect();
    assert_eq!(names.len(), 7, "{keys:?}");
    for name in names {
        let x = array(&format!("{name}/x"));
        let numbers = x.to_f32();
        let largest = numbers.iter().fold(0.0_f32, |a, b| a.max(b.abs()));
        let span = numbers.iter().fold(f32::NEG_INFINITY, |a, &b| a.max(b))
            - numbers.iter().fold(f32::INFINITY, |a, &b| a.min(b));
        for method in METHODS {
            let wanted = array(&format!("{name}/{}", method.name())).to_f32();
            let found = calibrate(&taker(), &x.clone().into(), method).unwrap();
            let (min, max) = range(&found);
            let off = match method {
                CalibrationMethod::MinMax => 0.0,
                CalibrationMethod::Percentile(_) => span / 30_000.0,
                _ => largest * 1e-5,
            };
            let near = (min - wanted[0]).abs() <= off && (max - wanted[1]).abs() <= off;
            assert!(
                near,
                "{name}, {method:?}: {min} to {max} instead of {wanted:?}"
            );
        }
    }
}

#[test]
fn parts_of_the_rows_give_the_range_of_all() {
    let folder = Folder::new();
    let x = array("heavy/x");
    let path = folder.path("x.npy");
    let mut file = std::fs::File::create(&path).unwrap();
    write_npy(&mut file, x.shape(), &x.to_f32()).unwrap();
    drop(file);
    for method in METHODS {
        let rows = NpyRows::from_parts(&[&path], &[""; 0]).unwrap();
        let streamed = Data::Stream(Stream::new(rows).unwrap().memory(100_000));
        let found = calibrate(&taker(), &streamed, method).unwrap();
        assert_eq!(
            found,
            calibrate(&taker(), &x.clone().into(), method).unwrap()
        );
    }
}

/// A network of pictures with each kind of product, one layer used twice.
fn pictures() -> (Model, Tensor) {
    let mut g = Functional::new();
    let x = g.input_named("x", [6, 6, 2]);
    let conv = Conv2D::new(4, 3).padding(layers::Padding::Same);
    let a = g
        .layer_named("conv", conv.activation(Activation::Relu), x)
        .unwrap();
    let b = g
        .layer_named("depthwise", DepthwiseConv2D::new(3).use_bias(false), a)
        .unwrap();
    let b = g
        .layer_named("separable", SeparableConv2D::new(5, 1), b)
        .unwrap();
    let b = g.layer_named("pixel", Conv2D::new(4, 1), b).unwrap();
    let shared = g.share_named("shared", Dense::new(4).activation(Activation::Tanh));
    let b = g.call(shared, b).unwrap();
    let b = g.call(shared, b).unwrap();
    let b = g.layer(BatchNormalization::new(), b).unwrap();
    let b = g.layer(GlobalAveragePooling2D::new(), b).unwrap();
    let y = g.layer_named("y", Dense::new(3), b).unwrap();
    let model = g.seed(8).model(y).unwrap();
    let numbers = (0..40 * 72)
        .map(|n| (n as f32 * 0.37).sin() * 2.0)
        .collect();
    (model, Tensor::from_f32([6, 6, 2], numbers).unwrap())
}

#[test]
fn each_use_of_a_product_has_a_range_and_other_layers_are_named() {
    let (model, x) = pictures();
    let found = calibrate(&model, &x.clone().into(), CalibrationMethod::MinMax).unwrap();
    let layers: Vec<&str> = found.ranges.iter().map(|of| &*of.layer).collect();
    assert_eq!(
        layers,
        ["conv", "depthwise", "pixel", "shared", "shared", "y"]
    );
    let left: Vec<&str> = found.left.iter().map(|(layer, _)| &**layer).collect();
    assert_eq!(left, ["separable", "batch_normalization"]);
    // Each is the range of what the layer before gives.
    let before = ["conv", "separable", "pixel"];
    for (layer, of) in before.into_iter().zip(&found.ranges[1..]) {
        let made = model.up_to(&[layer]).unwrap().predict(&x).unwrap().to_f32();
        let min = made.iter().fold(f32::INFINITY, |a, &b| a.min(b));
        let max = made.iter().fold(f32::NEG_INFINITY, |a, &b| a.max(b));
        assert_eq!((of.min, of.max), (min, max), "{layer}");
    }
    assert_ne!(found.ranges[3].min, found.ranges[4].min);
}

#[test]
fn a_file_with_int8_weights_is_written() {
    let folder = Folder::new();
    let model = Sequential::new()
        .input([100])
        .add(Dense::new(200).activation(Activation::Relu))
        .add(Dense::new(10));
    let model = model.build().unwrap();
    let x = Tensor::from_f32([100], (0..5000).map(|n| (n as f32).cos()).collect()).unwrap();
    let found = calibrate(&model, &x.into(), CalibrationMethod::Entropy).unwrap();
    let int8 = Int8::new(&found);
    save_onnx_int8(&model, folder.path("q.onnx"), Inputs::Core, int8).unwrap();
    save_onnx(&model, folder.path("f.onnx"), Inputs::Core).unwrap();
    let (small, large) = (folder.read("q.onnx"), folder.read("f.onnx"));
    assert!(
        small.len() * 100 < large.len() * 31,
        "{} {}",
        small.len(),
        large.len()
    );
    let has = |text: &[u8]| small.windows(text.len()).any(|part| part == text);
    assert!(has(b"QuantizeLinear") && has(b"DequantizeLinear"));
    save_onnx_int8(
        &model,
        folder.path("7.onnx"),
        Inputs::Core,
        int8.reduce_range(true),
    )
    .unwrap();
    assert_ne!(folder.read("7.onnx"), small);
}

#[test]
fn ranges_of_another_model_are_refused() {
    let folder = Folder::new();
    let (model, x) = pictures();
    let mut found = calibrate(&model, &x.into(), CalibrationMethod::MinMax).unwrap();
    let refused = |model: &Model, found: &Calibration| {
        let path = folder.path("q.onnx");
        let saved = save_onnx_int8(model, path, Inputs::Raw, Int8::new(found));
        saved.unwrap_err().to_string()
    };
    let said = refused(&taker(), &found);
    assert!(
        said.contains("conv") && said.contains("of this model"),
        "{said}"
    );
    found.ranges[0].max = f32::NAN;
    let said = refused(&model, &found);
    assert!(said.contains("NaN") && said.contains("conv"), "{said}");
    assert!(!folder.path("q.onnx").exists());
}

#[test]
fn rows_and_models_that_give_no_ranges_are_refused() {
    let said = |model: &Model, rows: Data, method| {
        let found = calibrate(model, &rows, method);
        found.unwrap_err().to_string()
    };
    let min_max = CalibrationMethod::MinMax;
    let one = |x: f32| Tensor::from_f32([1], vec![1.0, x]).unwrap();
    let nan = said(&taker(), one(f32::NAN).into(), min_max);
    assert!(
        nan.contains("input of layer dense") && nan.contains("NaN"),
        "{nan}"
    );
    let none = Tensor::from_f32([1], Vec::new()).unwrap();
    let none = said(&taker(), none.into(), min_max);
    assert!(none.contains("rows"), "{none}");
    for percentile in [50.0, 100.1, f64::NAN] {
        let method = CalibrationMethod::Percentile(percentile);
        let wrong = said(&taker(), one(2.0).into(), method);
        assert!(
            wrong.contains("percentile") && wrong.contains("above 50"),
            "{wrong}"
        );
    }
    let plain = Sequential::new().input([1]).add(BatchNormalization::new());
    let plain = said(&plain.build().unwrap(), one(2.0).into(), min_max);
    assert!(plain.contains("without a Dense"), "{plain}");
    let mut whole = taker();
    whole.quantize(Quantization::Int8).unwrap();
    let whole = said(&whole, one(2.0).into(), min_max);
    assert!(whole.contains("float numbers"), "{whole}");
    let batches = vec![Ok(Dataset::unlabelled(one(2.0)))];
    let once = Data::Generator(Generator::new(batches).unwrap());
    let once = said(&taker(), once, min_max);
    assert!(once.contains("generator"), "{once}");
    let unknown = "minmax"
        .parse::<CalibrationMethod>()
        .unwrap_err()
        .to_string();
    assert!(unknown.contains("`min-max`"), "{unknown}");
}
