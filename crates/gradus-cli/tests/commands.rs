//! Tests of `evaluate`, `predict`, `summary`, `data`, and of mistakes with them.

mod common;

use common::{Place, npy, trained};
use std::process::Stdio;

const MODEL: &str = "run/model.keras";

#[test]
fn evaluate_measures_and_json_is_one_object() {
    let place = trained(2);
    let text = place.ok(&["evaluate", MODEL, "--data", "digits:test"]);
    assert!(text.contains("355 rows") && text.contains("accuracy"));
    let json = place.ok(&["evaluate", MODEL, "--data", "digits:test", "--json"]);
    let object: serde_json::Value = serde_json::from_str(&json).unwrap();
    let names: Vec<&String> = object.as_object().unwrap().keys().collect();
    assert_eq!(names.len(), 4, "{json}");
    assert!(object["accuracy"].as_f64().unwrap() > 0.3);
    // A run's configuration is data, too.
    place.ok(&["evaluate", MODEL, "--data", "run/config.toml"]);
}

#[test]
fn predict_writes_a_row_for_each_row() {
    let place = trained(2);
    place.ok(&["predict", MODEL, "--data", "digits:test", "--out", "p.csv"]);
    place.ok(&["predict", MODEL, "--data", "digits:test", "--out", "p.npy"]);
    let csv = place.text("p.csv");
    let header =
        "class,class_0,class_1,class_2,class_3,class_4,class_5,class_6,class_7,class_8,class_9";
    assert_eq!(csv.lines().next(), Some(header));
    let numbers = |line: &str| {
        line.split(',')
            .skip(1)
            .map(|x| x.parse().unwrap())
            .collect()
    };
    let rows: Vec<Vec<f32>> = csv.lines().skip(1).map(numbers).collect();
    assert_eq!((rows.len(), rows[0].len()), (355, 10));
    let npy = place.read("p.npy");
    let numbers = &npy[npy.len() - 355 * 10 * 4..];
    let numbers = numbers
        .chunks(4)
        .map(|b| f32::from_le_bytes(b.try_into().unwrap()));
    assert!(numbers.eq(rows.into_iter().flatten()));

    place.write("x.npy", npy_of(&[3, 8, 8]));
    place.ok(&["predict", MODEL, "--data", "x.npy", "--out", "q.csv"]);
    assert_eq!(place.text("q.csv").lines().count(), 1 + 3);
}

fn npy_of(shape: &[usize]) -> Vec<u8> {
    npy(shape)
}

#[test]
fn mc_samples_give_a_mean_and_a_deviation() {
    let place = trained(2);
    let predict = ["predict", MODEL, "--data", "digits:test", "--out"];
    place.ok(&[&predict[..], &["p.csv"]].concat());
    let out = place.ok(&[&predict[..], &["m.csv", "--mc-samples", "200"]].concat());
    assert!(
        out.contains("m.csv: 355 rows") && out.contains("m_std.csv: 355 rows"),
        "{out}"
    );
    let numbers = |name: &str| -> Vec<f32> {
        let text = place.text(name);
        // A header, and a class where it is one of probabilities.
        let of_class = usize::from(text.starts_with("class,"));
        let rows = text.lines().skip(1);
        let cells = rows.flat_map(|line| line.split(',').skip(of_class));
        cells.map(|cell| cell.parse().unwrap()).collect()
    };
    let (plain, mean, std) = (numbers("p.csv"), numbers("m.csv"), numbers("m_std.csv"));
    assert_eq!((mean.len(), std.len()), (3550, 3550));
    // The mean is near the prediction without dropout, but not the same.
    let apart = plain
        .iter()
        .zip(&mean)
        .map(|(p, m)| (p - m).abs())
        .sum::<f32>()
        / 3550.0;
    assert!(apart > 1e-4 && apart < 0.05, "{apart}");
    assert!(std.iter().all(|s| (0.0..=0.5).contains(s)) && std.iter().any(|&s| s > 0.02));
    // The same again, as .npy.
    place.ok(&[&predict[..], &["m.npy", "--mc-samples", "200"]].concat());
    let npy = place.read("m_std.npy");
    let values = npy[npy.len() - 3550 * 4..].chunks(4);
    assert!(
        values
            .map(|b| f32::from_le_bytes(b.try_into().unwrap()))
            .eq(std)
    );

    place.mistake(&[&predict[..], &["m.csv", "--mc-samples", "0"]].concat());
    let train = [
        "train",
        "--quiet",
        "--set",
        "train.epochs=1",
        "--out",
        "plain",
    ];
    place.ok(&train);
    let plain = ["predict", "plain/model.keras", "--data", "digits:test"];
    let message = place.mistake(&[&plain[..], &["--out", "q.csv", "--mc-samples", "9"]].concat());
    assert!(
        message.contains("plain/model.keras") && message.contains("no dropout"),
        "{message}"
    );
    assert!(!place.names("").iter().any(|name| name.starts_with('q')));
}

