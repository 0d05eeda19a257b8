//! Tests of ONNX files through the real binary. What ONNX Runtime computes is `.ci/onnx.py`'s.

mod common;

use common::Place;

/// A run on a table with texts, gaps and dates.
fn trained() -> Place {
    let place = Place::new();
    let mut table = String::from("x,town,sold,price\n");
    for row in 0..60 {
        let town = ["bay", "hill", ""][row % 3];
        let x = if row % 7 == 0 {
            String::new()
        } else {
            row.to_string()
        };
        table += &format!(
            "{x},{town},2024-{:02}-{:02},{}\n",
            row % 12 + 1,
            row % 28 + 1,
            row * 3
        );
    }
    place.write("t.csv", table);
    let config = "data.table = \"t.csv\"\ndata.target = \"price\"\nmodel.recipe = \"default\"\ntrain.epochs = 1\n";
    place.write("c.toml", config);
    place.ok(&["train", "c.toml", "--out", "run"]);
    place
}

fn has(file: &[u8], text: &str) -> bool {
    file.windows(text.len()).any(|part| part == text.as_bytes())
}

#[test]
fn a_table_s_model_takes_raw_columns_or_is_written_without_its_texts() {
    let place = trained();
    let said = place.ok(&["convert", "run", "raw.onnx"]);
    assert!(said.contains("arrays"), "{said}");
    let raw = place.read("raw.onnx");
    for text in [
        "gradus",
        "sold",
        "LabelEncoder",
        "ai.onnx.ml",
        "StringSplit",
        "2024-05-31",
    ] {
        assert!(has(&raw, text), "{text}");
    }
    place.ok(&["convert", "run", "core.onnx", "--core"]);
    let core = place.read("core.onnx");
    assert!(has(&core, "sold") && !has(&core, "ai.onnx.ml") && !has(&core, "StringSplit"));
    // Texts are no part of the networks that are read: every node is named.
    let said = place.mistake(&["summary", "raw.onnx"]);
    assert!(said.contains("raw.onnx"), "{said}");
    let said = place.mistake(&["convert", "run", "x.keras", "--core"]);
    assert!(said.contains("--core") && said.contains(".onnx"), "{said}");
}

#[test]
fn a_network_goes_to_onnx_and_back() {
    let place = Place::new();
    let set = "train.epochs=1";
    place.ok(&["train", "--set", set, "--out", "run", "--quiet"]);
    place.ok(&["convert", "run", "m.onnx"]);
    let said = place.ok(&["summary", "m.onnx"]);
    assert!(
        said.contains("Dense") && said.contains("BatchNormalization"),
        "{said}"
    );
    place.ok(&["convert", "m.onnx", "again.keras"]);
    let predict = |model: &str, out: &str| {
        place.ok(&["predict", model, "--data", "digits:test", "--out", out]);
        let text = place.text(out);
        text.lines()
            .flat_map(|line| {
                line.split(',')
                    .filter_map(|x| x.parse().ok())
                    .collect::<Vec<f64>>()
            })
            .collect::<Vec<f64>>()
    };
    let wanted = predict("run", "a.csv");
    for model in ["m.onnx", "again.keras"] {
        let found = predict(model, "b.csv");
        // The file has no names of classes, so the columns are numbers alone.
        let wanted = wanted.iter().rev().take(10).rev();
        let found = found.iter().rev().take(10).rev();
        for (found, wanted) in found.zip(wanted) {
            assert!(
                (found - wanted).abs() <= 1e-5,
                "{model}: {found} instead of {wanted}"
            );
        }
    }
}

#[test]
fn int8_needs_an_onnx_file_and_rows_and_says_its_ranges() {
    let place = Place::new();
    place.ok(&[
        "train",
        "--set",
        "train.epochs=1",
        "--out",
        "run",
        "--quiet",
    ]);
    let int8 = ["--quantize", "int8", "--data", "digits:train"];
    let with = |out: &'static str, more: &[&'static str]| {
        [&["convert", "run", out], &int8[..], more].concat()
    };
    let said = place.ok(&with("q.onnx", &["--calibrate", "percentile"]));
    for part in [
        "ranges by percentile",
        "  dense: int8, inputs from",
        "stays as it is",
    ] {
        assert!(said.contains(part), "{said}");
    }
    let wide = place.ok(&with("m.onnx", &[]));
    assert!(wide.contains("ranges by min-max"), "{wide}");
    let file = place.read("q.onnx");
    assert!(has(&file, "DequantizeLinear") && file != place.read("m.onnx"));
    let narrow = [
        "--calibrate",
        "percentile",
        "--percentile",
        "90",
        "--reduce-range",
    ];
    place.ok(&with("n.onnx", &narrow));
    assert_ne!(file, place.read("n.onnx"));
    let refused: [(&'static str, &[&'static str], &str); 4] = [
        ("q.keras", &[], "optimize MODEL OUT --quantize int8"),
        (
            "q.onnx",
            &["--calibrate", "entropie"],
            "did you mean `entropy`",
        ),
        (
            "q.onnx",
            &["--percentile", "90", "--calibrate", "entropy"],
            "--percentile",
        ),
        (
            "q.onnx",
            &["--calibrate", "percentile", "--percentile", "20"],
            "above 50",
        ),
    ];
    for (out, more, why) in refused {
        let said = place.mistake(&with(out, more));
        assert!(said.contains(why), "{said}");
    }
    let said = place.mistake(&["convert", "run", "q.onnx", "--quantize", "int8"]);
    assert!(said.contains("--data"), "{said}");
    let said = place.mistake(&[
        "convert",
        "run",
        "q.onnx",
        "--quantize",
        "f16",
        "--data",
        "digits",
    ]);
    assert!(
        said.contains("--quantize") && said.contains("int8"),
        "{said}"
    );
}

#[test]
fn a_quantization_aware_model_needs_no_rows_for_its_int8_file() {
    let place = Place::new();
    let aware = [
        "--set",
        "train.epochs=1",
        "--set",
        "train.quantization_aware.bits=8",
    ];
    place.ok(&[&["train", "--out", "run", "--quiet"][..], &aware].concat());
    let said = place.ok(&["convert", "run", "q.onnx", "--quantize", "int8"]);
    for part in [
        "ranges by quantization-aware training",
        "  dense: int8, inputs from 0.0000 to 1.0000",
    ] {
        assert!(said.contains(part), "{said}");
    }
    assert!(has(&place.read("q.onnx"), "DequantizeLinear"));
    let said = place.ok(&["summary", "run"]);
    assert!(
        said.contains("Quantization-aware: dense, dense_1"),
        "{said}"
    );
    let method = [
        "convert",
        "run",
        "q.onnx",
        "--quantize",
        "int8",
        "--calibrate",
        "entropy",
    ];
    let said = place.mistake(&method);
    assert!(said.contains("--data"), "{said}");
}
