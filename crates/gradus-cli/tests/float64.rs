//! Tests of values that float32 would round, through the real binary: they keep their precision
//! until they are scaled.

mod common;

use common::{Place, results};
use std::fmt::Write as _;

/// Seconds since 1970 within one minute, all equal in float32, and a target that depends on them.
fn seconds(rows: usize) -> String {
    let mut text = String::from("secs,y\n");
    for row in 0..rows {
        let second = row * 37 % 60;
        let _ = writeln!(text, "{},{}", 1_700_000_000 + second, second * 3);
    }
    text
}

const CONFIG: &str = r#"
data.table = "t.csv"
data.target = "y"
model = { recipe = "default", hidden = [12] }
train.epochs = 40
"#;

/// A `.npy` file of 64-bit floats.
fn npy(width: usize, numbers: &[f64]) -> Vec<u8> {
    let shape = match width {
        1 => format!("({},)", numbers.len()),
        _ => format!("({}, {width})", numbers.len() / width),
    };
    let header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}");
    let header = format!("{header:<117}\n");
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.bytes());
    file.extend(numbers.iter().flat_map(|x| x.to_le_bytes()));
    file
}

#[test]
fn numbers_of_a_column_that_float32_does_not_tell_apart_are_learned_all_the_same() {
    let place = Place::new();
    place.write("t.csv", seconds(600));
    place.write("t.toml", CONFIG);
    let shown = place.ok(&["data", "show", "t.csv"]);
    let line = shown.lines().find(|line| line.contains("secs")).unwrap();
    for words in ["60", "1700000000 to 1700000059", "standardized"] {
        assert!(line.contains(words), "{line}");
    }
    let said = place.run(&["train", "t.toml", "--out", "run"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let note = "column `secs`: 60 different numbers are 1 in float32";
    assert!(said.err.contains(note), "{}", said.err);
    let line = said
        .out
        .lines()
        .find(|line| line.starts_with("training"))
        .unwrap();
    let error: f64 = line.split_whitespace().last().unwrap().parse().unwrap();
    // Guessing is off by 52.
    assert!(error < 20.0, "{line}");
    // The model's file has the offset.
    place.write("new.csv", "secs\n1700000002\n1700000057\n");
    place.ok(&[
        "predict",
        "run/model.keras",
        "--data",
        "new.csv",
        "--out",
        "p.csv",
    ]);
    let scored = place.text("p.csv");
    let y: Vec<f64> = scored.lines().skip(1).map(|l| l.parse().unwrap()).collect();
    assert!(y[1] - y[0] > 80.0, "{scored}");

    // Streamed from the copy, the training is the same.
    let streamed = place.run_cached(&[
        "train",
        "t.toml",
        "--set",
        "data.memory=\"6 kB\"",
        "--set",
        "train.shuffle=false",
        "--out",
        "s",
    ]);
    assert_eq!(streamed.code, Some(0), "{}", streamed.err);
    assert!(
        streamed.err.contains("read meanwhile") && streamed.err.contains(note),
        "{}",
        streamed.err
    );
    place.ok(&[
        "train",
        "t.toml",
        "--set",
        "train.shuffle=false",
        "--out",
        "m",
    ]);
    assert!(results(&place, "m") == results(&place, "s"));
}

#[test]
fn milliseconds_are_split_where_they_are_cut() {
    let place = Place::new();
    let rows: String = (0..400)
        .map(|row| {
            format!(
                "{},{}\n",
                1_700_000_000_000_u64 + (row * 7 % 400) * 1000,
                row
            )
        })
        .collect();
    place.write("t.csv", format!("ts,y\n{rows}"));
    place.write(
        "t.toml",
        format!("{CONFIG}\ndata.validation = {{ fraction = 0.25, time = \"ts\" }}"),
    );
    let said = place.run(&["train", "t.toml", "--set", "train.epochs=1", "--out", "run"]);
    assert!(
        said.err
            .contains("rows: 300 to train on, 100 for validation"),
        "{}",
        said.err
    );
}

#[test]
fn an_array_is_scaled_before_it_is_rounded() {
    let place = Place::new();
    let near: Vec<f64> = (0..240).map(|i| f64::from(i * 31 % 120)).collect();
    let far: Vec<f64> = near
        .iter()
        .enumerate()
        .map(|(i, x)| x + if i % 2 == 0 { 1e8 } else { 0.0 })
        .collect();
    place.write("near.npy", npy(2, &near));
    place.write("far.npy", npy(2, &far));
    let y: Vec<f64> = near.chunks(2).map(|row| row[0] - row[1] * 0.5).collect();
    place.write("y.npy", npy(1, &y));
    let config = |x: &str, scale: &str| {
        format!(
            "[data]\nx = \"{x}\"\ny = \"y.npy\"\nscale = \"{scale}\"\n[model]\nlayers = [{{ type = \"Dense\", units = 1 }}]\n[train]\nloss = \"mse\"\nepochs = 3\noptimizer = \"sgd\"\n"
        )
    };
    place.write("near.toml", config("near.npy", "standard"));
    place.write("far.toml", config("far.npy", "standard"));
    place.write("raw.toml", config("far.npy", "none"));
    for name in ["near", "far"] {
        let said = place.run(&["train", &format!("{name}.toml"), "--out", name]);
        assert_eq!(said.code, Some(0), "{}", said.err);
        assert!(!said.err.contains("float32"), "{}", said.err);
    }
    assert_eq!(results(&place, "near").1, results(&place, "far").1);
    // Streamed in windows as in memory.
    let scaled = |out: &str, memory: &str| {
        let more = ["--set", "train.shuffle=false", "--out", out];
        let memory = format!("data.memory=\"{memory}\"");
        place.ok(&[&["train", "far.toml", "--set", &memory][..], &more].concat());
        results(&place, out).1
    };
    assert_eq!(scaled("whole", "1 GB"), scaled("parts", "3 kB"));
    // Unscaled, the model gets the rounded values.
    let said = place.run(&["check", "raw.toml"]);
    let all = said.out + &said.err;
    assert!(
        all.contains("far.npy") && all.contains("120 different numbers are")
            || all.contains("different numbers are"),
        "{all}"
    );
    assert!(
        all.contains("[rounded]") && all.contains("data.scale"),
        "{all}"
    );
}

#[test]
fn numbers_are_printed_as_they_stand() {
    let place = Place::new();
    place.write("x.npy", npy(2, &[0.5; 16]));
    place.write(
        "y.npy",
        npy(1, &[0.0, 1.0, 2.0, 0.0, 1.0, 2_147_483_648.0, 2.0, 1.0]),
    );
    place.write("t.toml", "[data]\nx = \"x.npy\"\ny = \"y.npy\"\n[model]\nlayers = [{ type = \"Dense\", units = 3, activation = \"softmax\" }]\n[train]\nloss = \"sparse_categorical_crossentropy\"\nepochs = 1\noptimizer = \"sgd\"\n");
    let error = place.mistake(&["train", "t.toml", "--out", "run"]);
    assert!(error.contains("found 2147483648,"), "{error}");
    place.write("t.csv", "n,y\n16777217,0.1\n16777217,0.2\n16777217,0.3\n");
    let shown = place.ok(&["data", "show", "t.csv"]);
    assert!(
        shown.contains("always 16777217") && shown.contains("0.1 to 0.3"),
        "{shown}"
    );
}
