//! Tests of models from users: unusual training configurations, run folders, and files that are no
//! models.

mod common;

use common::{Place, npy, trained};
use std::path::Path;
use std::process::Stdio;

fn real(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../gradus/tests/keras_files");
    folder.join(name).display().to_string()
}

/// A `.npy` file of labels: the last is 1, the others 0.
fn labels(rows: usize) -> Vec<u8> {
    let mut file = npy(&[rows]);
    let last = file.len() - 4;
    file[last..].copy_from_slice(&1.0_f32.to_le_bytes());
    file
}

/// Models of six inputs compiled by Keras, and their unread parts.
const UNKNOWN: [(&str, &str); 3] = [
    (
        "unknown_optimizer.keras",
        "the optimizer is not read (compile_config.optimizer: unknown optimizer `Adafactor`)",
    ),
    (
        "unknown_loss.keras",
        "the loss is not read (compile_config.loss: unknown loss `Tversky`)",
    ),
    (
        "unknown_metric.keras",
        "a metric is not read (compile_config.metrics[0]: unknown metric `PearsonCorrelation`)",
    ),
];

#[test]
fn what_a_model_was_compiled_with_keeps_nobody_from_using_it() {
    let place = Place::new();
    place.write("x.npy", npy(&[4, 6]));
    place.write("y.npy", npy(&[4, 3]));
    place.write("labels.npy", npy(&[4]));
    for (file, note) in UNKNOWN {
        let model = real(file);
        for arguments in [
            &["predict", &model, "--data", "x.npy", "--out", "p.npy"][..],
            &["summary", &model],
            &["check", &model],
            &["convert", &model, "m.safetensors"],
            &["convert", &model, "m.keras"],
        ] {
            let said = place.run(arguments);
            assert_eq!(said.code, Some(0), "{arguments:?}: {}", said.err);
            assert!(
                said.err.starts_with(&format!("note: {model}: {note}: ")),
                "{}",
                said.err
            );
            assert_eq!(said.err.lines().count(), 1, "{}", said.err);
        }
        // A converted model has no unknown parts left.
        assert_eq!(place.run(&["summary", "m.keras"]).err, "");
    }
    // Keras 3.4's Nadam stores its product elsewhere, and all is read.
    assert_eq!(place.run(&["summary", &real("nadam_3_4.keras")]).err, "");

    let evaluate = |file: &str, data: &str| place.run(&["evaluate", &real(file), "--data", data]);
    let said = evaluate("unknown_optimizer.keras", "x.npy,labels.npy");
    assert_eq!(
        (said.code, said.out.lines().count()),
        (Some(0), 2),
        "{}",
        said.err
    );
    let said = evaluate("unknown_metric.keras", "x.npy,y.npy");
    assert_eq!(
        (said.code, said.out.lines().count()),
        (Some(0), 2),
        "{}",
        said.err
    );
    let said = evaluate("unknown_loss.keras", "x.npy,labels.npy");
    assert_eq!((said.code, &*said.out), (Some(2), ""));
    assert!(
        said.err
            .contains("cannot be evaluated: the loss is not read"),
        "{}",
        said.err
    );
}

#[test]
fn training_names_what_is_not_known() {
    let place = Place::new();
    place.write("x.npy", npy(&[4, 6]));
    place.write("y.npy", labels(4));
    let named = [
        ("unknown_optimizer.keras", "train.optimizer", "\"adam\""),
        (
            "unknown_loss.keras",
            "train.loss",
            "\"sparse_categorical_crossentropy\"",
        ),
    ];
    for (file, key, value) in named {
        let config = format!(
            "[data]\nx = \"x.npy\"\ny = \"y.npy\"\n[model]\nfile = {:?}\n[train]\nepochs = 1\n",
            real(file)
        );
        place.write("c.toml", config);
        let message = place.mistake(&["train", "c.toml", "--quiet", "--out", "none"]);
        assert!(message.contains(&format!("{key}: missing")), "{message}");
        let set = format!("{key}={value}");
        let said = place.run(&["train", "c.toml", "--quiet", "--out", file, "--set", &set]);
        assert_eq!(said.code, Some(0), "{}", said.err);
        assert!(said.err.starts_with("note: "), "{}", said.err);
        // Its own configuration repeats it.
        let again = format!("{file}/config.toml");
        place.ok(&[
            "train",
            &again,
            "--quiet",
            "--out",
            &format!("{file}-again"),
        ]);
        assert_eq!(
            place.read(&format!("{file}/model.keras")),
            place.read(&format!("{file}-again/model.keras"))
        );
    }
}

