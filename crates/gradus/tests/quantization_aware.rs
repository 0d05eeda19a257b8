//! Quantization-aware training: held against PyTorch's fake quantization, through files, checkpoints and int8
//! files. What ONNX Runtime computes of such files is looked at by `.ci/onnx.py`.

mod common;

use common::Folder;
use gradus::artifacts::onnx::{Inputs, Int8, save_onnx, save_onnx_int8};
use gradus::data::read_npy;
use gradus::experiment::{Event, Experiment};
use gradus::layers::{Conv2D, DepthwiseConv2D, Quantization};
use gradus::optimize::{Calibration, CalibrationMethod, calibrate, fold};
use gradus::prelude::*;
use gradus::train::QuantizationAware;
use gradus::train::callbacks::Progress;
use gradus::{Error, Result};
use std::path::Path;

fn array(key: &str) -> Tensor {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/golden_quantized/aware.npz"
    );
    read_npy(Path::new(&format!("{file}:{key}"))).unwrap()
}

/// Weights, and the ranges of layers' inputs.
type Learned = (Vec<Vec<f32>>, Vec<[f32; 2]>);

/// Takes down what was learned behind each step.
#[derive(Default)]
struct Steps(Vec<Learned>);

impl Callback for Steps {
    fn on_train_batch_end(&mut self, _: &Progress<'_>, training: &mut Training<'_>) -> Result<()> {
        let model = training.model();
        let weights = model.weights().map(|w| w.values.clone()).collect();
        self.0.push((weights, ranges(model)));
        Ok(())
    }
}

/// The learned ranges, layer by layer.
fn ranges(model: &Model) -> Vec<[f32; 2]> {
    let layers = model.layers.iter();
    layers.filter_map(|layer| layer.input_range).collect()
}

fn aware() -> Fit<'static> {
    Fit::new().quantization_aware(QuantizationAware::new())
}

fn near(found: &[f32], wanted: &[f32], what: &str) {
    assert_eq!(found.len(), wanted.len(), "{what}");
    for (a, b) in found.iter().zip(wanted) {
        assert!((a - b).abs() <= 1e-5, "{what}: {a} instead of {b}");
    }
}

fn trains_as_pytorch(name: &str, model: Sequential) {
    let mut model = model
        .compile(SGD::new().learning_rate(0.05), "mse", &[])
        .unwrap();
    let shape = array(&format!("{name}/x")).shape().clone();
    model.build(&[shape]).unwrap();
    let mut n = 0;
    for layer in &mut model.layers {
        for weight in &mut layer.weights {
            let first = array(&format!("{name}/0/{n}")).to_f32();
            weight.set(&first).unwrap();
            n += 1;
        }
    }
    let data = Dataset::new(array(&format!("{name}/x")), array(&format!("{name}/y"))).unwrap();
    let mut steps = Steps::default();
    let options = aware().batch_size(8).shuffle(false).callback(&mut steps);
    model.fit(&data, options).unwrap();
    assert_eq!(steps.0.len(), 6);
    for (step, (weights, ranges)) in steps.0.iter().enumerate() {
        let step = step + 1;
        for (n, found) in weights.iter().enumerate() {
            let wanted = array(&format!("{name}/{step}/{n}")).to_f32();
            near(found, &wanted, &format!("{name}, step {step}, weight {n}"));
        }
        let wanted = array(&format!("{name}/{step}/ranges")).to_f32();
        near(&ranges.concat(), &wanted, &format!("{name}, step {step}"));
    }
    assert_eq!(ranges(&model), steps.0[5].1);
}

#[test]
fn dense_layers_train_as_pytorch_has_it() {
    let layers = Sequential::new()
        .add(Dense::new(7).activation(Activation::Relu))
        .add(Dense::new(3));
    trains_as_pytorch("dense", layers);
}

#[test]
fn convolutions_train_as_pytorch_has_it() {
    let layers = Sequential::new()
        .add(Conv2D::new(4, 3).activation(Activation::Tanh))
        .add(
            DepthwiseConv2D::new(2)
                .depth_multiplier(2)
                .activation(Activation::Relu),
        )
        .add(Flatten::new())
        .add(Dense::new(3));
    trains_as_pytorch("pictures", layers);
}

/// Digits, and a network with batch normalization and dropout.
fn digits() -> (Dataset, Model) {
    let data = data::digits(Split::Train).unwrap().slice(0..320).unwrap();
    let model = Sequential::new()
        .seed(3)
        .add(Flatten::new())
        .add(Dense::new(24).use_bias(false))
        .add(BatchNormalization::new())
        .add(layers::Activation::new("relu"))
        .add(Dropout::new(0.1))
        .add(Dense::new(16).activation(Activation::Elu))
        .add(Dense::new(10).activation(Activation::Softmax))
        .compile(
            Adam::new(),
            Loss::SparseCategoricalCrossentropy,
            &[Metric::Accuracy],
        )
        .unwrap();
    (data, model)
}

