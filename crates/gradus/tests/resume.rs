//! Resumed trainings: the same run or a refusal, one process at a time, and writes that fail.

mod common;

use common::Folder;
use gradus::experiment::run_folder::{CONFIG, FOLDS, HISTORY, MODEL, PREDICTIONS};
use gradus::experiment::{Event, Experiment, Outcome};
use gradus::{Error, Result, set_threads};
use std::fs;
use std::path::Path;

const TEXT: &str = r#"
    [data]
    table = "t.csv"
    target = "y"
    columns = { y = "number" }
    validation = { first = 4 }
    checks = false
    [model]
    layers = [{ type = "Dense", units = 2 }, { type = "Dropout", rate = 0.2 }, { type = "Dense", units = 1 }]
    [train]
    loss = "mse"
    optimizer = { type = "Adam", learning_rate = 0.01 }
    epochs = 5
    batch_size = 4
"#;

fn table(changed: usize) -> String {
    let line = |row: usize| {
        format!(
            "{},{}\n",
            row % 5 + usize::from(row == 9) * changed,
            row % 3
        )
    };
    format!("a,y\n{}", (0..12).map(line).collect::<String>())
}

/// A training whose run folder is `run`.
fn experiment(folder: &Folder, more: &str) -> Experiment {
    set_threads(1);
    folder.write("t.csv", table(0));
    folder.write("c.toml", format!("{TEXT}\n{more}"));
    let experiment = Experiment::read(folder.path("c.toml")).unwrap();
    experiment.out(folder.path("run"))
}

fn silent(_: &Event<'_>) -> Result<()> {
    Ok(())
}

fn weights(outcome: &Outcome) -> Vec<Vec<u32>> {
    let bits = |values: &Vec<f32>| values.iter().map(|x| x.to_bits()).collect();
    let weights = outcome.model.weights();
    weights.map(|weight| bits(&weight.values)).collect()
}

/// An error that ends a training, as a kill would.
fn enough() -> Error {
    Error::NotReady {
        problem: "that is enough".into(),
    }
}

/// Trains until that epoch, from 0, has ended.
fn interrupt(experiment: &Experiment, last: usize) {
    let ended = experiment.run(|event| match event {
        Event::BatchEnd(progress) if progress.epoch > last => Err(enough()),
        _ => Ok(()),
    });
    assert!(matches!(ended, Err(Error::NotReady { .. })));
}

#[test]
fn what_has_changed_since_the_run_began_is_refused_by_name() {
    let folder = Folder::new();
    let experiment = experiment(&folder, "");
    interrupt(&experiment, 2);
    let resume = |experiment: &Experiment| experiment.clone().resume().run(silent);
    let refused = |experiment: &Experiment, expected: &str| {
        let error = resume(experiment).unwrap_err();
        assert!(error.is_users_mistake(), "{error}");
        let text = error.to_string();
        assert!(text.contains(expected), "{text}");
        assert!(
            text.contains("; `--resume --allow-changed` goes on nevertheless"),
            "{text}"
        );
    };
    let other = experiment.clone().set("train.batch_size=3").unwrap();
    refused(&other, "`train.batch_size` is 3, the run's is 4");
    let other = experiment.clone().set("model.layers[1].rate=0.5").unwrap();
    refused(&other, "].rate` is 0.5, the run's is 0.2");
    folder.write("t.csv", table(1));
    refused(&experiment, "training rows, input a (");
    let mut said = Vec::new();
    let allowed = experiment.clone().resume().allow_changed().run(|event| {
        if let Event::ChangesAllowed { changes } = event {
            said.extend(changes.iter().cloned());
        }
        Ok(())
    });
    assert_eq!(allowed.unwrap().history.epochs.len(), 5);
    assert!(
        said.concat()
            .contains("the content has changed since the run began"),
        "{said:?}"
    );
    // Now it is the run's.
    resume(&experiment).unwrap();
    // Another place, more epochs and other checkpoints do not matter.
    folder.write("moved.csv", table(1));
    let moved = experiment.set("data.table=moved.csv").unwrap();
    let moved = moved
        .set("train.epochs=6")
        .unwrap()
        .set("checkpoint.keep=1")
        .unwrap();
    assert_eq!(resume(&moved).unwrap().history.epochs.len(), 6);
    let alone = moved.allow_changed().run(silent).unwrap_err().to_string();
    assert!(
        alone.contains("--allow-changed, expected --resume with it"),
        "{alone}"
    );
}

