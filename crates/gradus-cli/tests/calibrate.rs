//! `gradus calibrate`, and predictions that are rejected, through the real binary.

mod common;

use common::{Place, SMALL, column};
use serde_json::Value;

/// A model of the digits that is too sure: its logits are multiplied by training on few rows.
fn too_sure() -> Place {
    let place = Place::new();
    place.write("digits.toml", SMALL);
    let sets = [
        "train.epochs=30",
        "train.optimizer.learning_rate=0.05",
        "data.validation={ first = 1200 }",
        "callbacks={}",
    ];
    let sets = sets.iter().flat_map(|set| ["--set", set]);
    let mut arguments = vec!["train", "digits.toml", "--out", "run", "--quiet"];
    arguments.extend(sets);
    place.ok(&arguments);
    place
}

fn calibrated(place: &Place, more: &[&str]) -> Value {
    let arguments = [
        "calibrate",
        "run",
        "cal.keras",
        "--data",
        "validation",
        "--json",
    ];
    let said = place.ok(&[&arguments[..], more].concat());
    serde_json::from_str(&said).unwrap()
}

fn measured(place: &Place, model: &str) -> Value {
    let data = ["--data", "digits:test", "--json"];
    serde_json::from_str(&place.ok(&[&["evaluate", model][..], &data].concat())).unwrap()
}

#[test]
fn a_temperature_makes_probabilities_likelier_and_keeps_the_classes() {
    let place = too_sure();
    let found = calibrated(&place, &["--accuracy", "0.99"]);
    let output = &found["outputs"][0];
    let number = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("{output}"));
    let (before, after) = (&output["before"], &output["after"]);
    assert!(number(&output["temperature"]) > 1.0, "{output}");
    assert!(number(&after["loss"]) < number(&before["loss"]), "{output}");
    assert!(number(&after["calibration_error"]) < number(&before["calibration_error"]));
    assert_eq!(after["accuracy"], before["accuracy"]);
    assert_eq!(
        (&output["rows"], &output["bins"]),
        (&1200.into(), &15.into())
    );
    // On other rows, too, and by the loss that every command measures.
    let (raw, mended) = (measured(&place, "run"), measured(&place, "cal.keras"));
    assert!(
        number(&mended["loss"]) < number(&raw["loss"]),
        "{raw}, {mended}"
    );
    assert_eq!(raw["accuracy"], mended["accuracy"]);
    // A calibrated model has the temperature 1, which is said.
    let again = ["calibrate", "cal.keras", "again.keras", "--data"];
    let said = place.run(&[&again[..], &["run/config.toml"]].concat());
    assert_eq!(said.code, Some(0), "{}", said.err);
    // A quantized model is calibrated by its scales.
    place.ok(&["optimize", "run", "int8.keras", "--quantize", "int8"]);
    let quantized = ["calibrate", "int8.keras", "q.keras", "--json", "--data"];
    let said = place.ok(&[&quantized[..], &["run/config.toml"]].concat());
    let found: Value = serde_json::from_str(&said).unwrap();
    let mended = measured(&place, "q.keras");
    let loss = found["outputs"][0]["after"]["loss"].as_f64().unwrap();
    assert!(loss < number(&before["loss"]), "{found}");
    assert_eq!(
        measured(&place, "int8.keras")["accuracy"],
        mended["accuracy"]
    );
    // The threshold gives what was said of it.
    let rejection = &output["rejection"];
    let threshold = rejection["threshold"].to_string();
    let accepted = number(&rejection["accepted"]);
    assert!(number(&rejection["accuracy"]) >= 0.99 && rejection["reached"] == true);
    assert!(accepted > 100.0 && accepted < 1200.0, "{rejection}");
    let predict = ["predict", "cal.keras", "--data", "digits:test", "--out"];
    place.ok(&[&predict[..], &["all.csv"]].concat());
    place.ok(&[&predict[..], &["some.csv", "--reject-below", &threshold]].concat());
    let (all, some) = (place.text("all.csv"), place.text("some.csv"));
    let classes: Vec<Vec<f64>> = (0..10)
        .map(|n| column(&all, &format!("class_{n}")))
        .collect();
    let mut rejected = 0;
    for (row, (all, some)) in all.lines().zip(some.lines()).skip(1).enumerate() {
        let most = classes.iter().map(|class| class[row]).fold(0.0, f64::max);
        let is_rejected = (most as f32) < threshold.parse::<f32>().unwrap();
        let wanted = match is_rejected {
            true => &all[all.find(',').unwrap()..],
            false => all,
        };
        assert_eq!(some, wanted);
        rejected += usize::from(is_rejected);
    }
    assert!(rejected > 10, "{rejected}");
}

