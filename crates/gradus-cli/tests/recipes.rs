//! The recipes of `recipes/`, each trained for an epoch of few rows: none may rot.

mod common;

use common::{Place, recipes};
use std::fs;
use std::path::{Path, PathBuf};

/// The rest of a recipe's line that begins so.
fn said<'a>(text: &'a str, begin: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(begin))
}

#[test]
fn every_recipe_trains() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes");
    let mut found = recipes(&root);
    assert!(found.len() > 20, "{} recipes", found.len());

    // Those whose model others reuse go first, in a copy: they leave it beside the recipes.
    let place = Place::new();
    let name = |path: &Path| path.strip_prefix(&root).unwrap().with_extension("");
    let after =
        |path: &Path| said(&fs::read_to_string(path).unwrap(), "# after: ").map(PathBuf::from);
    found.sort_by_key(|path| after(path).is_some());
    for path in &found {
        let name = name(path);
        let text = fs::read_to_string(path).unwrap();
        let (copy, run) = (
            place
                .root()
                .join("recipes")
                .join(&name)
                .with_extension("toml"),
            format!(
                "runs/{}",
                name.display()
                    .to_string()
                    .replace('/', "-")
                    .trim_start_matches("book-")
            ),
        );
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        fs::write(&copy, few_rows(&text)).unwrap();
        let config = copy.display().to_string();
        let arguments = [
            "train",
            &config,
            "--set",
            "train.epochs=1",
            "--set",
            "data.rows=200",
            "--out",
            &run,
            "--quiet",
        ];
        let said = place.run(&arguments);
        assert_eq!(said.code, Some(0), "{}: {}", name.display(), said.err);
        assert!(
            place.history(&run, "loss")[0].is_finite(),
            "{}",
            name.display()
        );
    }
}

/// The recipe on the digits that every build has, which are fewer.
fn few_rows(text: &str) -> String {
    let line = |line: &str| match line.starts_with("validation = { first") {
        true => "validation = { first = 50 }\n".to_owned(),
        false => format!("{line}\n"),
    };
    let text: String = text.lines().map(line).collect();
    text.replace("\"fashion-mnist", "\"digits")
        .replace("\"cifar10", "\"digits")
        .replace("[28, 28, 1]", "[8, 8, 1]")
}