fn bits(tensor: &Tensor) -> Vec<u32> {
    tensor.to_f32().iter().map(|x| x.to_bits()).collect()
}

#[test]
fn a_file_keeps_the_ranges_and_predicts_the_same() {
    let folder = Folder::new();
    let (data, mut model) = digits();
    model.fit(&data, aware().epochs(2)).unwrap();
    assert!(model.is_quantization_aware());
    assert!(
        model
            .summary()
            .unwrap()
            .contains("Quantization-aware: dense, dense_1, dense_2")
    );
    let x = data.inputs()[0].clone();
    let wanted = bits(&model.predict(x.clone()).unwrap());
    model.save(folder.path("m.keras")).unwrap();
    let loaded = Model::load(folder.path("m.keras")).unwrap();
    assert_eq!(ranges(&loaded), ranges(&model));
    assert_eq!(bits(&loaded.predict(x.clone()).unwrap()), wanted);

    // Without the ranges it is the float network.
    let mut floats = model.clone();
    floats.layers.iter_mut().for_each(|l| l.input_range = None);
    assert!(!floats.is_quantization_aware());
    let other = floats.predict(x.clone()).unwrap().to_f32();
    let off = other.iter().zip(model.predict(x).unwrap().to_f32());
    let worst = off.fold(0.0_f32, |most, (a, b)| most.max((a - b).abs()));
    assert!(worst > 1e-3, "{worst}");

    // A range that no batch has moved yet.
    let mut fresh = loaded;
    fresh.layers[1].input_range = Some([f32::INFINITY, f32::NEG_INFINITY]);
    fresh.save(folder.path("f.keras")).unwrap();
    let again = Model::load(folder.path("f.keras")).unwrap();
    assert_eq!(again.layers[1].input_range, fresh.layers[1].input_range);
    let error = Calibration::learned(&again).unwrap_err().to_string();
    assert!(error.starts_with("layer dense: "), "{error}");
}

#[test]
fn validation_rounds_as_evaluation_does() {
    let (data, model) = digits();
    let x = data.inputs()[0].clone();
    let rows = Dataset::new(x.clone(), x.reshaped([64]).unwrap()).unwrap();
    // A kernel that another layer takes, which is not rounded there.
    let tied = Sequential::new()
        .add(Flatten::new())
        .add_named("code", Dense::new(16).activation(Activation::Elu), true)
        .add(layers::DenseTranspose::new(64, "code"))
        .compile(Adam::new(), "mse", &[])
        .unwrap();
    for (mut model, data) in [(model, data), (tied, rows)] {
        let options = aware().epochs(2).validation_data(data.clone());
        let history = model.fit(&data, options).unwrap();
        let evaluated = model.evaluate(&data).unwrap();
        assert_eq!(history.last("val_loss"), evaluated.get("loss"));
    }
}

#[test]
fn a_training_in_two_parts_is_one() {
    let (data, model) = digits();
    let folder = Folder::new();
    let mut whole = model.clone();
    whole.fit(&data, aware().epochs(4)).unwrap();
    let mut part = model;
    part.fit(&data, aware().epochs(2)).unwrap();
    part.save(folder.path("m.keras")).unwrap();
    let mut part = Model::load(folder.path("m.keras")).unwrap();
    // Files have no seed.
    part.seed = 3;
    // Without being told so: it has ranges.
    part.fit(&data, Fit::new().initial_epoch(2).epochs(4))
        .unwrap();
    assert_eq!(ranges(&part), ranges(&whole));
    for (a, b) in part.weights().zip(whole.weights()) {
        assert_eq!(a.values, b.values, "{}", a.name);
    }
}

const CONFIG: &str = r#"
    [data]
    dataset = "digits"
    validation = { first = 200 }
    [model]
    layers = [{ type = "Flatten" }, { type = "Dense", units = 20, activation = "relu" }, { type = "Dense", units = 10, activation = "softmax" }]
    [train]
    loss = "sparse_categorical_crossentropy"
    optimizer = { type = "Adam", learning_rate = 0.01 }
    epochs = 4
    batch_size = 50
    quantization_aware = { bits = 8 }
    [callbacks]
    early_stopping = { patience = 3, restore_best_weights = true }
"#;