#[test]
fn weights_of_keras_2_are_put_into_a_model() {
    let place = Place::new();
    let (weights, model) = (real("old_weights.h5"), real("old_215.keras"));
    place.write("x.npy", npy(&[3, 4]));
    place.ok(&["convert", &weights, "m.keras", "--model", &model]);
    for (model, out) in [("m.keras", "a.npy"), (&*model, "b.npy")] {
        place.ok(&["predict", model, "--data", "x.npy", "--out", out]);
    }
    assert_eq!(place.read("a.npy"), place.read("b.npy"));
    let message = place.mistake(&["convert", &weights, "n.keras"]);
    assert!(
        message.contains("weights alone") && message.contains("--model"),
        "{message}"
    );
    let message = place.mistake(&["convert", &model, "n.keras", "--model", &model]);
    assert!(
        message.contains("IN is no file of weights alone"),
        "{message}"
    );
}

#[test]
fn what_is_no_model_is_named_as_what_it_is() {
    let place = Place::new();
    std::fs::create_dir(place.path("saved")).unwrap();
    place.write("saved/saved_model.pb", b"\x08\x01");
    std::fs::create_dir(place.path("folder")).unwrap();
    let torch = zip_of("archive/data.pkl");
    let files: [(&str, &[u8], &[&str]); 14] = [
        ("empty.keras", b"", &["is empty (0 bytes)"]),
        (
            "m.pkl",
            b"\x80\x04\x95\x10",
            &["Python pickle, which is code", "model.save"],
        ),
        ("m.h5", b"\x80\x05\x95", &["Python pickle"]),
        (
            "lfs.keras",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n",
            &["Git LFS pointer", "git lfs pull"],
        ),
        (
            "page.keras",
            b"\n<!DOCTYPE html>\n<html lang=\"en\">",
            &["HTML page"],
        ),
        ("page.h5", b"<HTML><head>", &["HTML page"]),
        (
            "m.pt",
            &torch,
            &["PyTorch file", "safetensors", "gradus convert"],
        ),
        (
            "old.pth",
            b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.",
            &["PyTorch file"],
        ),
        (
            "m.tflite",
            b"\x1c\0\0\0TFL3\x14\0",
            &["TensorFlow Lite model"],
        ),
        ("m.onnx", b"\x08\x08\x12\x07pytorch", &["ONNX model"]),
        (
            "m.json",
            b"{\"class_name\": \"Sequential\", \"config\": {}}",
            &["as JSON, without weights"],
        ),
        ("x.keras", b"\x93NUMPY\x01\0", &["array (.npy)"]),
        ("text.keras", b"hello", &["not a .keras file"]),
        (
            "w.safetensors",
            b"\x02\0\0\0\0\0\0\0{}",
            &["weights alone", "--model MODEL"],
        ),
    ];
    for (name, bytes, _) in files {
        place.write(name, bytes);
    }
    let named = files.iter().map(|(name, _, parts)| (*name, *parts));
    let folders: [(&str, &[&str]); 3] = [
        ("saved", &["SavedModel", "model.save"]),
        ("folder", &["is a folder"]),
        ("gone.keras", &["gone.keras"]),
    ];
    let weights = real("old_weights.h5");
    let weights: (&str, &[&str]) = (&weights, &["weights alone", "gradus convert"]);
    place.write("x.npy", npy(&[2, 4]));
    for (name, parts) in named.chain(folders).chain([weights]) {
        for arguments in [
            &["summary", name][..],
            &["predict", name, "--data", "x.npy", "--out", "p.npy"],
            &["evaluate", name, "--data", "x.npy"],
            &["check", name],
        ] {
            let message = place.mistake(arguments);
            for part in [name].iter().chain(parts) {
                assert!(
                    message.contains(part),
                    "{arguments:?}: {part} is not in {message}"
                );
            }
            assert_eq!(message.lines().count(), 1, "{message}");
        }
    }
}

