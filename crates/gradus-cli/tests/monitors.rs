//! Tests of monitored values: the metric decides on the better direction.

mod common;

use common::{Place, SMALL};

/// Trains with a metric that rises or falls, monitored by that callback.
fn watched(metric: &str, callback: &str) -> Place {
    let place = Place::new();
    let config = SMALL.replace("\"accuracy\", {", &format!("\"accuracy\", {metric}, {{"));
    let at = config.find("[callbacks]").unwrap();
    place.write(
        "c.toml",
        format!("{}[callbacks]\n{callback}\n", &config[..at]),
    );
    place
}

const TRAIN: [&str; 4] = ["train", "c.toml", "--out", "run"];

#[test]
fn the_direction_is_the_metrics_whatever_its_name() {
    for (metric, name) in [
        (
            "{ type = \"SparseCategoricalAccuracy\", name = \"error\" }",
            "error",
        ),
        (
            "{ type = \"FBetaScore\", average = \"macro\" }",
            "fbeta_score",
        ),
        (
            "{ type = \"SparseCategoricalCrossentropy\", name = \"recall_error\" }",
            "recall_error",
        ),
        (
            "\"sparse_categorical_crossentropy\"",
            "sparse_categorical_crossentropy",
        ),
    ] {
        let stop =
            format!("early_stopping = {{ monitor = \"val_{name}\", restore_best_weights = true }}");
        let place = watched(metric, &stop);
        let out = place.ok(&TRAIN);
        // It improves from epoch to epoch, in its direction.
        assert!(out.contains("kept the weights of epoch 4"), "{name}: {out}");
        assert!(
            place
                .text("run/history.csv")
                .lines()
                .next()
                .unwrap()
                .contains(name)
        );
    }
}

#[test]
fn the_other_callbacks_follow_it_too() {
    let metric = "{ type = \"SparseCategoricalAccuracy\", name = \"error\" }";
    let place = watched(
        metric,
        "reduce_lr_on_plateau = { monitor = \"val_error\", patience = 1 }\n\
         model_checkpoint = { filepath = \"{epoch}.keras\", monitor = \"val_error\", save_best_only = true }",
    );
    place.ok(&TRAIN);
    // It rises: the rate stays, and each epoch is saved.
    let history = place.text("run/history.csv");
    assert!(
        history.lines().last().unwrap().contains(",0.01,"),
        "{history}"
    );
    let saved = place
        .names("")
        .into_iter()
        .filter(|n| n.ends_with(".keras"));
    assert_eq!(saved.count(), 4);
}

#[test]
fn what_has_no_direction_asks_for_it() {
    let metric = "{ type = \"TruePositives\", name = \"hits\" }";
    for (callback, key) in [
        (
            "early_stopping = { monitor = \"val_hits\" }",
            "early_stopping",
        ),
        (
            "reduce_lr_on_plateau = { monitor = \"hits\" }",
            "reduce_lr_on_plateau",
        ),
        (
            "model_checkpoint = { filepath = \"m.keras\", monitor = \"hits\", save_best_only = true }",
            "model_checkpoint",
        ),
    ] {
        let place = watched(metric, callback);
        let message = place.mistake(&TRAIN);
        assert!(
            message.contains(&format!("callbacks.{key}.mode: ")),
            "{message}"
        );
        assert!(
            message.contains("set `mode` to \"min\" or \"max\""),
            "{message}"
        );
        let set = format!("callbacks.{key}.mode=max");
        place.ok(&[&TRAIN[..], &["--set", &set, "--quiet"]].concat());
    }
}
