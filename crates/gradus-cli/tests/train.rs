//! `gradus train`: the default, the run folder, repeating and resuming a run.

mod common;

use common::{Place, SMALL, cut_short, kill_after, newest_state, only_whole_files, results};

#[test]
fn the_default_trains_and_says_what_came_out_and_what_to_type_next() {
    let place = Place::new();
    let said = place.run(&["train", "--set", "train.epochs=2"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.out.contains("test  ") && said.out.contains("accuracy 0."));
    assert!(said.out.contains("runs/digits-1"));
    assert!(said.err.contains("epoch 1/2  loss ") && said.err.contains("epoch 2/2"));
    assert_eq!(
        place.names("runs/digits-1"),
        [
            ".lock",
            "checkpoint",
            "config.toml",
            "events",
            "health.csv",
            "history.csv",
            "model.keras",
            "report.html"
        ]
    );
    let history = place.text("runs/digits-1/history.csv");
    let header = "epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds\n0,";
    assert!(history.starts_with(header), "{history}");
    assert_eq!(history.lines().count(), 3);

    // The suggested commands work, pasted into a shell.
    let next: Vec<&str> = said.out.lines().filter(|l| l.starts_with("  ")).collect();
    assert_eq!(next.len(), 3, "{}", said.out);
    for line in next {
        let mut shell = std::process::Command::new("sh");
        let done = shell
            .args(["-c", line])
            .current_dir(place.path(""))
            .output();
        assert!(done.unwrap().status.success(), "{line}");
    }
    assert_eq!(place.text("predictions.csv").lines().count(), 1 + 355);
}

#[test]
fn quiet_prints_the_result_alone() {
    let place = Place::new();
    place.write("c.toml", SMALL);
    let said = place.run(&["train", "c.toml", "--quiet", "--out", "run"]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    assert!(said.out.contains("accuracy") && !said.out.contains("next"));
    assert_eq!(place.names(""), ["c.toml", "run"]);
}

#[test]
fn the_resolved_configuration_repeats_the_run_bit_for_bit() {
    let place = Place::new();
    place.write("c.toml", SMALL);
    place.ok(&["train", "c.toml", "--quiet", "--out", "a", "--threads", "1"]);
    place.ok(&[
        "train",
        "a/config.toml",
        "--quiet",
        "--out",
        "b",
        "--threads",
        "2",
    ]);
    assert!(results(&place, "a") == results(&place, "b"));
    assert_eq!(place.text("a/config.toml"), place.text("b/config.toml"));

    place.ok(&["train", "--quiet", "--set", "train.epochs=2", "--out", "c"]);
    place.ok(&["train", "c/config.toml", "--quiet", "--out", "d"]);
    assert!(results(&place, "c") == results(&place, "d"));

    // A model can be trained on from its file, and that repeats.
    let more = [
        "train",
        "a/config.toml",
        "--quiet",
        "--out",
        "e",
        "--set",
        "model={file=\"model.keras\", trainable={hidden=false}}",
        "--set",
        "train.epochs=6",
        "--set",
        "train.initial_epoch=4",
    ];
    place.ok(&more);
    assert!(results(&place, "e").1.contains("\n4,"));
    place.ok(&["train", "e/config.toml", "--quiet", "--out", "f"]);
    assert!(results(&place, "e") == results(&place, "f"));
    assert!(place.ok(&["summary", "e/model.keras"]).contains("frozen"));
}

/// All random draws for images and mixup come from the seed.
#[test]
fn augmentation_and_mixup_are_in_the_config() {
    let place = Place::new();
    place.write(
        "c.toml",
        "[data]\ndataset = \"digits\"\n[model]\nlayers = [\n\
         { type = \"Reshape\", target_shape = [8, 8, 1] },\n\
         { type = \"RandomTranslation\", height_factor = 0.1, width_factor = [-0.1, 0.1] },\n\
         { type = \"Flatten\" },\n\
         { type = \"Dense\", units = 10, activation = \"softmax\" },\n]\n\
         [train]\nloss = \"sparse_categorical_crossentropy\"\nmetrics = [\"accuracy\"]\n\
         optimizer = \"Adam\"\nepochs = 2\nmixup = 0.2\n",
    );
    place.ok(&["train", "c.toml", "--quiet", "--out", "a", "--threads", "1"]);
    place.ok(&[
        "train",
        "a/config.toml",
        "--quiet",
        "--out",
        "b",
        "--threads",
        "2",
    ]);
    let model = |run: &str| std::fs::read(place.path(&format!("{run}/model.keras"))).unwrap();
    assert!(model("a") == model("b"));
    let plain = [
        "train",
        "a/config.toml",
        "--quiet",
        "--out",
        "c",
        "--set",
        "train.mixup=0.7",
    ];
    place.ok(&plain);
    assert!(model("a") != model("c"));
    let said = place.run(&["train", "c.toml", "--set", "train.mixup=-1", "--out", "d"]);
    assert_eq!(said.code, Some(2));
    assert!(
        said.err.contains("mixup") && said.err.contains("above 0"),
        "{}",
        said.err
    );
}

#[test]
fn the_precision_is_in_the_config() {
    let place = Place::new();
    place.write("c.toml", SMALL);
    let train = |config: &str, out: &str, more: &[&str]| {
        place.ok(&[&["train", config, "--quiet", "--out", out], more].concat());
        results(&place, out)
    };
    let single = train("c.toml", "a", &[]);
    assert!(single == train("c.toml", "b", &["--set", "train.precision=float32"]));
    let mixed = train("c.toml", "c", &["--set", "train.precision=mixed_bfloat16"]);
    assert!(single != mixed);
    assert!(
        mixed == train("c/config.toml", "d", &[]),
        "the run's own config has it"
    );
}

#[test]
fn the_seed_decides() {
    let place = Place::new();
    place.write("c.toml", SMALL);
    place.ok(&["train", "c.toml", "--quiet", "--out", "a", "--seed", "1"]);
    place.ok(&[
        "train", "c.toml", "--quiet", "--out", "b", "--set", "seed=1",
    ]);
    place.ok(&["train", "c.toml", "--quiet", "--out", "c"]);
    assert!(results(&place, "a") == results(&place, "b"));
    assert!(results(&place, "a") != results(&place, "c"));
}

#[test]
fn a_loaded_model_brings_its_own_settings() {
    let place = Place::new();
    place.write("c.toml", SMALL);
    place.ok(&["train", "c.toml", "--quiet", "--out", "a"]);
    place.write(
        "more.toml",
        "[data]\ndataset = \"digits\"\n[model]\nfile = \"a/model.keras\"\n\
         [train]\nlearning_rate = 0.001\n",
    );
    place.ok(&["train", "more.toml", "--quiet", "--out", "b"]);
    let config = place.text("b/config.toml");
    assert!(config.contains("metrics = [\"accuracy\", {") || config.contains("\"again\""));
    assert!(config.contains("\nlearning_rate = 0.001\n"), "{config}");
    place.ok(&["train", "b/config.toml", "--quiet", "--out", "c"]);
    assert!(results(&place, "b") == results(&place, "c"));
}

#[test]
fn a_run_that_is_there_is_not_overwritten() {
    let place = Place::new();
    place.write("c.toml", SMALL);
    place.ok(&["train", "c.toml", "--quiet"]);
    place.ok(&["train", "c.toml", "--quiet"]);
    assert_eq!(place.names("runs"), ["c-1", "c-2"]);
    let before = place.read("runs/c-1/model.keras");
    let message = place.mistake(&["train", "c.toml", "--out", "runs/c-1"]);
    assert!(message.contains("runs/c-1") && message.contains("--resume"));
    assert!(before == place.read("runs/c-1/model.keras"));
}

#[test]
fn a_killed_run_leaves_whole_files_and_resumes_to_the_same_bits() {
    let place = Place::new();
    place.write("c.toml", SMALL);
    // Long enough to be killed, with a reduced rate and dropout before that.
    let long = [
        "train",
        "c.toml",
        "--quiet",
        "--set",
        "model.layers.1.units=64",
        "--set",
        "callbacks.early_stopping.patience=100000",
    ];
    let (epochs, ()) = cut_short(&place, &long, "killed", |command| {
        kill_after(&place, command, "killed", 2)
    });
    let train = |out: &'static str| [&long[..], &["--set", epochs, "--out", out]].concat();
    place.ok(&train("whole"));
    for text in [
        newest_state(&place, "killed").unwrap(),
        place.text("killed/config.toml"),
    ] {
        assert!(!text.is_empty() && text.ends_with('\n'));
    }
    for name in place.names("killed/checkpoint") {
        if name.ends_with(".keras") && !name.starts_with('.') {
            place.ok(&["summary", &format!("killed/checkpoint/{name}")]);
        }
    }

    let other = [&train("killed")[..], &["--resume", "--seed", "8"]].concat();
    let message = place.mistake(&other);
    assert!(message.contains("`seed` is 8, the run's is 7"), "{message}");

    place.ok(&["train", "--resume", "--quiet", "--out", "killed"]);
    assert!(results(&place, "whole") == results(&place, "killed"));
    assert!(only_whole_files(&place.path("killed")));

    // A completed run is not trained again, but more epochs may be requested.
    let model = place.read("killed/model.keras");
    place.ok(&[&train("killed")[..], &["--resume"]].concat());
    assert!(model == place.read("killed/model.keras"));
    let done = place.history("killed", "loss").len();
    let more = [
        "train",
        "--resume",
        "--quiet",
        "--out",
        "killed",
        "--set",
        &format!("train.epochs={}", done + 2),
    ];
    place.ok(&more);
    assert_eq!(place.history("killed", "loss").len(), done + 2);
}

#[test]
fn a_run_that_stopped_early_stays_stopped() {
    let place = Place::new();
    place.write("c.toml", SMALL);
    let stop = [
        "train",
        "c.toml",
        "--quiet",
        "--out",
        "run",
        "--set",
        "train.epochs=9",
        "--set",
        "callbacks.early_stopping={monitor=\"val_loss\", patience=1, min_delta=100.0, restore_best_weights=true}",
    ];
    place.ok(&stop);
    let before = results(&place, "run");
    assert_eq!(place.history("run", "loss").len(), 2);
    std::fs::remove_file(place.path("run/model.keras")).unwrap();
    let out = place.ok(&["train", "--resume", "--quiet", "--out", "run"]);
    assert!(out.contains("kept the weights of epoch 1"), "{out}");
    assert!(before == results(&place, "run"));
}

#[test]
fn there_must_be_something_to_resume() {
    let place = Place::new();
    let message = place.mistake(&["train", "--resume", "--out", "nothing"]);
    assert!(message.contains("nothing") && message.contains("--resume"));
    place.mistake(&["train", "--resume"]);
    assert!(place.names("").is_empty());
}
