//! The health of layers, through the real binary: before training, while it goes on, in files.

mod common;

use common::{Place, SMALL, results};
use serde_json::Value;

/// Eight layers, as deep as a test has time for.
fn deep(activation: &str, initializer: &str) -> String {
    let layer = format!(
        "  {{ type = \"Dense\", units = 20, activation = \"{activation}\", kernel_initializer = {initializer} }},\n"
    );
    let layers = layer.repeat(8);
    format!(
        "data = {{ dataset = \"digits\", validation = {{ first = 200 }}, scale = \"unit\" }}\n\
         [model]\nlayers = [\n  {{ type = \"Flatten\" }},\n{layers}  \
         {{ type = \"Dense\", units = 10, activation = \"softmax\" }},\n]\n\
         [train]\nloss = \"sparse_categorical_crossentropy\"\noptimizer = \"SGD\"\n"
    )
}

#[test]
fn check_looks_at_signal_and_gradients_before_training() {
    let place = Place::new();
    place.write("sick.toml", deep("sigmoid", "\"glorot_uniform\""));
    place.write("well.toml", deep("selu", "\"lecun_normal\""));
    let sick = place.ok(&["check", "sick.toml", "--data", "digits"]);
    assert!(
        sick.contains("the gradients vanish") && sick.contains("[vanishing_gradients]"),
        "{sick}"
    );
    assert!(sick.contains("guessing gives 2.303"), "{sick}");
    let lines = sick.lines().filter(|line| line.starts_with("dense"));
    assert_eq!(lines.count(), 9, "{sick}");
    let well = place.ok(&["check", "well.toml", "--data", "digits"]);
    assert!(well.contains("signal and gradients are healthy"), "{well}");
    assert!(!well.contains("vanish"), "{well}");

    let json = place.ok(&["check", "sick.toml", "--data", "digits", "--json"]);
    let object: Value = serde_json::from_str(&json).unwrap();
    let layers = object["health"]["layers"].as_array().unwrap();
    let norm = |n: usize| layers[n]["gradient_norm"].as_f64().unwrap();
    assert!(norm(0) < norm(8) / 300.0, "{json}");
    let without: Value =
        serde_json::from_str(&place.ok(&["check", "sick.toml", "--json"])).unwrap();
    assert!(without.get("health").is_none());
}

#[test]
fn data_without_targets_shows_no_gradients_and_says_so() {
    let place = Place::new();
    place.write("c.toml", deep("relu", "\"he_normal\""));
    place.write("x.npy", common::npy(&[20, 8, 8]));
    let said = place.ok(&["check", "c.toml", "--data", "x.npy"]);
    assert!(
        said.contains("signal and gradients are not looked at: "),
        "{said}"
    );
}

#[test]
fn what_is_wrong_is_told_once_while_it_trains() {
    let place = Place::new();
    place.write("sick.toml", deep("sigmoid", "\"glorot_uniform\""));
    let said = place.run(&[
        "train",
        "sick.toml",
        "--out",
        "run",
        "--set",
        "train.epochs=3",
    ]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let told: Vec<&str> = said
        .err
        .lines()
        .filter(|line| line.contains("[vanishing_gradients]"))
        .collect();
    assert_eq!(told.len(), 1, "{}", said.err);
    assert!(
        told[0].starts_with("warning: layers dense to dense_"),
        "{told:?}"
    );
    let csv = place.text("run/health.csv");
    assert!(csv.starts_with("epoch,step,layer,output_mean,"), "{csv}");
    assert_eq!(
        csv.lines().filter(|line| line.starts_with("0,0,")).count(),
        9
    );
}

#[test]
fn samples_change_no_weight_and_can_be_turned_off() {
    let place = Place::new();
    place.write("c.toml", SMALL);
    let train = |every: &str, out: &str| {
        let every = format!("train.health_every={every}");
        place.ok(&["train", "c.toml", "--quiet", "--set", &every, "--out", out]);
    };
    train("1", "each");
    train("0", "none");
    assert!(place.read("each/model.keras") == place.read("none/model.keras"));
    assert!(!place.path("none/health.csv").exists());
    // Four epochs of 20 steps, four layers and the dropout.
    let rows = place.text("each/health.csv").lines().count() - 1;
    assert_eq!(rows, 4 * 20 * 4);
    place.ok(&["train", "each/config.toml", "--quiet", "--out", "again"]);
    assert!(results(&place, "each") == results(&place, "again"));
}
