//! Folders import only folders below them (`docs/architecture.md`).

use std::fs;
use std::path::Path;

/// Each folder with those that it may import.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("base", &["error"]),
    ("data", &["base", "error"]),
    ("rules", &["base", "error"]),
    ("plan", &["base", "error", "rules"]),
    ("model", &["base", "error", "data", "rules", "plan"]),
    ("engine", &["base", "error", "rules", "plan"]),
    (
        "train",
        &["base", "error", "data", "rules", "plan", "model", "engine"],
    ),
    (
        "inspect",
        &["base", "error", "data", "rules", "plan", "model", "train"],
    ),
    (
        "artifacts",
        &["base", "error", "data", "rules", "plan", "model", "train"],
    ),
];

fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// The folders that a line names behind `crate::`.
fn imports(line: &str) -> impl Iterator<Item = &str> {
    line.split("crate::").skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
        &rest[..end.unwrap_or(rest.len())]
    })
}

/// A file's code without its comments and without the items that only tests have. Relies
/// on rustfmt, which CI checks: an item ends at the first line that closes it at its own
/// indentation.
fn code(text: &str) -> Vec<&str> {
    let mut kept = Vec::new();
    let mut lines = text.lines().filter(|l| !l.trim_start().starts_with("//"));
    while let Some(line) = lines.next() {
        if line.trim() != "#[cfg(test)]" {
            kept.push(line);
            continue;
        }
        let indent = &line[..line.len() - line.trim_start().len()];
        for line in lines.by_ref() {
            let own = line
                .strip_prefix(indent)
                .is_some_and(|rest| !rest.starts_with(' '));
            if own && (line.ends_with(';') || line.ends_with('}')) {
                break;
            }
        }
    }
    kept
}

#[test]
fn only_what_tests_have_is_left_out() {
    let text = "use crate::a;\n#[cfg(test)]\nmod tests;\nuse crate::b;\n#[cfg(test)]\nmod more {\n    \
                use crate::c;\n    fn f() {}\n}\n// use crate::d;\npub fn g() {\n    crate::e();\n}";
    let names: Vec<&str> = code(text).into_iter().flat_map(imports).collect();
    assert_eq!(names, ["a", "b", "e"]);
}

#[test]
fn nothing_imports_upwards() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut checked = 0;
    for (folder, allowed) in MAY_IMPORT {
        let mut paths = Vec::new();
        files(&src.join(folder), &mut paths);
        for path in paths.iter().filter(|p| !is_a_test(p)) {
            let text = fs::read_to_string(path).unwrap();
            for name in code(&text).into_iter().flat_map(imports) {
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

/// True of `tests.rs` and of what is in a folder `tests`.
fn is_a_test(path: &Path) -> bool {
    path.components().any(|c| c.as_os_str() == "tests.rs")
        || path
            .components()
            .rev()
            .skip(1)
            .any(|c| c.as_os_str() == "tests")
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