#[test]
fn a_resumed_run_is_the_same_and_its_configuration_repeats_it() {
    let folder = Folder::new();
    folder.write("c.toml", CONFIG);
    let read = || Experiment::read(folder.path("c.toml")).unwrap();
    let silent = |_: &Event<'_>| Ok(());
    let whole = read().out(folder.path("whole")).run(silent).unwrap().model;
    let ended = read().out(folder.path("run")).run(|event| match event {
        Event::BatchEnd(progress) if progress.epoch == 2 => Err(Error::other("killed")),
        _ => Ok(()),
    });
    assert!(ended.is_err());
    let resumed = read().out(folder.path("run")).resume();
    let resumed = resumed.run(silent).unwrap().model;
    let again = Experiment::read(folder.path("whole/config.toml")).unwrap();
    let again = again.out(folder.path("again")).run(silent).unwrap().model;
    for other in [resumed, again] {
        assert_eq!(ranges(&other), ranges(&whole));
        for (a, b) in other.weights().zip(whole.weights()) {
            assert_eq!(a.values, b.values, "{}", a.name);
        }
    }
    let error = |set: &str| {
        let changed = read().set(set).and_then(|e| e.run(silent).map(drop));
        changed.unwrap_err().to_string()
    };
    let found = error("train.quantization_aware.bits=4");
    assert!(
        found.contains("train.quantization_aware.bits") && found.contains("expected 8"),
        "{found}"
    );
    let found = error("train.quantization_aware=true");
    assert!(found.contains("train.quantization_aware"), "{found}");
}

#[test]
fn restored_weights_come_with_their_ranges() {
    /// Keeps the ranges of each epoch.
    struct Kept(Vec<Vec<[f32; 2]>>);
    impl Callback for Kept {
        fn on_epoch_end(&mut self, _: usize, _: &Logs, training: &mut Training<'_>) -> Result<()> {
            self.0.push(ranges(training.model()));
            Ok(())
        }
    }
    let (data, mut model) = digits();
    let mut kept = Kept(Vec::new());
    // Whatever comes later is no improvement.
    let stop = EarlyStopping::new()
        .monitor("loss")
        .min_delta(100.0)
        .patience(5)
        .restore_best_weights(true);
    model
        .fit(&data, aware().epochs(3).callback(&mut kept).callback(stop))
        .unwrap();
    assert_eq!(ranges(&model), kept.0[0]);
    assert_ne!(kept.0[0], kept.0[2]);
}

#[test]
fn a_broken_training_goes_back_to_its_ranges() {
    let (data, mut model) = digits();
    model.fit(&data, aware()).unwrap();
    let before = ranges(&model);
    let breaks = SGD::new().learning_rate(1e30);
    model
        .compile(breaks, Loss::SparseCategoricalCrossentropy, &[])
        .unwrap();
    let error = model
        .fit(&data, aware().initial_epoch(1).epochs(2))
        .unwrap_err();
    assert!(matches!(error, Error::BlowUp { .. }), "{error}");
    assert_eq!(ranges(&model), before);
}

#[test]
fn learned_ranges_reach_the_int8_file() {
    let folder = Folder::new();
    let (data, mut model) = digits();
    model.fit(&data, aware().epochs(2)).unwrap();
    // Batch normalization goes into the layer before; the ranges stay those of the inputs.
    let (folded, _) = fold(&model).unwrap();
    assert_eq!(ranges(&folded), ranges(&model));
    let x = data.inputs()[0].clone();
    let (a, b) = (
        model.predict(x.clone()).unwrap(),
        folded.predict(x.clone()).unwrap(),
    );
    let off = a
        .to_f32()
        .into_iter()
        .zip(b.to_f32())
        .filter(|(a, b)| (a - b).abs() > 1e-3);
    assert!(off.count() < 32, "folding rounds otherwise");

    let learned = Calibration::learned(&folded).unwrap();
    assert_eq!(learned.method, CalibrationMethod::Learned);
    let found: Vec<[f32; 2]> = learned.ranges.iter().map(|of| [of.min, of.max]).collect();
    assert_eq!(found, ranges(&model));
    let path = folder.path("int8.onnx");
    save_onnx_int8(&folded, &path, Inputs::Raw, Int8::new(&learned)).unwrap();
    // The float file is that of the float network.
    let mut floats = folded.clone();
    floats.layers.iter_mut().for_each(|l| l.input_range = None);
    save_onnx(&folded, folder.path("a.onnx"), Inputs::Raw).unwrap();
    save_onnx(&floats, folder.path("b.onnx"), Inputs::Raw).unwrap();
    assert_eq!(folder.read("a.onnx"), folder.read("b.onnx"));
    // A calibration on rows looks at the float network, too.
    let rows = |model: &Model| calibrate(model, &x.clone().into(), CalibrationMethod::MinMax);
    assert_eq!(rows(&folded).unwrap(), rows(&floats).unwrap());
    let error = calibrate(&floats, &x.clone().into(), CalibrationMethod::Learned).unwrap_err();
    assert!(
        error.to_string().contains("Calibration::learned"),
        "{error}"
    );
    let error = Calibration::learned(&floats).unwrap_err();
    assert!(error.to_string().contains("layer dense"), "{error}");
}

