//! Folders import only folders below them (`docs/architecture.md`).

mod common;

use common::code::{files, is_a_test, lines};
use std::fs;
use std::path::Path;

/// The folders, and the ones that each may import.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("base", &["error"]),
    ("data", &["base", "error"]),
    ("rules", &["base", "error"]),
    ("plan", &["base", "error", "rules"]),
    ("model", &["base", "error", "data", "rules", "plan"]),
    ("engine", &["base", "error", "rules", "plan"]),
    (
        "predict",
        &["base", "error", "data", "rules", "plan", "model", "engine"],
    ),
    (
        "train",
        &[
            "base", "error", "data", "rules", "plan", "model", "engine", "predict",
        ],
    ),
    (
        "optimize",
        &[
            "base", "error", "data", "rules", "model", "predict", "train",
        ],
    ),
    (
        "inspect",
        &[
            "base", "error", "data", "rules", "plan", "model", "predict", "train",
        ],
    ),
    (
        "artifacts",
        &[
            "base", "error", "data", "rules", "plan", "model", "train", "optimize",
        ],
    ),
    (
        "experiment",
        &[
            "base",
            "error",
            "data",
            "rules",
            "model",
            "train",
            "inspect",
            "artifacts",
        ],
    ),
];

/// The folders after `crate::` in a line.
fn imports(line: &str) -> impl Iterator<Item = &str> {
    line.split("crate::").skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
        &rest[..end.unwrap_or(rest.len())]
    })
}

#[test]
fn only_what_tests_have_is_left_out() {
    let text = "use crate::a;\n#[cfg(test)]\nmod tests;\nuse crate::b;\n#[cfg(test)]\nmod more {\n    \
                use crate::c;\n    fn f() {}\n}\n// use crate::d;\npub fn g() {\n    crate::e();\n}";
    let names: Vec<&str> = lines(text).into_iter().flat_map(imports).collect();
    assert_eq!(names, ["a", "b", "e"]);
}

#[test]
fn nothing_imports_upwards() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut checked = 0;
    for (folder, allowed) in MAY_IMPORT {
        for path in files(&src.join(folder)).iter().filter(|p| !is_a_test(p)) {
            let text = fs::read_to_string(path).unwrap();
            for name in lines(&text).into_iter().flat_map(imports) {
                let is_folder = src.join(name).is_dir();
                let fine = !is_folder || name == *folder || allowed.contains(&name);
                assert!(
                    fine,
                    "{} imports {name}, which is above {folder}",
                    path.display()
                );
                checked += 1;
            }
        }
    }
    assert!(checked > 100, "only {checked} imports were found");
}

#[test]
fn every_folder_is_in_the_list() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(src).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let listed = MAY_IMPORT.iter().any(|(folder, _)| *folder == name);
            assert!(listed, "{name} has no place in the layering");
        }
    }
}

#[test]
fn an_experiment_prints_nothing() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let paths = files(&src.join("experiment"));
    assert!(paths.len() > 20);
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().filter(|l| !l.trim_start().starts_with("//"));
        for line in lines {
            let prints = ["print!(", "println!(", "stdout()", "stderr()"];
            let found = prints.iter().find(|word| line.contains(**word));
            assert!(found.is_none(), "{}: {line}", path.display());
        }
    }
}