/// A zip with one empty entry.
fn zip_of(name: &str) -> Vec<u8> {
    let length = (name.len() as u16).to_le_bytes();
    let mut zip = b"PK\x03\x04\x14\0\0\0\0\0".to_vec();
    zip.extend([0; 16]);
    zip.extend(length);
    zip.extend([0, 0]);
    zip.extend(name.bytes());
    let directory = zip.len() as u32;
    zip.extend(b"PK\x01\x02\x14\0\x14\0\0\0\0\0");
    zip.extend([0; 16]);
    zip.extend(length);
    zip.extend([0; 16]);
    zip.extend(name.bytes());
    let size = zip.len() as u32 - directory;
    zip.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    zip.extend(size.to_le_bytes());
    zip.extend(directory.to_le_bytes());
    zip.extend([0, 0]);
    zip
}

#[test]
fn a_run_folder_is_its_model() {
    let place = trained(2);
    place.ok(&["predict", "run", "--data", "digits:test", "--out", "a.csv"]);
    place.ok(&[
        "predict",
        "run/model.keras",
        "--data",
        "digits:test",
        "--out",
        "b.csv",
    ]);
    assert_eq!(place.read("a.csv"), place.read("b.csv"));
    assert_eq!(
        place.ok(&["summary", "run"]),
        place.ok(&["summary", "run/model.keras"])
    );
    place.ok(&["convert", "run", "c.keras"]);
    assert_eq!(place.read("c.keras"), place.read("run/model.keras"));
    place.ok(&["check", "run"]);
    std::fs::remove_file(place.path("run/model.keras")).unwrap();
    for arguments in [&["summary", "run"][..], &["convert", "run", "d.keras"]] {
        let message = place.mistake(arguments);
        assert!(message.contains("no `model.keras` yet"), "{message}");
    }
}

#[test]
fn predictions_go_to_standard_output_and_to_json() {
    let place = trained(2);
    let predict = ["predict", "run", "--data", "digits:test", "--out"];
    let to = |out: &str| place.ok(&[&predict[..], &[out]].concat());
    to("p.csv");
    assert_eq!(to("-"), place.text("p.csv"));
    to("p.json");
    let rows: Vec<serde_json::Value> = serde_json::from_slice(&place.read("p.json")).unwrap();
    let csv = place.text("p.csv");
    assert_eq!(rows.len(), csv.lines().count() - 1);
    let names: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
    for (row, line) in rows.iter().zip(csv.lines().skip(1)) {
        for (name, cell) in names.iter().zip(line.split(',')) {
            match *name {
                "class" => assert_eq!(row[name], cell),
                _ => assert_eq!(
                    row[name].as_f64().unwrap() as f32,
                    cell.parse::<f32>().unwrap()
                ),
            }
        }
    }
    // A closed pipe is no error.
    let mut head = place.command(&[&predict[..], &["-"]].concat());
    let mut head = head
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(head.stdout.take());
    let said = head.wait_with_output().unwrap();
    assert!(
        said.status.success(),
        "{}",
        String::from_utf8_lossy(&said.stderr)
    );
    let message = place.mistake(&[&predict[..], &["-", "--mc-samples", "3"]].concat());
    assert!(message.contains("--out: found `-`"), "{message}");
}

