//! Tests of `data.validation` and `data.test`: the rows of each part of a run.

mod common;

use common::Folder;
use gradus::data::{Data, DataConfig, Purpose, RunData, check, write_npy};
use gradus::{Result, Shape};
use serde_json::{Value, json};
use std::path::Path;

/// A folder with 40 rows: x is the row's number, y one of two classes (8 rows
/// of the second), and files with a group (5 rows each) and a time (falling).
fn folder() -> Folder {
    let folder = Folder::new();
    let column = |name: &str, value: &dyn Fn(usize) -> f32| {
        let mut bytes = Vec::new();
        let values: Vec<f32> = (0..40).map(value).collect();
        write_npy(&mut bytes, &Shape::default(), &values).unwrap();
        folder.write(name, bytes);
    };
    column("x.npy", &|row| row as f32);
    column("y.npy", &|row| f32::from(row % 5 == 0));
    column("group.npy", &|row| (row / 5) as f32);
    column("time.npy", &|row| -(row as f32));
    column("gap.npy", &|row| {
        if row == 7 { f32::NAN } else { row as f32 }
    });
    column("same.npy", &|_| 3.0);
    column("half.npy", &|row| row as f32 + 0.5);
    folder
}

fn load(base: &Path, held_out: Value, seed: u64) -> Result<RunData> {
    let mut table = json!({"x": "x.npy", "y": "y.npy"});
    for (key, value) in held_out.as_object().unwrap() {
        table[key] = value.clone();
    }
    DataConfig::from_value("data", &table)?.open(base, seed, Purpose::default())
}

fn rows(data: &Data) -> Vec<usize> {
    let rows = data.sample().inputs()[0].to_f32();
    rows.into_iter().map(|row| row as usize).collect()
}

fn parts(base: &Path, held_out: Value, seed: u64) -> [Vec<usize>; 3] {
    let loaded = load(base, held_out, seed).unwrap();
    let of = |data: &Option<Data>| data.as_ref().map(rows).unwrap_or_default();
    let parts = [
        rows(&loaded.train),
        of(&loaded.validation),
        of(&loaded.test),
    ];
    let mut all = parts.concat();
    all.sort();
    assert!(all.into_iter().eq(0..40));
    parts
}

#[test]
fn the_test_is_taken_first_and_the_validation_from_the_rest() {
    let folder = folder();
    let base = folder.root();
    let both = json!({"test": {"fraction": 0.25}, "validation": {"fraction": 0.1}});
    let [train, validation, test] = parts(base, both, 1);
    assert!(train.into_iter().eq(0..27));
    assert!(validation.into_iter().eq(27..30) && test.into_iter().eq(30..40));
    let both = json!({"test": {"first": 4}, "validation": {"first": 4}});
    let [_, validation, test] = parts(base, both, 1);
    assert!(validation.into_iter().eq(4..8) && test.into_iter().eq(0..4));
}

#[test]
fn each_form_holds_out_what_it_says() {
    let folder = folder();
    let base = folder.root();
    let both = |choice: Value| {
        let mut choice = choice;
        choice["fraction"] = 0.25.into();
        json!({"test": choice, "validation": choice})
    };
    let random = |seed| parts(base, both(json!({"shuffle": true})), seed);
    assert_eq!(random(1), random(1));
    assert_ne!(random(1), random(2));
    assert_eq!(random(1).map(|rows| rows.len()), [22, 8, 10]);
    let last = parts(base, both(json!({"shuffle": false})), 1);
    assert!(last[2].iter().copied().eq(30..40));

    for stratify in [json!(true), json!("y.npy")] {
        let found = parts(base, both(json!({ "stratify": stratify })), 1);
        let rare = found.map(|rows| rows.iter().filter(|&&row| row % 5 == 0).count());
        assert_eq!((rare[0], rare[2]), (5 - (rare[1] - 1), 2), "{rare:?}");
    }
    let found = parts(base, both(json!({"group": "group.npy"})), 1);
    for group in 0..8 {
        let holds = |rows: &&Vec<usize>| rows.iter().any(|row| row / 5 == group);
        assert_eq!(found.iter().filter(holds).count(), 1);
    }
    let found = parts(base, both(json!({"time": "time.npy"})), 1);
    assert!(found[2].iter().copied().eq(0..10) && found[1].iter().copied().eq(10..18));
}

