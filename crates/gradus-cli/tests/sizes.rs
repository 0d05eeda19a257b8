//! Sizes that no machine has: refused before they are allocated, with what takes them.

mod common;

use common::Place;

/// A configuration with these layers before the last.
fn config(layers: &str) -> String {
    format!(
        "[data]\ndataset = \"digits\"\n[model]\nlayers = [ {{ type = \"Flatten\" }}, {layers}\n\
         {{ type = \"Dense\", units = 10, activation = \"softmax\" }} ]\n[train]\n\
         loss = \"sparse_categorical_crossentropy\"\nepochs = 1\noptimizer = \"Adam\"\n"
    )
}

#[test]
fn layers_that_no_memory_holds_are_refused_by_name() {
    let place = Place::new();
    for (layers, found) in [
        (
            "{ type = \"Embedding\", input_dim = 1000000000000, output_dim = 8 }, { type = \"Flatten\" },",
            "layer embedding: found weights of 32.0 TB",
        ),
        (
            "{ type = \"Embedding\", input_dim = 9223372036854775807, output_dim = 8 }, { type = \"Flatten\" },",
            "layer embedding: found weights of more bytes than can be counted",
        ),
        (
            "{ type = \"Dense\", units = 2000000000 }, { type = \"Dense\", units = 2000000000 },",
            "layer dense_1: found weights of",
        ),
        (
            "{ type = \"Dense\", units = 1000000000000 },",
            "layer dense: found shape (None, 1000000000000), expected a row that fits",
        ),
    ] {
        place.write("c.toml", config(layers));
        for command in [
            &["summary", "c.toml"][..],
            &["check", "c.toml"],
            &["train", "c.toml"],
        ] {
            let error = place.mistake(command);
            assert!(error.contains(found), "{command:?}: {error}");
        }
    }
}

#[test]
fn batches_that_no_memory_holds_are_refused() {
    let place = Place::new();
    // Pictures of 6 GB each, and few weights.
    let pictures = "[data]\ndataset = \"digits\"\n[model]\nlayers = [ \
        { type = \"Reshape\", target_shape = [8, 8, 1] }, \
        { type = \"Resizing\", height = 40000, width = 40000 }, \
        { type = \"CenterCrop\", height = 4, width = 4 }, { type = \"Flatten\" }, \
        { type = \"Dense\", units = 10, activation = \"softmax\" } ]\n[train]\n\
        loss = \"sparse_categorical_crossentropy\"\noptimizer = \"Adam\"\n";
    place.write("c.toml", pictures);
    let said = place.run(&["train", "c.toml", "--set", "train.batch_size=100000000000"]);
    assert_eq!(said.code, Some(2), "{}", said.err);
    let words = "found 9.2 TB for `resized` of batches of 1442 rows, expected at most ";
    assert!(said.err.contains(words), "{}", said.err);
    // A batch is never larger than the rows.
    place.write("d.toml", config(""));
    for key in ["train.batch_size", "train.epochs"] {
        let set = format!("{key}=9223372036854775807");
        let mut sets = vec![
            "train",
            "d.toml",
            "--quiet",
            "--set",
            &set,
            "--set",
            "train.mixup=0.2",
        ];
        if key == "train.epochs" {
            sets.extend(["--set", "train.initial_epoch=9223372036854775806"]);
        }
        place.ok(&sets);
    }
}

#[test]
fn more_threads_than_can_help_are_not_started() {
    let place = Place::new();
    let few = place.run(&[
        "train",
        "--threads",
        "1",
        "--set",
        "train.epochs=1",
        "--out",
        "a",
    ]);
    assert!(!few.err.contains("--threads"), "{}", few.err);
    let many = place.run(&[
        "train",
        "--threads",
        "100000",
        "--set",
        "train.epochs=1",
        "--out",
        "b",
    ]);
    assert_eq!(many.code, Some(0), "{}", many.err);
    assert!(
        many.err.contains("note: --threads 100000: "),
        "{}",
        many.err
    );
    assert_eq!(common::results(&place, "a"), common::results(&place, "b"));
}
