//! Tests of cross-validation, through the real binary.

mod common;

use common::{Place, SMALL, npy, results};
use std::collections::BTreeMap;

/// The cells of a file, by column; it must not have quotes.
fn columns(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut lines = text.lines().map(|line| line.split(','));
    let names: Vec<&str> = lines.next().unwrap().collect();
    let mut columns = BTreeMap::new();
    for line in lines {
        for (name, cell) in names.iter().zip(line) {
            let cells: &mut Vec<String> = columns.entry(name.to_string()).or_default();
            cells.push(cell.to_owned());
        }
    }
    columns
}

fn numbers(cells: &[String]) -> Vec<f64> {
    cells.iter().map(|cell| cell.parse().unwrap()).collect()
}

/// 120 rows of three classes, one of them rare, by 30 people on 12 days.
fn visits() -> String {
    let mut text = String::from("id,person,day,size,town,kind\n");
    for row in 0..120 {
        let (person, day) = (row * 7 % 30, 1 + row % 12);
        let kind = if row % 12 == 5 {
            "rare"
        } else {
            ["common", "usual"][row % 2]
        };
        let (size, town) = (row % 2 * 5 + row % 3, ["Bern", "Graz"][row / 3 % 2]);
        text += &format!("v{row},p{person},2024-01-{day:02},{size},{town},{kind}\n");
    }
    text
}

const VISITS: &str = r#"
data.table = "visits.csv"
data.target = "kind"
data.columns = { id = "id", person = "drop", day = "drop" }
model = { recipe = "default", hidden = [8] }
train.epochs = 2
"#;

fn visits_with(validation: &str, folds: &str, more: &[&str]) -> Place {
    let place = Place::new();
    place.write("visits.csv", visits());
    place.write("visits.toml", VISITS);
    let validation = format!("data.validation={validation}");
    let command = [
        "train",
        "visits.toml",
        "--folds",
        folds,
        "--out",
        "run",
        "--set",
        &validation,
    ];
    place.ok(&[&command[..], more].concat());
    place
}