#[test]
fn a_model_of_two_classes_is_calibrated_by_its_one_probability() {
    let place = Place::new();
    let row = |k: u32| {
        let x = k * 37 % 101;
        let noise = k * 53 % 89 < 20;
        let class = ["no", "yes"][usize::from((x > 50) != noise)];
        format!("{x},{},{class}\n", k % 7)
    };
    let table =
        |rows: std::ops::Range<u32>| format!("x,y,bought\n{}", rows.map(row).collect::<String>());
    place.write("train.csv", table(0..200));
    place.write("new.csv", table(200..700));
    place.write(
        "config.toml",
        "data.table = \"train.csv\"\ndata.target = \"bought\"\ntrain.epochs = 40\n\
         train.loss = \"binary_crossentropy\"\ntrain.optimizer = \"adam\"\n\
         model.layers = [\n\
           { type = \"Dense\", units = 32, activation = \"relu\" },\n\
           { type = \"Dense\", units = 1, activation = \"sigmoid\" },\n\
         ]\n",
    );
    place.ok(&["train", "config.toml", "--out", "run", "--quiet"]);
    let said = place.ok(&["calibrate", "run", "cal.keras", "--data", "new.csv"]);
    for words in [
        "temperature",
        "Brier score",
        "expected calibration error (15 bins)",
    ] {
        assert!(said.contains(words), "{said}");
    }
    let said = place.run(&["calibrate", "run", "cal.keras", "--data", "train.csv"]);
    assert!(
        said.err.contains("the model was trained on these rows"),
        "{}",
        said.err
    );
    let said = place.run(&[
        "calibrate",
        "run",
        "cal.keras",
        "--data",
        "new.csv",
        "--accuracy",
        "1",
    ]);
    assert_eq!(said.code, Some(0));
    assert!(said.out.contains("--reject-below 0."), "{}", said.out);
}

#[test]
fn what_cannot_be_calibrated_is_refused_by_name() {
    let place = Place::new();
    place.write("digits.toml", SMALL);
    let train = |out: &str, layers: &str, loss: &str| {
        let layers = format!("model.layers=[{{ type = \"Flatten\" }}, {layers}]");
        let loss = format!("train.loss={loss}");
        let short = [
            "--set",
            "train.epochs=1",
            "--set",
            "model.trainable={}",
            "--set",
        ];
        let sets = [
            &short[..],
            &[&layers, "--set", &loss, "--out", out, "--quiet"],
        ]
        .concat();
        place.ok(&[&["train", "digits.toml"][..], &sets].concat());
    };
    let crossentropy = "\"sparse_categorical_crossentropy\"";
    let dense = "{ type = \"Dense\", name = \"last\", units = 10, activation = \"softmax\" }";
    train(
        "dropped",
        &format!("{dense}, {{ type = \"Dropout\", rate = 0.1 }}"),
        crossentropy,
    );
    let calibrate =
        |run: &str, data: &str| place.mistake(&["calibrate", run, "cal.keras", "--data", data]);
    let said = calibrate("dropped", "digits:test");
    assert!(
        said.contains("layer dropout, Dropout, expected a Dense layer"),
        "{said}"
    );
    let logits = "{ type = \"SparseCategoricalCrossentropy\", from_logits = true }";
    let linear = "{ type = \"Dense\", name = \"last\", units = 10 }";
    train("logits", linear, logits);
    let said = place.ok(&["calibrate", "logits", "cal.keras", "--data", "digits:test"]);
    assert!(said.contains("layer last was divided by it"), "{said}");
    train("plain", dense, crossentropy);
    let said = place.mistake(&["calibrate", "plain", "cal.onnx", "--data", "digits:test"]);
    assert!(said.contains("ends in .keras"), "{said}");
    // A regression.
    place.write(
        "numbers.csv",
        (0..60)
            .map(|n| format!("{n},{}.5\n", n * 3))
            .collect::<String>(),
    );
    place.write(
        "numbers.toml",
        "data.table = \"numbers.csv\"\ndata.target = \"column_1\"\ntrain.epochs = 1\n\
         model = { recipe = \"default\", hidden = [8] }\n",
    );
    place.ok(&["train", "numbers.toml", "--out", "numbers", "--quiet"]);
    let said = calibrate("numbers", "numbers.csv");
    assert!(said.contains("no output with a loss of classes"), "{said}");
    let predict = [
        "predict",
        "numbers",
        "--data",
        "numbers.csv",
        "--out",
        "p.csv",
    ];
    let said = place.mistake(&[&predict[..], &["--reject-below", "0.5"]].concat());
    assert!(said.contains("predicts no classes"), "{said}");
    let said = place.mistake(&[&predict[..], &["--reject-below", "1.5"]].concat());
    assert!(said.contains("a number from 0 to 1"), "{said}");
}