#[test]
fn wrong_data_is_named() {
    let place = trained(2);
    place.write("wide.npy", npy(&[3, 9]));
    let message = place.mistake(&["predict", MODEL, "--data", "wide.npy", "--out", "p.csv"]);
    for part in ["wide.npy", "(None, 9)", "(None, 8, 8)"] {
        assert!(message.contains(part), "{message}");
    }
    place.write("x.npy", npy(&[3, 8, 8]));
    place.write("y.npy", npy(&[4]));
    let message = place.mistake(&["evaluate", MODEL, "--data", "x.npy,y.npy"]);
    assert!(
        message.contains("y.npy") && message.contains("4 rows"),
        "{message}"
    );
    place.mistake(&["evaluate", MODEL, "--data", "x.npy"]);
    let message = place.mistake(&["predict", MODEL, "--data", "digitz", "--out", "p.csv"]);
    assert!(message.contains("did you mean `digits`?"), "{message}");
    let message = place.mistake(&["predict", MODEL, "--data", "digits", "--out", "p.txt"]);
    assert!(
        message.contains("p.txt") && message.contains(".npy"),
        "{message}"
    );
    assert!(!place.names("").iter().any(|name| name.starts_with("p.")));
}

#[test]
fn missing_and_damaged_files_are_named() {
    let place = trained(2);
    let whole = place.read(MODEL);
    place.write("half.keras", &whole[..whole.len() / 2]);
    place.write("junk.keras", "junk");
    place.write("binary.toml", [0xff, 0xfe, 0x00]);
    for arguments in [
        &["summary", "none.keras"][..],
        &["summary", "half.keras"],
        &["summary", "junk.keras"],
        &["summary", "none.toml"],
        &["summary", "binary.toml"],
        &["evaluate", "none.keras", "--data", "digits"],
        &["evaluate", MODEL, "--data", "none.npy"],
        &["evaluate", MODEL, "--data", "none.toml"],
        &["train", "none.toml"],
        &["train", "--set", "model={file=\"none.keras\"}"],
    ] {
        let message = place.mistake(arguments);
        let name = arguments.iter().find(|a| a.contains('.')).unwrap();
        let name = if name.contains("none.keras") {
            "none.keras"
        } else {
            name
        };
        let named = message.contains(name) || message.contains(arguments[arguments.len() - 1]);
        assert!(named, "{arguments:?}: {message}");
    }
}

#[test]
fn usage_mistakes_are_exit_code_2() {
    let place = Place::new();
    for arguments in [
        &["trian"][..],
        &["train", "--epochs", "3"],
        &["train", "--threads", "0"],
        &["train", "--seed", "-1"],
        &["lr-find", "a.toml", "b.toml"],
        &["evaluate", "m.keras"],
        &["data", "fetch", "mnits"],
    ] {
        place.mistake(arguments);
    }
    assert!(place.mistake(&["trian"]).contains("train"));
    assert!(place.ok(&["--help"]).contains("evaluate"));
    assert!(place.ok(&["--version"]).starts_with("gradus 0."));
}

#[test]
fn summary_of_a_file_and_of_a_configuration_agree() {
    let place = trained(2);
    let of_file = place.ok(&["summary", MODEL]);
    assert!(of_file.contains("hidden (Dense)") && of_file.contains("Non-trainable params: 32"));
    assert_eq!(of_file, place.ok(&["summary", "run/config.toml"]));
    assert_eq!(of_file, place.ok(&["summary", "c.toml"]));
}

#[test]
fn data_is_listed_and_shown() {
    let place = trained(2);
    assert!(place.ok(&["data", "list"]).contains("fashion-mnist"));
    assert!(place.ok(&["data", "show", "digits"]).contains("1442 rows"));
    assert!(
        place
            .ok(&["data", "show", "run/config.toml"])
            .contains("1242 rows")
    );
    assert!(
        place
            .mistake(&["data", "show", "mnits"])
            .contains("did you mean `mnist`?")
    );
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let place = trained(2);
    for arguments in [
        &["data", "show", "digits"][..],
        &["summary", MODEL],
        &["data", "list"],
    ] {
        let mut command = place.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    }
}