#[test]
fn a_second_process_is_told_who_trains() {
    let folder = Folder::new();
    let experiment = experiment(&folder, "");
    let mut refused = Vec::new();
    let trained = experiment.run(|event| {
        if let Event::TrainBegin { .. } | Event::EpochEnd { .. } = event {
            refused.push(experiment.clone().resume().run(silent).unwrap_err());
        }
        Ok(())
    });
    trained.unwrap();
    assert_eq!(refused.len(), 6);
    let expected = format!(
        "is being trained by process {} since 20",
        std::process::id()
    );
    for error in refused {
        assert!(
            error.is_users_mistake() && error.to_string().contains(&expected),
            "{error}"
        );
    }
    experiment.resume().run(silent).unwrap();
}

#[test]
fn a_cross_validation_goes_on_with_the_folds_that_are_missing() {
    let folder = Folder::new();
    let experiment = experiment(&folder, "");
    let whole = experiment.clone().out(folder.path("whole"));
    whole.cross_validate(3, silent).unwrap();
    let mut at = 0;
    let mut second = None;
    let ended = experiment.cross_validate(3, |event| match event {
        Event::FoldBegin { fold, .. } => {
            at = *fold;
            Ok(())
        }
        Event::BatchEnd(progress) if at == 2 && progress.epoch == 3 => {
            let resumed = experiment.clone().resume();
            second = resumed.cross_validate(3, silent).err();
            Err(enough())
        }
        _ => Ok(()),
    });
    assert!(matches!(ended, Err(Error::NotReady { .. })));
    let second = second.unwrap().to_string();
    assert!(
        second.contains("run: is being trained by process"),
        "{second}"
    );

    let resumed = experiment.resume();
    let other = resumed.cross_validate(4, silent).unwrap_err().to_string();
    assert_eq!(other, "--folds: found 4, expected 3, as the run has");
    let single = resumed.run(silent).unwrap_err().to_string();
    assert!(single.contains("holds a cross-validation"), "{single}");
    // A process that is killed while it writes leaves such a file.
    folder.write("run/.folds.csv.479-33.tmp", "fold,");
    let mut trained = [0; 4];
    let ended = resumed.cross_validate(3, |event| {
        match event {
            Event::FoldBegin { fold, .. } => at = *fold,
            Event::EpochEnd { .. } => trained[at] += 1,
            _ => {}
        }
        Ok(())
    });
    ended.unwrap();
    assert!(!folder.path("run/.folds.csv.479-33.tmp").exists());
    assert!(
        trained[1] == 0 && (2..5).contains(&trained[2]) && trained[3] == 5,
        "{trained:?}"
    );
    let same = |name: &str| {
        let [a, b] = ["run", "whole"].map(|run| folder.text(&format!("{run}/{name}")));
        assert_eq!(a, b, "{name}");
    };
    same(FOLDS);
    same(PREDICTIONS);
}

/// The outcome of the same experiment, undisturbed, in a folder of its own.
fn uninterrupted(experiment: &Experiment, folder: &Folder) -> Outcome {
    let aside = experiment.clone().out(folder.path("whole"));
    aside.run(silent).unwrap()
}

/// Removes a folder that another thread may be writing to.
fn remove(folder: &Path) {
    while folder.exists() {
        let _ = fs::remove_dir_all(folder);
    }
}

