//! TensorBoard's event files, read by a reader of their own. TensorBoard itself reads them in
//! `.ci/events.py`.

mod common;
#[path = "common/events.rs"]
mod events;

use common::Folder;
use events::{Summary, field, fields, read};
use gradus::Result;
use gradus::artifacts::callbacks::TensorBoard;
use gradus::experiment::Experiment;
use gradus::prelude::*;
use gradus::train::callbacks::Progress;
use gradus::train::health::{
    Distribution, HealthSample, HealthView, Histogram, LayerHealth, LayerHistograms,
};
use std::collections::BTreeMap;

fn data() -> Dataset {
    let x: Vec<f32> = (0..40).map(|i| i as f32 / 20.0 - 1.0).collect();
    let x = Tensor::from_f32([1], x).unwrap();
    Dataset::new(x.clone(), x).unwrap()
}

fn model() -> Model {
    let layers = Sequential::new().add(Dense::new(3)).add(Dense::new(1));
    let rate = SGD::new().learning_rate(0.01);
    let metrics = [Metric::MeanAbsoluteError];
    layers
        .compile(rate, Loss::MeanSquaredError, &metrics)
        .unwrap()
}

/// Asserts that a tag has the values of the history, each at its epoch.
#[track_caller]
fn assert_is(summaries: &[Summary], history: &[f64]) {
    let read: Vec<(u64, f32)> = summaries.iter().map(|s| (s.step, s.scalar())).collect();
    let expected = (0..).zip(history.iter().map(|&value| value as f32));
    assert_eq!(read, expected.collect::<Vec<_>>());
}

#[test]
fn each_epoch_is_there_under_kerass_tags() {
    let folder = Folder::new();
    let fit = Fit::new().epochs(3).batch_size(4).validation_split(0.1);
    let board = TensorBoard::new(folder.path("logs"));
    let history = model().fit(data(), fit.callback(board)).unwrap();
    let train = read(&folder.path("logs/train"));
    assert_is(&train["epoch_loss"], &history.get("loss"));
    assert_is(
        &train["epoch_mean_absolute_error"],
        &history.get("mean_absolute_error"),
    );
    assert_is(&train["epoch_learning_rate"], &[0.01; 3]);
    let names = train.keys().map(String::as_str);
    let of_health = |name: &&str| name.contains('/') && !name.ends_with("/histogram");
    let names: Vec<&str> = names.filter(|name| !of_health(name)).collect();
    assert_eq!(
        names,
        [
            "dense/bias/histogram",
            "dense/kernel/histogram",
            "dense_1/bias/histogram",
            "dense_1/kernel/histogram",
            "epoch_learning_rate",
            "epoch_loss",
            "epoch_mean_absolute_error",
            "keras"
        ]
    );
    let kernels = &train["dense/kernel/histogram"];
    assert_eq!(
        kernels.iter().map(|s| s.step).collect::<Vec<_>>(),
        [0, 1, 2]
    );
    let values: f64 = kernels[0].bins().iter().map(|bin| bin[2]).sum();
    assert_eq!(values, 3.0);
    let graph = &train["keras"][0];
    assert_eq!(
        (graph.plugin.as_str(), &graph.content[..]),
        ("graph_keras_model", &b"1"[..])
    );
    let json: serde_json::Value = serde_json::from_slice(field(&graph.tensor, 8)).unwrap();
    assert_eq!(json["config"]["layers"][1]["class_name"], "Dense");

    let validation = read(&folder.path("logs/validation"));
    assert_is(&validation["epoch_loss"], &history.get("val_loss"));
    let error = history.get("val_mean_absolute_error");
    assert_is(&validation["epoch_mean_absolute_error"], &error);
    let steps = validation["evaluation_loss_vs_iterations"].iter();
    assert_eq!(steps.map(|s| s.step).collect::<Vec<_>>(), [9, 18, 27]);
    assert_eq!(validation.len(), 4);
    assert_eq!(folder.names("logs"), ["train", "validation"]);
}

#[test]
fn what_is_switched_off_is_not_there() {
    let folder = Folder::new();
    let board = TensorBoard::new(folder.root())
        .histogram_freq(0)
        .write_graph(false);
    model()
        .fit(data(), Fit::new().epochs(2).callback(board))
        .unwrap();
    let train = read(&folder.path("train"));
    assert_eq!(train["epoch_loss"].len(), 2);
    assert!(train.values().flatten().all(|s| s.plugin == "scalars"));
    // No validation, no file of it.
    assert_eq!(folder.names(""), ["train"]);
}

