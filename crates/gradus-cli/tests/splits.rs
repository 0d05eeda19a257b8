//! Tests of splits, through the real binary.

mod common;

use common::{Place, SMALL, npy, results};

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

#[test]
fn classes_are_kept_merged_and_numbered_anew_and_rows_limit_what_is_trained_on() {
    let place = Place::new();
    // Labels 0 to 3 in turn.
    let labels = |of: &dyn Fn(usize) -> Vec<f32>, width: usize| {
        let rows: Vec<f32> = (0..48).flat_map(of).collect();
        let shape: &[usize] = if width == 1 { &[48] } else { &[48, width] };
        let mut file = npy(shape);
        let start = file.len() - 4 * rows.len();
        for (place, value) in file[start..].chunks_mut(4).zip(rows) {
            place.copy_from_slice(&value.to_le_bytes());
        }
        file
    };
    place.write("x.npy", npy(&[48, 3]));
    place.write("y.npy", labels(&|row| vec![(row % 4) as f32], 1));
    let one_hot = |row: usize| (0..4).map(|n| f32::from(n == row % 4)).collect();
    place.write("hot.npy", labels(&one_hot, 4));
    let config = |data: &str, train: &str| {
        format!(
            "[data]\nx = \"x.npy\"\n{data}\nvalidation = {{ first = 8 }}\n[model]\nlayers = [\n  \
             {{ type = \"Dense\", units = 2, activation = \"softmax\" }},\n]\n[train]\nloss = \"{train}\"\n\
             optimizer = \"sgd\"\n"
        )
    };
    let sparse = "sparse_categorical_crossentropy";
    for (name, data, loss, said) in [
        (
            "some",
            "y = \"y.npy\"\nclasses = [3, 1]\nrows = 10",
            sparse,
            "rows: 10 to train on, 8 for validation (the first rows), of the classes 3 as 0, 1 as 1\n",
        ),
        (
            "merged",
            "y = \"y.npy\"\nclasses = [[0, 2], 3]",
            sparse,
            "rows: 28 to train on, 8 for validation (the first rows), of the classes 0 or 2 as 0, 3 as 1\n",
        ),
        (
            "hot",
            "y = \"hot.npy\"\nclasses = [[0, 2], 3]",
            "categorical_crossentropy",
            "rows: 28 to train on, 8 for validation (the first rows), of the classes 0 or 2 as 0, 3 as 1\n",
        ),
    ] {
        place.write("c.toml", config(data, loss));
        let found = place.run(&["train", "c.toml", "--out", name]);
        assert_eq!(found.code, Some(0), "{}", found.err);
        assert!(found.err.starts_with(said), "{}", found.err);
        let again = format!("{name}-again");
        place.ok(&[
            "train",
            &format!("{name}/config.toml"),
            "--quiet",
            "--out",
            &again,
        ]);
        assert!(results(&place, name) == results(&place, &again));
    }
    // Labels and one-hot rows are the same rows.
    let loss = |run: &str| place.history(run, "val_loss");
    assert!((loss("merged")[0] - loss("hot")[0]).abs() < 1e-6);
    for (data, parts) in [
        (
            "y = \"y.npy\"\nclasses = [1, 7]",
            &["data.classes", "7, which no row has", "at most 3"][..],
        ),
        (
            "y = \"y.npy\"\nclasses = [1, 1]",
            &["data.classes", "1 twice"],
        ),
        (
            "y = \"y.npy\"\nclasses = [1]",
            &["data.classes", "two classes or more"],
        ),
        (
            "y = \"y.npy\"\nclasses = [[], 1]",
            &["data.classes", "two classes or more"],
        ),
        (
            "y = \"y.npy\"\nclasses = [\"a\", 1]",
            &["data.classes", "unknown class `a`"],
        ),
        ("y = \"y.npy\"\nrows = 41", &["data.rows", "at most 40"]),
        (
            "y = \"y.npy\"\nrows = \"a\"",
            &["data.rows", "whole number of 1 or more"],
        ),
        (
            "y = \"y.npy\"\nclasses = [1, 2]\nmemory = 300",
            &["`classes` belongs to"],
        ),
        (
            "y = \"y.npy\"\nclases = [1, 2]",
            &["did you mean `classes`?"],
        ),
    ] {
        place.write("c.toml", config(data, sparse));
        let message = place.mistake(&["train", "c.toml", "--out", "x"]);
        for part in parts {
            assert!(message.contains(part), "{data}: {message}");
        }
    }
    place.write("t.csv", "a,b\n1,2\n2,3\n");
    let table = "table = \"t.csv\"\ntarget = \"b\"\nclasses = [1, 2]";
    place.write(
        "c.toml",
        config(table, sparse).replace("x = \"x.npy\"\n", ""),
    );
    let message = place.mistake(&["train", "c.toml", "--out", "x"]);
    assert!(
        message.contains("`classes` belongs to a `dataset`"),
        "{message}"
    );
}
