//! Tests of `[callbacks]`: their files, and `--resume` with them.

mod common;

use common::{Place, SMALL, column, newest_state, results};

/// The small configuration in a folder of its own, with these callbacks too.
fn place_with(callbacks: &str) -> Place {
    let place = Place::new();
    std::fs::create_dir(place.path("{odd} name")).unwrap();
    place.write("{odd} name/c.toml", format!("{SMALL}{callbacks}"));
    place
}

const CONFIG: &str = "{odd} name/c.toml";

/// The values of a file, by column.
#[test]
fn csv_logger_writes_beside_the_configuration_what_the_history_has() {
    let place = place_with("csv_logger = { filename = \"log.csv\" }\n");
    place.ok(&["train", CONFIG, "--quiet", "--out", "run"]);
    let (log, history) = (
        place.text("{odd} name/log.csv"),
        place.text("run/history.csv"),
    );
    let header = "epoch,accuracy,again,learning_rate,loss,val_accuracy,val_again,val_loss,\
                  val_weighted_accuracy,weighted_accuracy\r\n";
    assert!(log.starts_with(header) && log.ends_with("\r\n"), "{log}");
    for name in header.trim_end().split(',') {
        assert_eq!(column(&log, name), column(&history, name), "{name}");
    }
    // The resolved configuration names the same file, from anywhere.
    assert!(place.text("run/config.toml").contains("{odd} name/log.csv"));

    // Another run overwrites it, or appends to it.
    place.ok(&["train", CONFIG, "--quiet", "--out", "b"]);
    assert_eq!(place.text("{odd} name/log.csv"), log);
    let append = ["--set", "callbacks.csv_logger.append=true"];
    place.ok(&[&["train", CONFIG, "--quiet", "--out", "c"], &append[..]].concat());
    let both = place.text("{odd} name/log.csv");
    assert_eq!(both, log.clone() + log.split_once("\r\n").unwrap().1);

    // A resumed training has the previous epochs in its file.
    let more = ["--resume", "--set", "train.epochs=6", "--set"];
    let patient = ["callbacks.early_stopping.patience=3"];
    place.ok(&[
        &["train", CONFIG, "--quiet", "--out", "run"],
        &more[..],
        &patient,
    ]
    .concat());
    let (log, history) = (
        place.text("{odd} name/log.csv"),
        place.text("run/history.csv"),
    );
    assert_eq!(column(&log, "epoch"), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    assert_eq!(column(&log, "val_loss"), column(&history, "val_loss"));
}

#[test]
fn model_checkpoint_saves_every_epoch_under_its_name() {
    let template = "kept/{epoch:02d}-{val_loss:.3f}.keras";
    let place = place_with(&format!(
        "model_checkpoint = {{ filepath = \"{template}\" }}\n"
    ));
    let stop = ["--set", "callbacks.early_stopping=false"];
    place.ok(&[&["train", CONFIG, "--quiet", "--out", "run"], &stop[..]].concat());
    let losses = column(&place.text("run/history.csv"), "val_loss");
    let expected: Vec<String> = losses
        .iter()
        .enumerate()
        .map(|(i, loss)| format!("{:02}-{loss:.3}.keras", i + 1))
        .collect();
    assert_eq!(place.names("{odd} name/kept"), expected);
    // The last is the trained model; the first has that epoch's validation loss.
    let kept = |name: &str| place.read(&format!("{{odd}} name/kept/{name}"));
    assert!(kept(&expected[3]) == place.read("run/model.keras"));
    assert!(kept(&expected[0]) != kept(&expected[3]));
    // Repeated from its folder's configuration, the run writes to the same file.
    place.ok(&["train", "run/config.toml", "--quiet", "--out", "b"]);
    assert!(results(&place, "run") == results(&place, "b"));
    assert_eq!(place.names("{odd} name/kept"), expected);
}

#[test]
fn model_checkpoint_keeps_the_best() {
    let best = "model_checkpoint = { filepath = \"best.keras\", save_best_only = true }\n";
    let place = place_with(best);
    // A rate that soon becomes too high, so that the last epoch is not the best.
    let worse = ["--set", "train.optimizer.learning_rate=0.3"];
    let train = ["train", CONFIG, "--quiet", "--out"];
    place.ok(&[&train[..], &["run"], &worse].concat());
    let losses = column(&place.text("run/history.csv"), "val_loss");
    let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
    // Early stopping restores the best weights, which are the ones saved.
    let measured = |model: &str, data: &str| {
        let json = place.ok(&["evaluate", model, "--data", data, "--json"]);
        serde_json::from_str::<serde_json::Value>(&json).unwrap()["loss"]
            .as_f64()
            .unwrap()
    };
    let kept = measured("{odd} name/best.keras", "digits:test");
    assert_eq!(kept, measured("run/model.keras", "digits:test"));

    // A model that does not beat the threshold, or the best before a resume, is not saved.
    let time = || {
        place
            .path("{odd} name/best.keras")
            .metadata()
            .unwrap()
            .modified()
            .unwrap()
    };
    let before = time();
    let threshold = format!(
        "callbacks.model_checkpoint.initial_value_threshold={}",
        best / 2.0
    );
    place.ok(&[&train[..], &["b", "--set", &threshold], &worse].concat());
    assert_eq!(time(), before);
    let state = newest_state(&place, "run").unwrap();
    assert!(
        state.contains(&format!("[model_checkpoint]\nbest = {best}")),
        "{state}"
    );
}

#[test]
fn model_checkpoint_saves_every_so_many_batches() {
    let place = place_with(
        "model_checkpoint = { filepath = \"{epoch}-{batch:02d}.keras\", save_freq = 15 }\n",
    );
    // 1242 rows in batches of 64: 20 per epoch.
    let two = ["--set", "train.epochs=2"];
    place.ok(&[&["train", CONFIG, "--quiet", "--out", "run"], &two[..]].concat());
    assert_eq!(
        place.names("{odd} name"),
        ["1-15.keras", "2-10.keras", "c.toml"]
    );
}

#[test]
fn terminate_on_nan_ends_the_training() {
    let place = place_with("terminate_on_nan = true\n");
    let blow = [
        "--set",
        "train.optimizer={type=\"SGD\", learning_rate=1e30}",
        "--set",
        "callbacks.early_stopping=false",
    ];
    let train = ["train", CONFIG, "--quiet", "--out"];
    let said = place.run(&[&train[..], &["run"], &blow].concat());
    assert_eq!(said.code, Some(1), "{}", said.err);
    assert!(
        said.err.contains("`terminate_on_nan` has ended"),
        "{}",
        said.err
    );
    // The epoch is completed and recorded.
    assert_eq!(place.text("run/history.csv").lines().count(), 2);
    let raise = ["--set", "callbacks.terminate_on_nan.raise_error=true"];
    let raise = [&["--set", "callbacks.terminate_on_nan={}"], &raise[..]].concat();
    let said = place.run(&[&train[..], &["b"], &blow, &raise].concat());
    assert_eq!(said.code, Some(1), "{}", said.err);
    let message = said.err;
    assert!(
        message.contains("of epoch 0") && message.contains("the loss is"),
        "{message}"
    );
    // Without it, training continues to its end, if allowed.
    let off = ["--set", "callbacks.terminate_on_nan=false"];
    let on = ["--set", "train.on_nan=continue"];
    place.ok(&[&train[..], &["c"], &blow, &off, &on].concat());
    assert_eq!(place.text("c/history.csv").lines().count(), 5);
}

#[test]
fn a_log_that_cannot_be_written_is_named_and_leaves_no_run() {
    let place = place_with("csv_logger = { filename = \"c.toml/log.csv\" }\n");
    let message = place.mistake(&["train", CONFIG, "--out", "run"]);
    assert!(message.contains("c.toml"), "{message}");
    assert_eq!(place.names(""), ["{odd} name"]);
}

#[test]
fn layers_thaw_by_stages_and_a_resumed_run_is_the_same() {
    let stages = "gradual_unfreezing = { factor = 0.5, stages = [{ epoch = 0, layers = 1 }, \
                  { epoch = 2, layers = [\"hidden\"] }] }\n";
    let place = place_with(stages);
    let train = |out| ["train", CONFIG, "--quiet", "--out", out];
    place.ok(&train("whole"));
    place.ok(&[&train("halves")[..], &["--set", "train.epochs=1"]].concat());
    place.ok(&[&train("halves")[..], &["--resume"]].concat());
    assert_eq!(results(&place, "whole"), results(&place, "halves"));
    let summary = place.ok(&["summary", "whole/model.keras"]);
    let frozen = summary.lines().filter(|line| line.contains("[frozen]"));
    let frozen: Vec<&str> = frozen.collect();
    assert!(
        frozen.iter().any(|l| l.contains("batch_normalization")),
        "{summary}"
    );
    assert!(!frozen.iter().any(|l| l.contains("hidden")), "{summary}");
    // The resolved configuration repeats it.
    place.ok(&["train", "whole/config.toml", "--quiet", "--out", "again"]);
    assert_eq!(results(&place, "whole"), results(&place, "again"));

    let wrong = [
        "--set",
        "callbacks.gradual_unfreezing.stages=[{epoch=0,layers=[\"hiden\"]}]",
    ];
    let message = place.mistake(&[&train("x")[..], &wrong].concat());
    assert!(
        message.contains("gradual_unfreezing.stages[0].layers"),
        "{message}"
    );
    assert!(message.contains("`hidden`"), "{message}");
}

#[test]
fn a_stage_with_a_rate_excludes_a_schedule() {
    let stages = "gradual_unfreezing = { stages = [{ epoch = 0, learning_rate = 0.1 }] }\n";
    let place = Place::new();
    let config = SMALL.replace(
        "[callbacks]",
        "schedule = { type = \"OneCycle\", max_rate = 0.1 }\n[callbacks]",
    );
    let plateau = config.find("reduce_lr_on_plateau").unwrap();
    place.write("c.toml", format!("{}{stages}", &config[..plateau]));
    let message = place.mistake(&["train", "c.toml", "--out", "x"]);
    assert!(
        message.contains("callbacks.gradual_unfreezing"),
        "{message}"
    );
    assert!(message.contains("exclude each other"), "{message}");
}