#[test]
fn a_removed_run_folder_is_made_again() {
    let folder = Folder::new();
    let experiment = experiment(&folder, "");
    let whole = uninterrupted(&experiment, &folder);
    let outcome = experiment.run(|event| {
        if let Event::EpochEnd { epoch, .. } = event
            && epoch.epoch == 2
        {
            remove(&folder.path("run"));
        }
        Ok(())
    });
    let outcome = outcome.unwrap();
    assert!(outcome.not_written.is_empty(), "{:?}", outcome.not_written);
    assert!(weights(&outcome) == weights(&whole));
    for name in [MODEL, HISTORY, CONFIG] {
        assert!(folder.path("run").join(name).is_file(), "{name}");
    }
    let resumed = experiment.resume().run(silent).unwrap();
    assert!(weights(&resumed) == weights(&whole));
}

#[test]
fn checkpoints_that_cannot_be_written_end_no_training() {
    let folder = Folder::new();
    let experiment = experiment(&folder, "");
    let whole = uninterrupted(&experiment, &folder);
    let place = folder.path("run/checkpoint");
    let mut told = 0;
    let outcome = experiment.run(|event| {
        match event {
            // No folder can be made where a file is.
            Event::TrainBegin { .. } => {
                remove(&place);
                fs::write(&place, "").unwrap();
            }
            Event::NotWritten { kind, .. } => {
                assert_eq!(*kind, "checkpoint");
                told += 1;
            }
            _ => {}
        }
        Ok(())
    });
    let outcome = outcome.unwrap();
    assert_eq!(told, 1);
    assert!(weights(&outcome) == weights(&whole));
    let [problem] = &outcome.not_written[..] else {
        panic!("{:?}", outcome.not_written);
    };
    assert!(problem.contains("checkpoint"), "{problem}");
    assert!(folder.path("run").join(MODEL).is_file());
}

#[test]
fn an_appended_log_has_each_epoch_once_after_a_resume() {
    let folder = Folder::new();
    let logger = "[callbacks]\ncsv_logger = { filename = \"logs/log.csv\", append = true }";
    let experiment = experiment(&folder, logger);
    fs::create_dir(folder.path("logs")).unwrap();
    folder.write("logs/log.csv", "epoch,loss\r\n0,1.0\r\n");
    interrupt(&experiment, 3);
    experiment.resume().run(silent).unwrap();
    let text = folder.text("logs/log.csv");
    let epochs: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split(',').next())
        .collect();
    assert_eq!(epochs, ["epoch", "0", "0", "1", "2", "3", "4"], "{text}");
}

#[test]
fn checkpoints_are_written_and_kept_as_configured() {
    let folder = Folder::new();
    let experiment = experiment(&folder, "[checkpoint]\nevery = \"2h\"\nkeep = 1");
    experiment.run(silent).unwrap();
    let states = || {
        let names = folder.names("run/checkpoint").into_iter();
        names
            .filter(|name| name.starts_with("state-"))
            .collect::<Vec<_>>()
    };
    // The first and the last epoch's.
    assert_eq!(states(), ["state-000002.toml"]);
    let config = folder.text("run/config.toml");
    assert!(
        config.contains("[checkpoint]\nevery = \"2h\"\nkeep = 1\n"),
        "{config}"
    );
    for (from, to, expected) in [
        (
            "keep = 1",
            "keep = 0",
            "checkpoint.keep: found 0, expected a whole number of 1 or more",
        ),
        (
            "\"2h\"",
            "\"2 hours\"",
            "checkpoint.every: found \"2 hours\", expected a time such as",
        ),
        (
            "keep",
            "kep",
            "checkpoint: unknown key `kep`; did you mean `keep`?",
        ),
        (
            "[checkpoint]",
            "[callbacks.checkpoint]",
            "callbacks: unknown key `checkpoint`; `[checkpoint]` is a table of its own, beside `[callbacks]`",
        ),
    ] {
        let text = fs::read_to_string(folder.path("c.toml"))
            .unwrap()
            .replace(from, to);
        let wrong = Experiment::from_toml(&text).unwrap().run(silent);
        let error = wrong.unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}
