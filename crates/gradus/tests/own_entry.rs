//! Tests of damaged or malicious `gradus.json` entries in a `.keras` file: each is refused by name,
//! or the model works as without it.

mod common;

use common::Folder;
use gradus::data::{Pictures, Schema, Table, TableOptions};
use gradus::prelude::*;
use std::io::{Cursor, Read, Write};
use zip::ZipArchive;
use zip::write::{SimpleFileOptions, ZipWriter};

/// A saved model of a table with two targets, a number and a class.
fn saved() -> Folder {
    let folder = Folder::new();
    let row = |i: usize| {
        format!(
            "{},{},{},{}\n",
            i % 7,
            ["a", "b"][i % 2],
            i % 5,
            ["x", "y", "z"][i % 3]
        )
    };
    let rows: String = (0..40).map(row).collect();
    let table = folder.path("t.csv");
    std::fs::write(&table, format!("n,town,price,kind\n{rows}")).unwrap();
    let options = TableOptions::new().target("price").target("kind");
    let read = Table::read(&table, &options.read_table(&[])).unwrap();
    let schema = Schema::of(&read, &options).unwrap();
    let data = schema.dataset(&read, true).unwrap();
    let recipe = Recipe::default_dnn(&[4]);
    let model = recipe.table_model(&schema, &data, &options).unwrap();
    model.save(folder.path("m.keras")).unwrap();
    folder
}

fn entries(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut zip = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let read = |n: usize| {
        let mut entry = zip.by_index(n).unwrap();
        let (name, mut bytes) = (entry.name().unwrap().into_owned(), Vec::new());
        entry.read_to_end(&mut bytes).unwrap();
        (name, bytes)
    };
    (0..4).map(read).collect()
}

/// The model's file with another `gradus.json`, loaded.
fn with(folder: &Folder, own: &[u8]) -> gradus::Result<Model> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries(&std::fs::read(folder.path("m.keras")).unwrap()) {
        zip.start_file(&name, SimpleFileOptions::default()).unwrap();
        let own = if name == "gradus.json" {
            own
        } else {
            &bytes[..]
        };
        zip.write_all(own).unwrap();
    }
    let path = folder.path("hostile.keras");
    std::fs::write(&path, zip.finish().unwrap().into_inner()).unwrap();
    Model::load(path)
}

fn original(folder: &Folder) -> String {
    let all = entries(&std::fs::read(folder.path("m.keras")).unwrap());
    let own = all
        .into_iter()
        .find(|(name, _)| name == "gradus.json")
        .unwrap();
    String::from_utf8(own.1).unwrap()
}