#[test]
fn histograms_of_a_long_training_thin_out_and_its_measurements_do_not() {
    let folder = Folder::new();
    let board = TensorBoard::new(folder.root());
    model()
        .fit(data(), Fit::new().epochs(200).callback(board))
        .unwrap();
    let train = read(&folder.path("train"));
    assert_eq!(train["epoch_loss"].len(), 200);
    let epochs: Vec<u64> = train["dense/kernel/histogram"]
        .iter()
        .map(|s| s.step)
        .collect();
    assert_eq!(
        epochs[..20],
        (0..16).chain([16, 18, 20, 22]).collect::<Vec<_>>()
    );
    assert!(epochs.len() < 50 && epochs.contains(&192), "{epochs:?}");
}

/// Makes health up behind each step, for the callback in it.
struct MadeUp(TensorBoard);

impl Callback for MadeUp {
    fn on_train_begin(&mut self, training: &mut Training<'_>) -> Result<()> {
        self.0.on_train_begin(training)
    }

    fn on_epoch_begin(&mut self, epoch: usize, training: &mut Training<'_>) -> Result<()> {
        self.0.on_epoch_begin(epoch, training)
    }

    fn on_train_batch_end(
        &mut self,
        progress: &Progress<'_>,
        training: &mut Training<'_>,
    ) -> Result<()> {
        let (epoch, step) = (
            progress.epoch,
            (progress.epoch * progress.batches + progress.batch) as u64,
        );
        let layers = ["dense".to_owned(), "dense_1".to_owned()];
        let outputs = Distribution {
            mean: 0.5,
            std: step as f64,
            largest: f64::INFINITY,
        };
        let whole = LayerHealth {
            outputs: Some(outputs),
            gradient_norm: Some(f64::NAN),
            dead: Some(0.25),
            ..LayerHealth::default()
        };
        let sample = HealthSample {
            epoch,
            step,
            layers: vec![whole, LayerHealth::default()],
        };
        let its = LayerHistograms {
            outputs: Some(Histogram::of([1.0, -2.0, 0.0])),
            gradients: vec![("kernel".into(), Histogram::of([f32::NAN]))],
        };
        let histograms = [its, LayerHistograms::default()];
        let last = progress.batch + 1 == progress.batches;
        let health = HealthView {
            layers: &layers,
            sample: &sample,
            histograms: if last { &histograms } else { &[] },
        };
        self.0.on_health(&health, training)
    }

    fn on_epoch_end(
        &mut self,
        epoch: usize,
        logs: &Logs,
        training: &mut Training<'_>,
    ) -> Result<()> {
        self.0.on_epoch_end(epoch, logs, training)
    }
}

