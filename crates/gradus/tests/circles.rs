//! Files import each other in one direction: no circles but those that are listed, with why.
//!
//! A folder's `mod.rs` may use the folder's files, which may use it. Imports are read as text and
//! followed through re-exports.

mod common;

use common::code::{files, is_a_test, lines};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The folders whose files are looked at. In `model/`, a `Model` has all its parts, which know it;
/// in `plan/`, the operations emit each other's gradients.
const FOLDERS: [&str; 8] = [
    "artifacts",
    "data",
    "engine",
    "experiment",
    "inspect",
    "predict",
    "rules",
    "train",
];

/// Files that may import each other, with why.
const TOGETHER: &[(&[&str], &str)] = &[
    (
        &["artifacts::keras", "artifacts::weights"],
        "a `.keras` file has a file of weights in it, and weights are read from a `.keras` file",
    ),
    (
        &[
            "artifacts::keras::config::functional",
            "artifacts::keras::config::read",
        ],
        "a model's layers may be models",
    ),
    (
        &[
            "experiment::config::document",
            "experiment::config::overrides",
        ],
        "a document has its overrides, whose values are TOML as its own",
    ),
    (&["train::epochs", "train::fit"], "the loop and its options"),
];

type Segments = Vec<String>;

/// A module's own imports, by the names that they have in it, and all paths that it uses.
#[derive(Default)]
struct Module {
    exports: BTreeMap<String, Segments>,
    paths: Vec<Segments>,
}

/// The code without its texts, for which a path could be taken.
fn without_texts(code: &str) -> String {
    let mut kept = String::new();
    let (mut inside, mut escaped) = (false, false);
    for c in code.replace(r#"'"'"#, "").replace(r#"'\"'"#, "").chars() {
        match (inside, c) {
            (true, _) if escaped => escaped = false,
            (true, '\\') => escaped = true,
            (_, '"') => inside = !inside,
            (true, _) => {}
            (false, c) => kept.push(c),
        }
    }
    kept
}

/// The paths of a `use` tree, each with the name that it gets.
fn expand(prefix: &[String], tree: &str, found: &mut Vec<(Segments, String)>) {
    let tree = tree.trim();
    if let Some(at) = tree.find('{') {
        let own = tree[..at].split("::").filter(|s| !s.is_empty());
        let prefix: Segments = prefix
            .iter()
            .cloned()
            .chain(own.map(str::to_owned))
            .collect();
        let inner = &tree[at + 1..tree.rfind('}').unwrap_or(tree.len())];
        let (mut depth, mut start) = (0, 0);
        for (i, c) in inner.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    expand(&prefix, &inner[start..i], found);
                    start = i + 1;
                }
                _ => {}
            }
        }
        return expand(&prefix, &inner[start..], found);
    }
    if tree.is_empty() {
        return;
    }
    let (path, alias) = tree.split_once(" as ").unwrap_or((tree, ""));
    let mut segments = prefix.to_vec();
    segments.extend(path.split("::").map(|s| s.trim().to_owned()));
    if segments.last().is_some_and(|s| s == "self") {
        segments.pop();
    }
    let name = match alias {
        "" => segments.last().cloned().unwrap_or_default(),
        alias => alias.trim().to_owned(),
    };
    found.push((segments, name));
}

fn module(text: &str) -> Module {
    let code = without_texts(&lines(text).join("\n"));
    let mut module = Module::default();
    let mut rest = String::new();
    for statement in code.split_inclusive(';') {
        let start = statement.rfind("use ").filter(|&at| {
            let before = statement[..at].trim_end();
            before.is_empty() || before.ends_with([';', '}', ')', ']']) || before.ends_with("pub")
        });
        let Some(at) = start else {
            rest.push_str(statement);
            continue;
        };
        let mut found = Vec::new();
        expand(&[], statement[at + 4..].trim_end_matches(';'), &mut found);
        for (path, name) in found {
            module.exports.insert(name, path.clone());
            module.paths.push(path);
        }
        rest.push_str(&statement[..at]);
    }
    for start in ["crate::", "super::", "self::"] {
        for (at, _) in rest.match_indices(start) {
            let before = rest[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            let path = rest[at..]
                .split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':')
                .next();
            let path = path.unwrap_or_default().trim_end_matches(':');
            let path: Segments = path.split("::").map(str::to_owned).collect();
            module.paths.push(path);
        }
    }
    module
}

