//! `gradus runs`.

mod common;

use common::{Place, SMALL};
use serde_json::Value;

/// Trains some runs: `a` of 3 epochs, `b` of 2 with a larger network and no validation.
fn place() -> Place {
    let place = Place::new();
    place.write("c.toml", SMALL);
    let train = |out: &str, more: &[&str]| {
        let out = format!("runs/{out}");
        place.ok(&[&["train", "c.toml", "--quiet", "--out", &out], more].concat());
    };
    train("a", &["--set", "train.epochs=3"]);
    place.write(
        "d.toml",
        "[data]\ndataset = \"digits\"\n[model]\nlayers = [{ type = \"Flatten\" }, \
         { type = \"Dense\", units = 40, activation = \"relu\" }, { type = \"Dense\", units = 10, \
         activation = \"softmax\" }]\n[train]\nloss = \"sparse_categorical_crossentropy\"\n\
         metrics = [\"accuracy\"]\nepochs = 2\noptimizer = \"Adam\"\n",
    );
    place.ok(&["train", "d.toml", "--quiet", "--out", "runs/b"]);
    place
}

/// The names in the first column.
fn names(table: &str) -> Vec<&str> {
    let lines = table.lines().skip(1);
    lines
        .map(|line| line.split_whitespace().next().unwrap())
        .collect()
}

#[test]
fn a_run_is_a_line() {
    let place = place();
    let table = place.ok(&["runs"]);
    assert_eq!(names(&table), ["a", "b"]);
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("run  best"), "{table}");
    let losses = place.history("runs/a", "val_loss");
    let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
    let epoch = losses.iter().position(|&loss| loss == best).unwrap() + 1;
    let accuracy = *place.history("runs/a", "val_accuracy").last().unwrap();
    for part in [
        format!("val_loss {best:.4}  {epoch} "),
        format!("val_accuracy {accuracy:.4}"),
        "  64-16-10 elu, 1,274 parameters".into(),
    ] {
        assert!(lines[1].contains(&part), "{part}: {table}");
    }
    // Without validation rows, the training's.
    let loss = place.history("runs/b", "loss")[1];
    assert!(lines[2].contains(&format!("  loss {loss:.4}")), "{table}");
    assert!(
        lines[2].contains("64-40-10 relu, 3,010 parameters"),
        "{table}"
    );
    // A pipe is no terminal.
    assert!(!table.contains('\x1b'));
}

#[test]
fn runs_are_sorted_by_a_column_or_a_figure() {
    let place = place();
    let sorted = |key: &str| {
        let table = place.ok(&["runs", "--sort", key]);
        names(&table).join(" ")
    };
    let accuracies =
        ["runs/a", "runs/b"].map(|run| *place.history(run, "accuracy").last().unwrap());
    let better = if accuracies[0] > accuracies[1] {
        "a b"
    } else {
        "b a"
    };
    assert_eq!(sorted("accuracy"), better, "{accuracies:?}");
    assert_eq!(sorted("parameters"), "a b");
    assert_eq!(sorted("epochs"), "b a");
    assert_eq!(sorted("name"), "a b");
    // `b` has no such figure.
    assert_eq!(sorted("val_loss"), "a b");
    let error = place.mistake(&["runs", "--sort", "val_los"]);
    assert!(error.contains("did you mean `val_loss`?"), "{error}");
    let error = place.mistake(&["runs", "--sort", "zzzzzz"]);
    assert!(
        error.contains("parameters") && error.contains("accuracy"),
        "{error}"
    );
}

#[test]
fn json_is_one_object() {
    let place = place();
    let text = place.ok(&["runs", "--json", "--sort", "name"]);
    let all: Value = serde_json::from_str(&text).unwrap();
    let a = &all["runs"][0];
    assert_eq!(a["name"], "a");
    assert_eq!(a["folder"], "runs/a");
    let losses = place.history("runs/a", "val_loss");
    let epoch = a["best"]["epoch"].as_u64().unwrap() as usize;
    assert_eq!(a["best"]["value"].as_f64(), Some(losses[epoch]));
    assert_eq!(a["last"]["val_loss"].as_f64(), losses.last().copied());
    assert_eq!(a["epochs"], 3);
    assert_eq!(a["finished"], true);
    assert_eq!(a["parameters"], 1274);
    assert_eq!(all["problems"], serde_json::json!([]));
}

#[test]
fn unfinished_damaged_and_nested_runs_are_listed() {
    let place = place();
    place.ok(&[
        "train",
        "c.toml",
        "--quiet",
        "--folds",
        "2",
        "--out",
        "runs/c",
        "--set",
        "train.epochs=1",
    ]);
    // Unfinished: what is there is its checkpoint.
    for name in ["model.keras", "history.csv"] {
        std::fs::remove_file(place.path("runs/a").join(name)).unwrap();
    }
    place.write("runs/b/history.csv", "epoch,loss\n");
    std::fs::create_dir(place.path("runs/empty")).unwrap();
    let said = place.run(&["runs", "--sort", "name"]);
    assert_eq!(said.code, Some(0));
    assert_eq!(names(&said.out), ["a", "c/fold-1", "c/fold-2"]);
    let a = said.out.lines().nth(1).unwrap();
    assert!(a.contains("3 of 3") && a.contains("64-16-10"), "{a}");
    assert!(
        said.err.contains("warning: runs/b/history.csv"),
        "{}",
        said.err
    );
    let all: Value = serde_json::from_str(&place.ok(&["runs", "--json"])).unwrap();
    assert_eq!(all["problems"].as_array().unwrap().len(), 1);

    place.write("runs/a/config.toml", "seed = [");
    let damaged = place.run(&["runs"]);
    assert_eq!(damaged.code, Some(0));
    assert!(
        damaged.err.contains("runs/a/config.toml"),
        "{}",
        damaged.err
    );
    // A run folder itself, and the folder of a cross-validation.
    assert_eq!(names(&place.ok(&["runs", "runs/c"])), ["fold-1", "fold-2"]);
    assert_eq!(names(&place.ok(&["runs", "runs/c/fold-2"])), ["fold-2"]);
    let said = place.run(&["runs", "runs/empty"]);
    assert_eq!((said.code, said.out.as_str()), (Some(0), ""));
    assert!(said.err.contains("no runs in runs/empty"));
    assert!(place.mistake(&["runs", "nowhere"]).contains("nowhere"));
}

/// A folder's name may be anything.
#[test]
fn names_are_escaped() {
    let place = Place::new();
    place.write("c.toml", SMALL);
    place.ok(&[
        "train",
        "c.toml",
        "--quiet",
        "--out",
        "runs/\x1b[31mred",
        "--set",
        "train.epochs=1",
    ]);
    let table = place.ok(&["runs"]);
    assert!(
        !table.contains('\x1b') && table.contains("[31mred"),
        "{table:?}"
    );
    assert!(!place.ok(&["runs", "--json"]).contains('\x1b'));
}
