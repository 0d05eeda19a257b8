//! Parity with Keras: `gradus train` on every golden case against the results of real Keras 3
//! (`crates/gradus/tests/golden`).
//!
//! The table in `docs/parity.md` is made by
//! `GRADUS_PARITY_TABLE=docs/parity.md cargo test -p gradus-cli --test parity`.

use gradus::Model;
use serde_json::Value;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Cases of features that gradus does not have yet: they must be refused, not computed wrongly.
const NOT_YET: &str = include_str!("parity_not_yet.txt");

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../gradus/tests/golden")
}

fn json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// The differences between gradus and Keras.
#[derive(Debug, Default)]
struct Apart {
    weights: f64,
    slots: f64,
    losses: f64,
}

impl Apart {
    fn worst(&self) -> f64 {
        self.weights.max(self.slots).max(self.losses)
    }
}

/// The largest difference over the largest magnitude, at least 0.01.
fn distance(found: &[f32], expected: &[f32]) -> f64 {
    if found.len() != expected.len() {
        return f64::INFINITY;
    }
    let largest = expected
        .iter()
        .fold(0.01_f64, |m, &x| m.max(f64::from(x).abs()));
    let differences = found
        .iter()
        .zip(expected)
        .map(|(a, b)| f64::from((a - b).abs()));
    // NaN must not pass as small.
    differences.fold(0.0, |m, d| {
        if d.is_nan() {
            f64::INFINITY
        } else {
            f64::max(m, d)
        }
    }) / largest
}

fn history(csv: &str) -> Vec<(String, Vec<f64>)> {
    let mut lines = csv.lines();
    let names = lines.next().unwrap_or_default().split(',');
    let mut columns: Vec<(String, Vec<f64>)> = names.map(|n| (n.to_owned(), Vec::new())).collect();
    for line in lines {
        for (column, value) in columns.iter_mut().zip(line.split(',')) {
            column.1.push(value.parse().unwrap());
        }
    }
    columns
}

/// Trains a case, and compares; or returns the reason why it cannot.
fn run(name: &str, out: &Path) -> Result<Apart, String> {
    let case = golden().join("cases").join(name);
    let output = Command::new(env!("CARGO_BIN_EXE_gradus"))
        .args(["train", "case.toml", "--quiet", "--out"])
        .arg(out)
        .current_dir(&case)
        .output()
        .unwrap();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    let load = |path: PathBuf| Model::load(path).map_err(|e| e.to_string());
    let found = load(out.join("model.keras"))?;
    let expected = load(case.join("expected.keras"))?;
    let mut apart = Apart::default();
    for (a, b) in found.weights().zip(expected.weights()) {
        apart.weights = apart.weights.max(distance(&a.values, &b.values));
    }
    let slots = |model: &Model| -> Vec<Vec<f32>> {
        let all = model.state.slots.iter().flatten().flatten();
        all.filter(|s| !s.is_empty()).cloned().collect()
    };
    let (found_slots, expected_slots) = (slots(&found), slots(&expected));
    if found_slots.len() != expected_slots.len() {
        let counts = (found_slots.len(), expected_slots.len());
        return Err(format!("{} slots, Keras has {}", counts.0, counts.1));
    }
    for (a, b) in found_slots.iter().zip(&expected_slots) {
        apart.slots = apart.slots.max(distance(a, b));
    }
    if found.state.iteration != expected.state.iteration {
        let counts = (found.state.iteration, expected.state.iteration);
        return Err(format!("{} steps, Keras took {}", counts.0, counts.1));
    }
    let measured = history(&std::fs::read_to_string(out.join("history.csv")).unwrap());
    let wanted = json(&case.join("expected.json"));
    let Value::Object(wanted) = &wanted["history"] else {
        panic!("{name}: no history");
    };
    for (key, values) in wanted {
        let Some((_, column)) = measured.iter().find(|(n, _)| n == key) else {
            return Err(format!("history has no {key}"));
        };
        let values: Vec<f64> = values
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_f64)
            .collect();
        if values.len() != column.len() {
            return Err(format!(
                "{} epochs, Keras ran {}",
                column.len(),
                values.len()
            ));
        }
        for (a, b) in column.iter().zip(&values) {
            apart.losses = apart.losses.max((a - b).abs() / b.abs().max(0.01));
        }
    }
    Ok(apart)
}

#[test]
fn gradus_takes_the_steps_that_keras_takes() {
    let not_yet: Vec<&str> = NOT_YET.lines().filter(|l| !l.starts_with('#')).collect();
    let index = json(&golden().join("cases.json"));
    let mut table = String::from(
        "# Parity with Keras\n\n\
         Every case trains the same model from the same weights on the same data in gradus and in\n\
         Keras 3.15, then compares all weights, optimizer slots, and measurements of every epoch:\n\
         the largest difference over the largest magnitude (at least 0.01). The tolerance is ten\n\
         times what Keras' own TensorFlow and JAX backends differ by, at least 2e-5. Cases of\n\
         convolutions and pooling are of JAX alone.\n\n\
         Made by `GRADUS_PARITY_TABLE=docs/parity.md cargo test -p gradus-cli --test parity`.\n\n\
         | case | covers | weights | slots | measurements | tolerance |\n\
         | --- | --- | ---: | ---: | ---: | ---: |\n",
    );
    let (mut passed, mut failures) = (0, Vec::new());
    for case in index.as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let tolerance = case["tolerance"].as_f64().unwrap();
        let out = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("parity")
            .join(name);
        let _ = std::fs::remove_dir_all(&out);
        let covers: Vec<&str> = case["covers"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let listed = not_yet.contains(&name);
        match run(name, &out) {
            Ok(apart) if apart.worst() <= tolerance && !listed => {
                passed += 1;
                let Apart {
                    weights,
                    slots,
                    losses,
                } = apart;
                let _ = writeln!(
                    table,
                    "| {name} | {} | {weights:.1e} | {slots:.1e} | {losses:.1e} | {tolerance:.1e} |",
                    covers.join(", "),
                );
            }
            Ok(apart) if listed && apart.worst() <= tolerance => {
                failures.push(format!("{name} passes now: take it off parity_not_yet.txt"));
            }
            Ok(apart) => failures.push(format!("{name}: {apart:?}, tolerance {tolerance:e}")),
            Err(_) if listed => {}
            Err(why) => failures.push(format!("{name}: {why}")),
        }
    }
    let _ = write!(table, "\n{passed} cases.\n");
    if let Ok(path) = std::env::var("GRADUS_PARITY_TABLE") {
        std::fs::write(
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("../..")
                .join(path),
            &table,
        )
        .unwrap();
    }
    if let Ok(path) = std::env::var("GRADUS_PARITY_FAILURES") {
        std::fs::write(path, failures.join("\n")).unwrap();
    }
    assert!(
        failures.is_empty(),
        "{passed} pass; {}:\n{}",
        failures.len(),
        failures.join("\n")
    );
    assert!(passed >= 50, "only {passed} cases were compared");
}