#[test]
fn a_normalization_whose_range_would_change_is_not_folded() {
    let mut model = Sequential::new()
        .input([4])
        .add(Dense::new(5).activation(Activation::Relu))
        .add(BatchNormalization::new())
        .add(Dense::new(2))
        .build()
        .unwrap();
    assert_eq!(fold(&model).unwrap().1.len(), 1);
    model.layers[2].input_range = Some([-1.0, 1.0]);
    assert_eq!(fold(&model).unwrap().1.len(), 0);
    // Keras' own int8 has no ranges.
    model.quantize(Quantization::Int8).unwrap();
    assert!(!model.is_quantization_aware());
}

#[test]
fn what_cannot_be_trained_so_is_refused_by_name() {
    let (data, mut model) = digits();
    model.set_trainable("dense_1", false).unwrap();
    let error = model.fit(&data, aware()).unwrap_err().to_string();
    assert!(
        error.contains("dense_1") && error.contains("quantization_aware"),
        "{error}"
    );
    let (_, mut model) = digits();
    let four = Fit::new().quantization_aware(QuantizationAware::new().bits(4));
    let error = model.fit(&data, four).unwrap_err().to_string();
    assert!(error.contains("quantization_aware.bits"), "{error}");
    let mut none = Sequential::new()
        .add(Flatten::new())
        .add(BatchNormalization::new())
        .compile(SGD::new(), "mse", &[])
        .unwrap();
    let y = data.inputs()[0].clone();
    let rows = Dataset::new(y.clone(), y.reshaped([64]).unwrap()).unwrap();
    let error = none.fit(&rows, aware()).unwrap_err().to_string();
    assert!(
        error.contains("without a Dense or a convolution"),
        "{error}"
    );
}

#[test]
fn a_frozen_layer_keeps_its_range() {
    let (data, mut model) = digits();
    model.fit(&data, aware()).unwrap();
    let before = ranges(&model);
    model.set_trainable("dense", false).unwrap();
    model.set_trainable("batch_normalization", false).unwrap();
    // Its features are computed once; the other layers go on.
    model
        .fit(&data, aware().initial_epoch(1).epochs(4))
        .unwrap();
    let after = ranges(&model);
    assert_eq!(after[0], before[0]);
    assert_ne!(after[1..], before[1..]);
}

#[test]
fn damaged_ranges_of_a_file_are_refused() {
    use std::io::{Cursor, Read, Write};
    let folder = Folder::new();
    let (data, mut model) = digits();
    model.fit(&data, aware()).unwrap();
    model.save(folder.path("m.keras")).unwrap();
    let with = |own: &str| {
        let mut from = zip::ZipArchive::new(Cursor::new(folder.read("m.keras"))).unwrap();
        let mut to = zip::write::ZipWriter::new(Cursor::new(Vec::new()));
        for n in 0..from.len() {
            let mut entry = from.by_index(n).unwrap();
            let name = entry.name().unwrap().into_owned();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            if name == "gradus.json" {
                bytes = own.into();
            }
            to.start_file(name, zip::write::SimpleFileOptions::default())
                .unwrap();
            to.write_all(&bytes).unwrap();
        }
        Model::from_bytes(&to.finish().unwrap().into_inner())
    };
    assert!(with(r#"{"input_ranges":{"dense":[-1.0,2.0]}}"#).is_ok());
    for (own, why) in [
        (r#"{"input_ranges":{"nobody":[-1.0,2.0]}}"#, "nobody"),
        (r#"{"input_ranges":{"dropout":[-1.0,2.0]}}"#, "dropout"),
        (r#"{"input_ranges":{"dense":[1.0,2.0]}}"#, "with 0 in it"),
        (
            r#"{"input_ranges":{"dense":[-1e300,1e300]}}"#,
            "finite range",
        ),
        (r#"{"input_ranges":{"dense":[1.0]}}"#, "gradus.json"),
    ] {
        let error = with(own).unwrap_err().to_string();
        assert!(error.contains(why), "{own}: {error}");
    }
}