#[test]
fn a_row_is_named_by_its_place_in_the_file() {
    let folder = folder();
    let base = folder.root();
    let table = json!({
        "x": "gap.npy", "y": "y.npy", "validation": {"fraction": 0.5, "shuffle": true},
    });
    let config = DataConfig::from_value("data", &table).unwrap();
    for seed in 0..4 {
        let loaded = config.open(base, seed, Purpose::default()).unwrap();
        let held_out = loaded.validation.unwrap();
        let found = [&loaded.train, &held_out].map(|data| check::finite_all(data.sample()));
        let [text] = &found
            .iter()
            .filter_map(|r| r.as_ref().err())
            .collect::<Vec<_>>()[..]
        else {
            panic!("{found:?}")
        };
        assert!(
            text.to_string().contains("gap.npy, row 7: found NaN"),
            "{text}"
        );
    }
}

#[test]
fn mistakes_are_named() {
    let folder = folder();
    let base = folder.root();
    let cases = [
        (
            json!({"fraction": 1.5, "shuffle": true}),
            "data.test.fraction: found 1.5, expected a number between 0 and 1",
        ),
        (
            json!({"fraction": 0.99, "shuffle": true}),
            "leaves rows on both sides of the 40",
        ),
        (
            json!({"shuffle": true}),
            "data.test: `shuffle` needs `fraction`",
        ),
        (
            json!({"first": 3, "group": "group.npy"}),
            "data.test: `group` needs `fraction`",
        ),
        (
            json!({"fraction": 0.1, "shuffle": true, "group": "g"}),
            "data.test: `shuffle` and `group` exclude each other",
        ),
        (
            json!({"fraction": 0.1, "strtify": true}),
            "unknown key `strtify`; did you mean `stratify`?",
        ),
        (
            json!({"fraction": 0.1, "stratify": 3}),
            "data.test.stratify: found 3, expected true, for the target, or a column",
        ),
        (
            json!({"fraction": 0.1, "group": "shop"}),
            "data.test.group: found `shop`, expected an array file",
        ),
        (
            json!({"fraction": 0.1, "group": "nowhere.npy"}),
            "nowhere.npy",
        ),
        (
            json!({"fraction": 0.1, "group": "same.npy"}),
            "data.test.group: found one group in all rows",
        ),
        (
            json!({"fraction": 0.1, "time": "same.npy"}),
            "data.test.time: found one time in all rows",
        ),
        (
            json!({"fraction": 0.1, "time": "gap.npy"}),
            "`gap.npy`, row 7: found nothing, expected a time",
        ),
        (
            json!({"fraction": 0.1, "group": "gap.npy"}),
            "`gap.npy`, row 7: found nothing, expected a group",
        ),
        (
            json!({"fraction": 0.1, "stratify": "x.npy"}),
            "data.test.stratify: found 40 classes of one row each",
        ),
    ];
    for (test, expected) in cases {
        let error = load(base, json!({"test": test}), 1)
            .map(|_| ())
            .unwrap_err();
        assert!(error.is_users_mistake());
        let text = error.to_string();
        assert!(text.contains(expected), "{test}: {text}");
    }
    let table = json!({"x": "x.npy", "y": "half.npy", "test": {"fraction": 0.1, "stratify": true}});
    let config = DataConfig::from_value("data", &table).unwrap();
    let opened = config.open(base, 1, Purpose::default());
    let text = opened.map(|_| ()).unwrap_err().to_string();
    assert!(
        text.contains("expected a target of classes, and this one is a number (0.5)"),
        "{text}"
    );
    let table = json!({"dataset": "digits", "test": {"fraction": 0.1}});
    let config = DataConfig::from_value("data", &table).unwrap();
    let opened = config.open(base, 1, Purpose::default());
    let text = opened.map(|_| ()).unwrap_err().to_string();
    assert!(
        text.contains("`dataset = \"digits:train\"` leaves it out"),
        "{text}"
    );
}

#[test]
fn every_form_is_written_as_it_was_read_and_can_be_moved() {
    for held_out in [
        json!({"fraction": 0.1, "shuffle": true}),
        json!({"fraction": 0.1, "stratify": true}),
        json!({"fraction": 0.1, "stratify": "/d/c.npy"}),
        json!({"fraction": 0.1, "group": "/d/g.npz:key"}),
        json!({"fraction": 0.1, "time": "column"}),
        json!({"x": "/d/xv.npy", "y": "/d/yv.npy"}),
    ] {
        let table = json!({"x": "/d/x.npy", "validation": held_out, "test": held_out});
        let config = DataConfig::from_value("data", &table).unwrap();
        assert_eq!(serde_json::to_value(&config).unwrap(), table);
        let relative: Value = serde_json::from_str(&table.to_string().replace("/d/", "")).unwrap();
        let moved = DataConfig::from_value("data", &relative).unwrap();
        let moved = moved.absolute(Path::new("/d")).unwrap();
        assert_eq!(serde_json::to_value(&moved).unwrap(), table);
    }
}