#[test]
fn each_fold_is_a_run_that_its_config_repeats_bit_for_bit() {
    let place = Place::new();
    place.write("c.toml", SMALL);
    let said = place.run(&["train", "c.toml", "--folds", "3", "--out", "run"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let line = "fold 2 of 3\nrows: 961 to train on, 481 for validation (fold 2 of 3), \
                355 for test (the set's own)\npredicts 10 classes, the largest ";
    assert!(said.err.contains(line), "{}", said.err);
    assert!(
        said.err.contains("\nrun folder: run/fold-2\n"),
        "{}",
        said.err
    );
    for words in [
        "trained     3 folds in ",
        "\nmean  ",
        " ± ",
        "run folder  run\n",
    ] {
        assert!(said.out.contains(words), "{}", said.out);
    }
    let there = [
        ".lock",
        "fold-1",
        "fold-2",
        "fold-3",
        "folds.csv",
        "predictions.csv",
    ];
    assert_eq!(place.names("run"), there);
    place.ok(&[
        "train",
        "run/fold-2/config.toml",
        "--out",
        "again",
        "--quiet",
    ]);
    assert!(results(&place, "run/fold-2") == results(&place, "again"));
    assert!(results(&place, "run/fold-2") != results(&place, "run/fold-1"));

    let folds = columns(&place.text("run/folds.csv"));
    assert_eq!(folds["fold"], ["1", "2", "3", "mean", "std"]);
    for name in [
        "loss",
        "accuracy",
        "val_loss",
        "val_accuracy",
        "test_accuracy",
        "test_again",
    ] {
        let all = numbers(&folds[name]);
        let mean = all[..3].iter().sum::<f64>() / 3.0;
        let square = all[..3].iter().map(|x| (x - mean).powi(2)).sum::<f64>();
        assert!((all[3] - mean).abs() < 1e-12 && (all[4] - (square / 2.0).sqrt()).abs() < 1e-12);
    }
    // The held-out rows of a fold's model are those of its configuration.
    place.write(
        "v.toml",
        place
            .text("run/fold-2/config.toml")
            .replace("\"digits\"", "\"digits:train\""),
    );
    let json = place.ok(&[
        "evaluate",
        "run/fold-2/model.keras",
        "--data",
        "v.toml",
        "--json",
    ]);
    let measured: serde_json::Value = serde_json::from_str(&json).unwrap();
    let accuracy = numbers(&folds["val_accuracy"])[1];
    assert_eq!(measured["accuracy"].as_f64(), Some(accuracy));

    // Every row once, in order, with the prediction of its own fold's model.
    let predictions = columns(&place.text("run/predictions.csv"));
    let rows: Vec<String> = (0..1442).map(|row| row.to_string()).collect();
    assert_eq!(predictions["row"], rows);
    let right = |fold: &str| {
        let all = predictions["fold"]
            .iter()
            .zip(&predictions["target"])
            .zip(&predictions["target_predicted"]);
        let of_fold: Vec<bool> = all
            .filter(|((f, _), _)| *f == fold)
            .map(|((_, a), b)| a == b)
            .collect();
        of_fold.iter().filter(|right| **right).count() as f64 / of_fold.len() as f64
    };
    assert_eq!(right("2"), accuracy);
    let sum: f64 = (0..10)
        .map(|n| numbers(&predictions[&format!("target_{n}")])[7])
        .sum();
    assert!((sum - 1.0).abs() < 1e-5);

    // Only the result.
    let quiet = place.run(&[
        "train", "c.toml", "--folds", "3", "--out", "other", "--quiet",
    ]);
    assert_eq!(quiet.err, "");
    let after = |text: &str| text.split_once("\n\n").unwrap().1.replace("other", "run");
    assert_eq!(after(&quiet.out), after(&said.out));
    let line = place.mistake(&["train", "c.toml", "--folds", "3", "--out", "run"]);
    assert!(line.contains("holds a run already"), "{line}");
}

#[test]
fn a_table_in_folds_keeps_ids_classes_and_the_test_apart() {
    let test = ["--set", "data.test={fraction=0.25, shuffle=true}"];
    let place = visits_with("{fraction=0.2, stratify=true}", "4", &test);
    let predictions = columns(&place.text("run/predictions.csv"));
    let rows: Vec<usize> = predictions["row"]
        .iter()
        .map(|row| row.parse().unwrap())
        .collect();
    assert!(rows.len() == 90 && rows.is_sorted_by(|a, b| a < b));
    let table = columns(&visits());
    for (place, &row) in rows.iter().enumerate() {
        assert_eq!(predictions["id"][place], format!("v{row}"));
        assert_eq!(predictions["kind"][place], table["kind"][row]);
    }
    assert!(
        predictions["kind_predicted"]
            .iter()
            .any(|kind| kind == "usual")
    );
    for class in ["kind_common", "kind_rare", "kind_usual"] {
        assert_eq!(numbers(&predictions[class]).len(), 90);
    }
    // Stratified by class.
    let count = |fold: &str, class: &str| {
        let both = predictions["fold"].iter().zip(&predictions["kind"]);
        both.filter(|(f, k)| *f == fold && *k == class).count()
    };
    let rare: Vec<usize> = ["1", "2", "3", "4"]
        .iter()
        .map(|fold| count(fold, "rare"))
        .collect();
    assert!(
        rare.iter().max().unwrap() - rare.iter().min().unwrap() <= 1,
        "{rare:?}"
    );
    // Means are those of the fold's own training rows.
    let means = |fold: &str| {
        let config = place.text(&format!("run/fold-{fold}/config.toml"));
        let layer = config
            .lines()
            .find(|line| line.contains("\"Normalization\""));
        layer.unwrap().to_owned()
    };
    assert_ne!(means("1"), means("2"));
    let folds = columns(&place.text("run/folds.csv"));
    assert_eq!(folds["test_accuracy"].len(), 6);
    // A configuration with a fold repeats that fold.
    place.ok(&[
        "train",
        "run/fold-3/config.toml",
        "--out",
        "again",
        "--quiet",
    ]);
    assert!(results(&place, "run/fold-3") == results(&place, "again"));
}

#[test]
fn a_group_is_in_one_fold_and_later_days_are_never_trained_on() {
    let place = visits_with("{fraction=0.2, group=\"person\"}", "5", &[]);
    let table = columns(&visits());
    let predictions = columns(&place.text("run/predictions.csv"));
    assert_eq!(predictions["row"].len(), 120);
    let mut fold_of = BTreeMap::new();
    for (person, fold) in table["person"].iter().zip(&predictions["fold"]) {
        assert_eq!(fold_of.entry(person).or_insert(fold), &fold);
    }
    let place = visits_with("{fraction=0.2, time=\"day\"}", "3", &[]);
    let said = place.text("run/fold-1/config.toml");
    let line = "validation = { fold = 1, folds = 3, time = \"day\" }";
    assert!(said.contains(line), "{said}");
    // The first quarter is never held out.
    let predictions = columns(&place.text("run/predictions.csv"));
    assert_eq!(predictions["row"].len(), 90);
    for (row, fold) in predictions["row"].iter().zip(&predictions["fold"]) {
        let day = &table["day"][row.parse::<usize>().unwrap()];
        let day: usize = day.rsplit('-').next().unwrap().parse().unwrap();
        assert_eq!(fold, &((day - 1) / 3).to_string());
    }
    let rows = numbers(&columns(&place.text("run/folds.csv"))["rows"]);
    assert_eq!(rows[..3], [30.0, 60.0, 90.0]);
}

const ARRAYS: &str = r#"
data = { x = "x.npy", y = "y.npy" }
train = { loss = "mse", optimizer = "sgd", epochs = 1 }
model.layers = [{ type = "Dense", units = 2 }]
callbacks = { csv_logger = { filename = "log.csv" }, model_checkpoint = { filepath = "w.weights.h5", save_weights_only = true } }
"#;

#[test]
fn arrays_have_folds_and_each_fold_its_own_files_of_callbacks() {
    let place = Place::new();
    place.write("x.npy", npy(&[12, 3]));
    place.write("y.npy", npy(&[12, 2]));
    place.write("c.toml", ARRAYS);
    place.ok(&["train", "c.toml", "--folds", "2", "--out", "run"]);
    let header = place.text("run/predictions.csv");
    let header = header.lines().next().unwrap();
    assert_eq!(
        header,
        "row,fold,target_0,target_1,target_predicted_0,target_predicted_1"
    );
    let files = place.names(".");
    for name in [
        "log-fold-1.csv",
        "log-fold-2.csv",
        "w-fold-1.weights.h5",
        "w-fold-2.weights.h5",
    ] {
        assert!(files.contains(&name.to_owned()), "{files:?}");
    }
    // Contiguous folds, if requested.
    let blocks = "data.validation={fold=1, folds=2, shuffle=false}";
    place.ok(&[
        "train", "c.toml", "--folds", "3", "--out", "b", "--set", blocks,
    ]);
    let predictions = columns(&place.text("b/predictions.csv"));
    assert_eq!(predictions["fold"].concat(), "111122223333");
}

#[test]
fn what_cannot_be_folded_says_why() {
    let place = Place::new();
    place.write("visits.csv", visits());
    place.write("visits.toml", VISITS);
    place.write("x.npy", npy(&[12, 3]));
    place.write("y.npy", npy(&[12, 2]));
    place.write("c.toml", ARRAYS);
    let with = |folds: &str, validation: &str| {
        let validation = format!("data.validation={validation}");
        place.mistake(&[
            "train",
            "visits.toml",
            "--folds",
            folds,
            "--set",
            &validation,
        ])
    };
    for (found, expected) in [
        (
            place.mistake(&["train", "c.toml", "--folds", "1"]),
            "--folds: found 1, expected 2 or more",
        ),
        (
            place.mistake(&["train", "--folds", "0"]),
            "--folds: found 0, expected 2 or more",
        ),
        (
            place.mistake(&["train", "c.toml", "--folds", "13"]),
            "--folds: found 13, expected at most 12, one for each of the 12 rows",
        ),
        (
            place.mistake(&["train", "c.toml", "--folds", "3", "--resume"]),
            "holds no run to resume: start one without --resume",
        ),
        (
            with("11", "{fraction=0.1, stratify=true}"),
            "--folds: found 11, expected at most 10: the class of row 5 has 10 rows",
        ),
        (
            with("31", "{fraction=0.1, group=\"person\"}"),
            "--folds: found 31, expected at most 30, one for each of the 30 groups",
        ),
        (
            with("12", "{fraction=0.1, time=\"day\"}"),
            "--folds: found 12, expected at most 11: there are 12 different times",
        ),
        (
            with("3", "{table=\"visits.csv\"}"),
            "data.validation: rows of their own, and `--folds` exclude each other",
        ),
        (
            with("3", "{fraction=0.1, group=\"persn\"}"),
            "did you mean `person`?",
        ),
    ] {
        assert!(found.contains(expected), "{found}");
    }
    assert_eq!(
        place.names("."),
        ["c.toml", "visits.csv", "visits.toml", "x.npy", "y.npy"]
    );
    for (validation, expected) in [
        (
            "{fold=4, folds=3}",
            "data.validation.fold: found 4, expected a number from 1 to 3",
        ),
        ("{fold=1}", "`fold` needs `folds`"),
        (
            "{folds=3}",
            "`folds` needs `fold`, the one that is held out; `gradus train --folds`",
        ),
        (
            "{fold=1, folds=1}",
            "data.validation.folds: found 1, expected 2 or more",
        ),
        ("{fold=1, folds=3, fraction=0.1}", "exclude each other"),
        ("{stratify=true}", "`stratify` needs `fraction`"),
    ] {
        let validation = format!("data.validation={validation}");
        let found = place.mistake(&["train", "visits.toml", "--set", &validation]);
        assert!(found.contains(expected), "{found}");
    }
}