#[test]
fn what_is_wrong_in_it_is_named() {
    let folder = saved();
    let text = original(&folder);
    assert!(with(&folder, text.as_bytes()).is_ok());
    let swap = |from: &str, to: &str| {
        assert!(text.contains(from), "no {from} in {text}");
        text.replacen(from, to, 1)
    };
    let long = format!("\"{}\"", "x".repeat(5 << 20));
    let cases = [
        // Wrong types.
        ("7".into(), "invalid type"),
        (r#"{"schema": [1, 2]}"#.into(), "invalid"),
        (
            r#"{"schema": {"features": 3, "targets": []}}"#.into(),
            "invalid type",
        ),
        (
            swap(r#""classes":["x","y","z"]"#, r#""classes":"xyz""#),
            "invalid type",
        ),
        (
            swap(r#""kind":"number""#, r#""kind":"matrix""#),
            "unknown variant `matrix`",
        ),
        (
            swap(r#""features""#, r#""featurs""#),
            "unknown field `featurs`",
        ),
        (
            swap(r#"{"schema""#, r#"{"more": 1, "schema""#),
            "unknown field `more`",
        ),
        // Names that the model lacks, or repeated names.
        (swap(r#""input":"n""#, r#""input":"m""#), "feature `n`"),
        (
            swap(r#""name":"price""#, r#""name":"prize""#),
            "target `prize`, expected one of the outputs price, kind",
        ),
        (swap(r#""name":"town""#, r#""name":"n""#), "`n` twice"),
        (
            swap(r#""name":"kind""#, r#""name":"price""#),
            "`price` twice",
        ),
        (swap(r#"["x","y","z"]"#, r#"["x","x","z"]"#), "`x` twice"),
        (swap(r#"["x","y","z"]"#, r#"["x"]"#), "1 classes"),
        (
            swap(r#""kind":"category""#, r#""kind":"number""#),
            "feature `town`",
        ),
        (
            r#"{"schema": {"features": [], "targets": []}}"#.into(),
            "no features",
        ),
        (
            r#"{"pictures": {"classes": ["a", "a"]}}"#.into(),
            "pictures.classes: found `a`",
        ),
        (
            r#"{"pictures": {"classes": [""]}}"#.into(),
            "pictures.classes: found ``",
        ),
        (
            r#"{"pictures": {"resize": "bend"}}"#.into(),
            "unknown variant `bend`",
        ),
        (r#"{"pictures": {"scale": 255}}"#.into(), "expected value"),
        // Absurd sizes.
        ("[".repeat(100_000), "gradus.json"),
        (long, "gradus.json"),
        // Invalid JSON.
        (String::new(), "EOF"),
        ("\u{0}".into(), "expected value"),
    ];
    for (own, words) in cases {
        let error = with(&folder, own.as_bytes()).unwrap_err();
        assert!(error.is_users_mistake(), "{error}");
        let message = error.to_string();
        let message: String = message.chars().take(400).collect();
        let named = message.contains("gradus.json") && message.contains("hostile.keras");
        assert!(named && message.contains(words), "{words}: {message}");
    }
    let error = with(&folder, b"\xff\xfe{}").unwrap_err().to_string();
    assert!(error.contains("gradus.json is not UTF-8"), "{error}");
}

#[test]
fn wherever_it_is_cut_or_changed_nothing_panics() {
    let folder = saved();
    let text = original(&folder).into_bytes();
    let table = folder.path("t.csv");
    let mut refused = 0;
    for at in 0..text.len() {
        let error = with(&folder, &text[..at]).unwrap_err();
        assert!(error.to_string().contains("gradus.json"), "{error}");
        let mut changed = text.clone();
        changed[at] ^= 1 << (at % 7);
        // An entry that still parses may name other columns; using such a model must not panic.
        match with(&folder, &changed) {
            Err(error) => {
                refused += 1;
                assert!(error.to_string().contains("gradus.json"), "{error}");
            }
            Ok(model) => {
                let Some(schema) = model.table_schema() else {
                    continue;
                };
                let read = schema.read(&table, false);
                let rows = read.and_then(|table| schema.dataset(&table, false));
                let _ = rows.and_then(|rows| model.scored(&rows, &model.predict_all(&rows)?));
            }
        }
    }
    assert!(refused > text.len() / 2, "{refused} of {}", text.len());
}

#[test]
fn more_or_fewer_classes_than_numbers_are_said_when_it_predicts() {
    let folder = saved();
    let text = original(&folder).replace(r#"["x","y","z"]"#, r#"["x","y","z","w"]"#);
    let model = with(&folder, text.as_bytes()).unwrap();
    let schema = model.table_schema().unwrap();
    let rows = schema.read(folder.path("t.csv"), false).unwrap();
    let rows = schema.dataset(&rows, false).unwrap();
    let outputs = model.predict_all(&rows).unwrap();
    let error = model.scored(&rows, &outputs).unwrap_err().to_string();
    assert!(error.contains("4 classes of `kind`, expected 3"), "{error}");
}

#[test]
fn a_model_that_could_not_be_read_back_is_not_saved() {
    let folder = saved();
    let mut model = Model::load(folder.path("m.keras")).unwrap();
    let long = "long ".repeat(40);
    let many = (0..200_000).map(|n| format!("the very {long}name of class {n}"));
    model.facts_mut().pictures = Some(Pictures {
        classes: many.collect(),
        ..Pictures::default()
    });
    let error = model.save(folder.path("large.keras")).unwrap_err();
    assert!(
        error.is_users_mistake() && error.to_string().contains("gradus.json"),
        "{error}"
    );
    assert!(!folder.path("large.keras").exists());
}

#[test]
fn what_it_knows_of_pictures_comes_back() {
    let folder = saved();
    let known = Pictures {
        classes: vec!["cat".into(), "dog, wet".into()],
        ..Pictures::default()
    };
    let mut model = Sequential::new()
        .input([2, 2, 3])
        .add(Flatten::new())
        .build()
        .unwrap();
    model.facts_mut().pictures = Some(known.clone());
    model.save(folder.path("p.keras")).unwrap();
    let loaded = Model::load(folder.path("p.keras")).unwrap();
    let facts = loaded.facts();
    assert_eq!((&facts.pictures, &facts.schema), (&Some(known), &None));
}
