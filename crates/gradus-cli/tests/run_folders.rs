//! Tests of a run folder in place of a model, and of its own rows.

mod common;

use common::{Place, SMALL};

#[test]
fn a_run_is_measured_on_its_own_rows() {
    let place = Place::new();
    place.write("c.toml", SMALL);
    place.ok(&["train", "c.toml", "--quiet", "--out", "run"]);
    let json = |model: &str, data: &str| place.ok(&["evaluate", model, "--data", data, "--json"]);
    assert_eq!(
        json("run", "digits:test"),
        json("run/model.keras", "digits:test")
    );
    assert_eq!(json("run", "test"), json("run", "digits:test"));
    // The last epoch's weights are the best here, so its validation is the model's.
    let value = |text: &str, key: &str| -> f64 {
        serde_json::from_str::<serde_json::Value>(text).unwrap()[key]
            .as_f64()
            .unwrap()
    };
    let losses = place.history("run", "val_loss");
    let best = losses.into_iter().fold(f64::INFINITY, f64::min);
    assert!((value(&json("run", "validation"), "loss") - best).abs() < 1e-9);
    let text = place.ok(&["evaluate", "run", "--data", "train"]);
    assert!(text.starts_with("train: 1242 rows\n"), "{text}");

    let message = place.mistake(&["evaluate", "run/model.keras", "--data", "train"]);
    assert!(message.contains("expected a run folder"), "{message}");
    std::fs::create_dir(place.path("empty")).unwrap();
    let message = place.mistake(&["evaluate", "empty", "--data", "digits"]);
    assert!(
        message.contains("is a folder without model.keras, expected a model file or a run folder"),
        "{message}"
    );
}

#[test]
fn rows_that_a_run_does_not_have_are_a_mistake() {
    let place = Place::new();
    let table: String = (0..40).map(|i| format!("{i},{}\n", i % 7)).collect();
    place.write("t.csv", format!("a,y\n{table}"));
    place.write(
        "c.toml",
        "[data]\ntable = \"t.csv\"\ntarget = \"y\"\nvalidation = { fraction = 0.2 }\n[model]\n\
         recipe = \"default\"\nhidden = [4]\n[train]\nepochs = 1\n",
    );
    place.ok(&["train", "c.toml", "--quiet", "--out", "run"]);
    let text = place.ok(&["evaluate", "run", "--data", "validation"]);
    assert!(text.starts_with("validation: 8 rows\n"), "{text}");
    let message = place.mistake(&["evaluate", "run", "--data", "test"]);
    assert!(
        message.contains("the run has: `train`, `validation`"),
        "{message}"
    );
}

#[test]
fn a_place_where_nothing_can_be_written_is_a_mistake() {
    let place = Place::new();
    place.write("c.toml", SMALL.replace("epochs = 4", "epochs = 1"));
    place.write("file", "");
    for out in ["file/run", "/proc/run"] {
        let message = place.mistake(&["train", "c.toml", "--quiet", "--out", out]);
        assert!(message.contains(out), "{message}");
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("loop", place.path("loop")).unwrap();
        place.mistake(&["train", "c.toml", "--quiet", "--out", "loop/run"]);
        place.mistake(&["train", "loop"]);
    }
    place.ok(&["train", "c.toml", "--quiet", "--out", "run"]);
    std::fs::create_dir(place.path("folder.csv")).unwrap();
    let onto = [
        "predict",
        "run",
        "--data",
        "digits:test",
        "--out",
        "folder.csv",
    ];
    let message = place.mistake(&onto);
    assert!(message.contains("folder.csv"), "{message}");
}

#[cfg(target_os = "linux")]
#[test]
fn results_that_are_not_all_in_their_files_end_with_exit_1() {
    let place = Place::new();
    let logger = "csv_logger = { filename = \"/dev/full\" }\n";
    place.write("c.toml", SMALL.to_owned() + logger);
    let said = place.run(&["train", "c.toml", "--out", "run"]);
    assert_eq!(said.code, Some(1), "{}", said.err);
    assert!(said.out.starts_with("trained     4 epochs"), "{}", said.out);
    let told = said
        .err
        .matches("warning: csv_logger: cannot write /dev/full")
        .count();
    assert_eq!(told, 1, "{}", said.err);
    let last = "error: the training has ended, but its files are not complete:\n\
                cannot write /dev/full: No space left on device";
    assert!(said.err.contains(last), "{}", said.err);
    place.ok(&["evaluate", "run", "--data", "test"]);
}