/// The file that a path used in module `from` leads to.
fn resolve(
    modules: &BTreeMap<Segments, Module>,
    from: &[String],
    path: &[String],
    depth: usize,
) -> Option<Segments> {
    let mut at = from.to_vec();
    let mut rest = path;
    match rest.first()?.as_str() {
        "crate" => (at, rest) = (Vec::new(), &rest[1..]),
        "self" => rest = &rest[1..],
        "super" => {
            while rest.first().is_some_and(|s| s == "super") {
                at.pop()?;
                rest = &rest[1..];
            }
        }
        child => {
            let own = [from, &[child.to_owned()]].concat();
            modules.get(&own)?;
        }
    }
    while let Some(next) = rest.first() {
        at.push(next.clone());
        if modules.contains_key(&at) {
            rest = &rest[1..];
            continue;
        }
        at.pop();
        // A name that the module itself defines, or takes from elsewhere.
        let onward = modules.get(&at).and_then(|m| m.exports.get(next));
        let Some(onward) = onward.filter(|_| depth < 8) else {
            break;
        };
        let onward = [onward.as_slice(), &rest[1..]].concat();
        return resolve(modules, &at, &onward, depth + 1).or(Some(at));
    }
    Some(at)
}

/// Everything that can be reached from `start` along the imports.
fn reached(edges: &BTreeMap<String, BTreeSet<String>>, start: &str) -> BTreeSet<String> {
    let (mut seen, mut open) = (BTreeSet::new(), vec![start.to_owned()]);
    while let Some(file) = open.pop() {
        for next in &edges[&file] {
            if seen.insert(next.clone()) {
                open.push(next.clone());
            }
        }
    }
    seen
}

#[test]
fn files_import_each_other_in_one_direction() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut modules = BTreeMap::new();
    for path in files(&src).iter().filter(|path| !is_a_test(path)) {
        let name = path.strip_prefix(&src).unwrap().with_extension("");
        let name: Segments = name
            .components()
            .map(|c| c.as_os_str().to_str().unwrap().to_owned())
            .filter(|c| c != "mod" && c != "lib")
            .collect();
        modules.insert(name, module(&fs::read_to_string(path).unwrap()));
    }
    let edges: BTreeMap<String, BTreeSet<String>> = modules
        .iter()
        .map(|(from, module)| {
            let to = module.paths.iter();
            let to = to.filter_map(|path| resolve(&modules, from, path, 0));
            let to = to.filter(|to| !to.is_empty() && !to.starts_with(from));
            (from.join("::"), to.map(|to| to.join("::")).collect())
        })
        .collect();
    let count: usize = edges.values().map(BTreeSet::len).sum();
    assert!(count > 500, "only {count} imports were found");

    let reach: BTreeMap<&String, BTreeSet<String>> = edges
        .keys()
        .map(|file| (file, reached(&edges, file)))
        .collect();
    let mut circles = BTreeSet::new();
    for (&file, to) in &reach {
        let circle: BTreeSet<&str> = to
            .iter()
            .filter(|other| reach[other].contains(file))
            .map(String::as_str)
            .collect();
        let folder = file.split("::").next().unwrap_or_default();
        if circle.len() > 1 && FOLDERS.contains(&folder) {
            circles.insert(circle);
        }
    }
    let unknown: Vec<_> = circles
        .iter()
        .filter(|circle| {
            let listed = |together: &[&str]| circle.iter().all(|file| together.contains(file));
            !TOGETHER.iter().any(|(together, _)| listed(together))
        })
        .collect();
    assert!(unknown.is_empty(), "files in circles: {unknown:#?}");
    for (together, why) in TOGETHER {
        let found = circles
            .iter()
            .any(|c| together.iter().all(|f| c.contains(f)));
        assert!(found, "{together:?} are no circle any more ({why})");
    }
}
