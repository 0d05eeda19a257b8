//! Tests of splits, through the real binary.

mod common;

use common::{Place, SMALL, results};

#[test]
fn what_is_held_out_is_said_measured_and_repeated_bit_for_bit() {
    let place = Place::new();
    place.write("c.toml", SMALL);
    let said = place.run(&[
        "train",
        "c.toml",
        "--out",
        "a",
        "--set",
        "data.dataset=digits:train",
        "--set",
        "data.validation={fraction=0.1, shuffle=true}",
        "--set",
        "data.test={fraction=0.2, stratify=true}",
    ]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let line = "rows: 1037 to train on, 116 for validation (0.1 at random), \
                289 for test (0.2 of each class)\n";
    assert!(said.err.contains(line), "{}", said.err);
    assert!(said.out.contains("(289 rows)"), "{}", said.out);
    let config = place.text("a/config.toml");
    assert!(
        config.contains("test = { fraction = 0.2, stratify = true }"),
        "{config}"
    );
    place.ok(&["train", "a/config.toml", "--quiet", "--out", "b"]);
    assert!(results(&place, "a") == results(&place, "b"));
    // `evaluate` takes the test rows.
    let text = place.ok(&["evaluate", "a/model.keras", "--data", "a/config.toml"]);
    assert!(text.contains("289 rows"), "{text}");
    // Another seed, other rows.
    let other = ["train", "a/config.toml", "--quiet", "--seed", "8"];
    place.ok(&[&other[..], &["--out", "c"]].concat());
    assert!(results(&place, "a") != results(&place, "c"));
}

#[test]
fn balanced_class_weights_are_written_down_and_repeat_the_run() {
    let place = Place::new();
    place.write("c.toml", SMALL);
    let balanced = ["--set", "train.class_weight=balanced"];
    let more = ["train", "c.toml", "--quiet", "--out", "a"];
    place.ok(&[&more[..], &balanced].concat());
    let config = place.text("a/config.toml");
    assert!(config.contains("class_weight = { 0 = 1.0"), "{config}");
    place.ok(&["train", "a/config.toml", "--quiet", "--out", "b"]);
    assert!(results(&place, "a") == results(&place, "b"));
    let wrong = ["train", "c.toml", "--set", "train.class_weight=balancd"];
    let text = place.mistake(&wrong);
    assert!(text.contains("expected \"balanced\", or a table"), "{text}");
}