#[test]
fn the_health_of_layers_is_there_at_its_steps() {
    let folder = Folder::new();
    let board = MadeUp(TensorBoard::new(folder.root()).write_graph(false));
    let fit = Fit::new().epochs(2).batch_size(20).callback(board);
    model().fit(data(), fit).unwrap();
    let train = read(&folder.path("train"));
    let read = |tag: &str| -> Vec<(u64, f32)> {
        train[tag].iter().map(|s| (s.step, s.scalar())).collect()
    };
    assert_eq!(
        read("output_mean/dense"),
        [(0, 0.5), (1, 0.5), (2, 0.5), (3, 0.5)]
    );
    assert_eq!(
        read("output_std/dense"),
        [(0, 0.0), (1, 1.0), (2, 2.0), (3, 3.0)]
    );
    assert_eq!(read("output_max/dense")[3], (3, f32::INFINITY));
    assert!(read("gradient_norm/dense")[0].1.is_nan());
    assert_eq!(read("dead/dense").len(), 4);
    let outputs = &train["outputs/dense"];
    assert_eq!(outputs.iter().map(|s| s.step).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(
        outputs[0].bins(),
        [[-2.5, -2.0, 1.0], [0.0, 0.0, 1.0], [1.0, 1.25, 1.0]]
    );
    // Values that a layer does not have, and a histogram without finite values.
    let absent = [
        "saturated/dense",
        "dead/dense_1",
        "gradients/dense/kernel",
        "outputs/dense_1",
    ];
    assert!(absent.iter().all(|tag| !train.contains_key(*tag)));
}

#[test]
fn a_folder_that_has_files_keeps_them() {
    let folder = Folder::new();
    for _ in 0..2 {
        let board = TensorBoard::new(folder.root());
        model().fit(data(), Fit::new().callback(board)).unwrap();
    }
    assert_eq!(folder.names("train").len(), 2);
}

const CONFIG: &str = r#"
    [data]
    dataset = "digits"
    validation = { fraction = 0.1 }
    [model]
    layers = [{ type = "Flatten" }, { type = "Dense", units = 10, activation = "softmax" }]
    [train]
    loss = "sparse_categorical_crossentropy"
    metrics = ["accuracy"]
    optimizer = { type = "Adam", learning_rate = 0.01 }
    epochs = 2
"#;

fn run(folder: &Folder, name: &str, epochs: usize, resume: bool) -> History {
    let experiment = Experiment::from_toml(CONFIG)
        .unwrap()
        .out(folder.path(name));
    let experiment = experiment.set(&format!("train.epochs={epochs}")).unwrap();
    let experiment = if resume {
        experiment.resume()
    } else {
        experiment
    };
    experiment.run(|_| Ok(())).unwrap().history
}

#[test]
fn a_run_has_its_configuration_and_hyper_parameters() {
    let folder = Folder::new();
    let history = run(&folder, "run", 2, false);
    let events = folder.path("run/events");
    assert_is(
        &read(&events.join("train"))["epoch_loss"],
        &history.get("loss"),
    );
    assert_is(
        &read(&events.join("validation"))["epoch_loss"],
        &history.get("val_loss"),
    );
    let run = read(&events);
    let text = String::from_utf8(field(&run["config"][0].tensor, 8).to_vec()).unwrap();
    let lines: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .collect();
    assert_eq!(
        lines,
        folder.text("run/config.toml").lines().collect::<Vec<_>>()
    );
    assert_eq!(run["config"][0].plugin, "text");

    let start = &run["_hparams_/session_start_info"][0];
    assert_eq!(start.plugin, "hparams");
    let hparams: BTreeMap<String, Vec<u8>> = fields(field(&start.content, 3))
        .into_iter()
        .filter(|entry| entry.0 == 1)
        .map(|(_, _, entry)| {
            let name = String::from_utf8(field(entry, 1).to_vec()).unwrap();
            (name, field(entry, 2).to_vec())
        })
        .collect();
    let number = |name: &str| {
        let bytes = field(&hparams[name], 2).try_into();
        f64::from_le_bytes(bytes.unwrap_or_else(|_| panic!("{name}")))
    };
    assert_eq!(number("epochs"), 2.0);
    assert_eq!(number("optimizer.learning_rate"), 0.01);
    assert_eq!(number("parameters"), 650.0);
    assert_eq!(number("seed"), 42.0);
    assert_eq!(field(&hparams["optimizer.type"], 3), b"Adam");
    let end = field(&run["_hparams_/session_end_info"][0].content, 4);
    assert_eq!(fields(end)[0].1, 1, "success");
}

#[test]
fn a_trained_model_has_its_graph_in_a_new_run() {
    let folder = Folder::new();
    run(&folder, "first", 1, false);
    let file = folder.path("first/model.keras");
    let text = format!("data.dataset = \"digits\"\n[model]\nfile = {:?}\n", file);
    let more = Experiment::from_toml(&text).unwrap().set("train.epochs=1");
    let more = more.unwrap().out(folder.path("more"));
    more.run(|_| Ok(())).unwrap();
    let train = read(&folder.path("more/events/train"));
    assert_eq!((train["keras"].len(), train["epoch_loss"][0].step), (1, 0));
}

/// A killed process may have written events of epochs behind its last checkpoint.
#[test]
fn a_resumed_run_has_each_epoch_once() {
    let folder = Folder::new();
    run(&folder, "run", 2, false);
    run(&folder, "longer", 3, false);
    std::fs::remove_dir_all(folder.path("run/events")).unwrap();
    std::fs::rename(folder.path("longer/events"), folder.path("run/events")).unwrap();
    let history = run(&folder, "run", 5, true);
    let events = folder.path("run/events");
    let train = read(&events.join("train"));
    assert_is(&train["epoch_loss"], &history.get("loss"));
    assert_eq!(train["dense/kernel/histogram"].len(), 5);
    assert_eq!(train["keras"].len(), 1);
    for (n, layer) in history.health.layers.iter().enumerate() {
        let samples = history.health.samples.iter();
        let norms = samples.filter_map(|s| Some((s.step, s.layers[n].gradient_norm? as f32)));
        let read = train.get(&format!("gradient_norm/{layer}"));
        let read = read.into_iter().flatten().map(|s| (s.step, s.scalar()));
        assert!(read.eq(norms), "{layer}");
    }
    let validation = read(&events.join("validation"));
    assert_is(&validation["epoch_accuracy"], &history.get("val_accuracy"));
    assert_eq!(validation["evaluation_loss_vs_iterations"].len(), 5);
    let run = read(&events);
    assert_eq!(run["config"].len(), 1);
    assert_eq!(run["_hparams_/session_end_info"].len(), 1);
}
