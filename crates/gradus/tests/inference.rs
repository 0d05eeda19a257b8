//! Models that real Keras made, asked: with training in the build, and without.

use gradus::data::{Dataset, Table, read_npy};
use gradus::model::Functional;
use gradus::model::layers::{Dense, OutputMode, StringLookup};
use gradus::{Model, Result};
use serde_json::Value;
use std::path::PathBuf;

fn golden(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", name].iter().collect()
}

/// All numbers in a JSON value, in their order.
fn numbers(value: &Value) -> Vec<f32> {
    match value {
        Value::Array(list) => list.iter().flat_map(numbers).collect(),
        other => vec![other.as_f64().unwrap() as f32],
    }
}

fn assert_close(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 2e-5, "{found}, not {expected}");
    }
}

#[test]
fn a_file_and_its_bytes_predict_what_keras_does() {
    let path = golden("keras_files/chain.keras");
    let about = std::fs::read_to_string(golden("keras_files/chain.json")).unwrap();
    let about: Value = serde_json::from_str(&about).unwrap();
    let (x, expected) = (numbers(&about["x"]), numbers(&about["y"]));
    let from_bytes = Model::from_bytes(&std::fs::read(&path).unwrap()).unwrap();
    for model in [Model::load(&path).unwrap(), from_bytes] {
        let mut y = vec![0.0; expected.len()];
        model.predictor().unwrap().predict_into(&x, &mut y).unwrap();
        assert_close(&y, &expected);
        assert!(model.summary().unwrap().contains("Dense"));
    }
}

#[test]
fn texts_are_looked_up() {
    let case = |name: &str| golden(&format!("golden/cases/raw_string_lookup/{name}"));
    let data = |name: &str| read_npy(&golden(&format!("golden/data/{name}.npy"))).unwrap();
    let model = Model::load(case("expected.keras")).unwrap();
    let rows = Dataset::from_parts(
        vec![data("x").named("x"), data("town").named("town")],
        vec![],
    );
    let found = model.predict(rows.unwrap()).unwrap();
    let expected = read_npy(&case("predict.npy")).unwrap();
    assert_close(&found.to_f32(), &expected.to_f32());
}

#[test]
fn rows_of_a_table_are_scored() -> Result<()> {
    let mut graph = Functional::new();
    let (town, rooms) = (graph.text_input("town"), graph.input_named("rooms", [1]));
    let lookup = StringLookup::new().vocabulary(["Bonn", "Oslo"]);
    let town = graph.layer(lookup.output_mode(OutputMode::OneHot), town)?;
    let columns = graph.layer(gradus::layers::Concatenate::new(), [town, rooms])?;
    let price = graph.layer_named("price", Dense::new(1), columns)?;
    let mut model = graph.model(price)?;
    // Unknown, Bonn, Oslo, rooms.
    let weights = &mut model.layer_mut("price")?.weights;
    weights[0].values = vec![1.0, 10.0, 100.0, 1000.0];
    weights[1].values = vec![0.5];
    let table = Table::from_columns([
        ("rooms", vec![2.0, 3.0, 4.0].into()),
        ("town", vec!["Oslo", "Rome", "Bonn"].into()),
    ])?;
    let scored = model.score(&table)?;
    assert_eq!(scored.numbers("price")?, [2100.5, 3001.5, 4010.5]);
    Ok(())
}

#[test]
fn what_is_no_model_is_refused() {
    for (bytes, problem) in [
        (&b""[..], "is empty"),
        (b"PK\x03\x04", "the model's bytes"),
        (b"<html>", "is an HTML page"),
        (b"0123456789", "not a .keras file"),
    ] {
        let error = Model::from_bytes(bytes).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
    }
}