#[test]
fn rows_of_numbers_are_lists_in_json() {
    let place = Place::new();
    place.write("x.npy", npy(&[2, 4, 3]));
    let keras = real("keras3.keras");
    place.ok(&["predict", &keras, "--data", "x.npy", "--out", "p.json"]);
    let rows: serde_json::Value = serde_json::from_slice(&place.read("p.json")).unwrap();
    // Its loss is for classes, which have no names.
    assert!(
        rows[1]["class_2"].is_number() && rows[1]["class"].is_string(),
        "{rows}"
    );
    place.write("x.npy", npy(&[2, 6]));
    place.ok(&[
        "predict",
        &real("unknown_metric.keras"),
        "--data",
        "x.npy",
        "--out",
        "q.json",
    ]);
    let rows: Vec<Vec<f32>> = serde_json::from_slice(&place.read("q.json")).unwrap();
    assert_eq!((rows.len(), rows[0].len()), (2, 3));
    place.ok(&[
        "predict",
        &real("unknown_metric.keras"),
        "--data",
        "x.npy",
        "--out",
        "q.csv",
    ]);
    assert_eq!(place.text("q.csv").lines().count(), 2);
}

/// Fashion-MNIST's classes have names; a few rows stand in for it.
#[test]
fn a_model_remembers_the_names_of_its_classes() {
    let place = Place::new();
    let idx = |dims: &[u32], bytes: &[u8]| {
        let mut file = vec![0, 0, 8, dims.len() as u8];
        file.extend(dims.iter().flat_map(|dim| dim.to_be_bytes()));
        file.extend(bytes);
        file
    };
    std::fs::create_dir_all(place.path("data/fashion-mnist")).unwrap();
    for part in ["train", "t10k"] {
        let labels: Vec<u8> = (0..20).map(|n| n % 10).collect();
        let pixels: Vec<u8> = labels.iter().flat_map(|&label| [20 * label; 784]).collect();
        let name = |what: &str| format!("data/fashion-mnist/{part}-{what}-ubyte");
        place.write(&name("labels-idx1"), idx(&[20], &labels));
        place.write(&name("images-idx3"), idx(&[20, 28, 28], &pixels));
    }
    place.write(
        "c.toml",
        "[data]\ndataset = \"fashion-mnist\"\n[model]\nlayers = [{ type = \"Flatten\" }, \
         { type = \"Dense\", units = 10, activation = \"softmax\" }]\n\
         [train]\nloss = \"sparse_categorical_crossentropy\"\noptimizer = \"sgd\"\nepochs = 1\n",
    );
    let run = |arguments: &[&str]| {
        let data = place.path("data");
        let said = common::Said::by(place.command(arguments).env("GRADUS_DATA", data));
        assert_eq!(said.code, Some(0), "{}", said.err);
        said.out
    };
    run(&["train", "c.toml", "--quiet", "--out", "run"]);
    place.write("x.npy", npy(&[2, 28, 28]));
    let csv = run(&["predict", "run", "--data", "x.npy", "--out", "-"]);
    assert!(
        csv.starts_with("class,class_T-shirt/top,class_Trouser,class_Pullover,"),
        "{csv}"
    );
    let class = csv.lines().nth(1).unwrap().split(',').next().unwrap();
    assert!(
        csv.lines()
            .next()
            .unwrap()
            .contains(&format!(",class_{class}")),
        "{class}"
    );
    assert!(class.parse::<f32>().is_err(), "{class}");
    run(&["convert", "run", "copy.keras"]);
    assert_eq!(
        run(&["predict", "copy.keras", "--data", "x.npy", "--out", "-"]),
        csv
    );
    // Rows without class names leave the labels without meaning.
    place.write("y.npy", labels(2));
    place.write(
        "d.toml",
        "[data]\nx = \"x.npy\"\ny = \"y.npy\"\n[model]\nfile = \"run/model.keras\"\n",
    );
    run(&["train", "d.toml", "--quiet", "--out", "more"]);
    let csv = run(&["predict", "more", "--data", "x.npy", "--out", "-"]);
    assert!(csv.starts_with("class,class_0,class_1,"), "{csv}");
}
