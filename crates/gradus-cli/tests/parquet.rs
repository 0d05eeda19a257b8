//! Tests of Parquet tables through the real binary (the feature `parquet`). The files are the
//! library's: `crates/gradus/tests/parquet`.

mod common;

use common::Place;
use std::path::Path;

fn files(place: &Place) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../gradus/tests/parquet");
    for name in [
        "rows.csv",
        "groups.parquet",
        "polars.parquet",
        "odd.parquet",
    ] {
        std::fs::copy(folder.join(name), place.path(name)).unwrap();
    }
}

#[test]
fn a_parquet_table_is_shown_trained_on_and_scored_as_its_csv_is() {
    let place = Place::new();
    files(&place);
    let shown = |name: &str| place.ok(&["data", "show", name]).replace(name, "");
    assert_eq!(shown("groups.parquet"), shown("rows.csv"));

    let train = |table: &str, out: &str| {
        let config = format!(
            "[data]\ntable = \"{table}\"\ntarget = \"price\"\nexclude = [\"note\", \"nothing\"]\n\
             columns = {{ house = \"id\" }}\nvalidation = {{ fraction = 0.2, stratify = \"place\" }}\n\
             [model]\nrecipe = \"default\"\nhidden = [8]\n[train]\nepochs = 2\n"
        );
        place.write("run.toml", config);
        place.ok(&["train", "run.toml", "--out", out]);
    };
    train("rows.csv", "a");
    train("polars.parquet", "b");
    let scored = |model: &str, data: &str| {
        let model = format!("{model}/model.keras");
        place.ok(&["predict", &model, "--data", data, "--out", "s.csv"]);
        place.text("s.csv")
    };
    let expected = scored("a", "rows.csv");
    assert!(
        expected.starts_with("house,price\n9007199254740993,"),
        "{expected}"
    );
    for (model, data) in [
        ("a", "groups.parquet"),
        ("b", "polars.parquet"),
        ("b", "rows.csv"),
    ] {
        assert_eq!(scored(model, data), expected, "{model} {data}");
    }
    let mistake = place.mistake(&["evaluate", "a/model.keras", "--data", "odd.parquet"]);
    assert!(mistake.contains("odd.parquet"), "{mistake}");
    let mistake = place.mistake(&["data", "show", "odd.parquet"]);
    assert!(
        mistake.contains("column `tags` is of type List"),
        "{mistake}"
    );
}

#[test]
fn a_parquet_table_that_is_larger_than_memory_is_trained_on_as_if_it_were_not() {
    let place = Place::new();
    files(&place);
    let run = |arguments: &[&str]| {
        let mut command = place.command(arguments);
        let output = command.env("XDG_CACHE_HOME", place.path("cache")).output();
        let output = output.unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}");
        said
    };
    for table in ["groups.parquet", "polars.parquet"] {
        let config = |memory: &str| {
            format!(
                "[data]\ntable = \"{table}\"\n{memory}target = \"price\"\n\
                 exclude = [\"note\", \"nothing\"]\ncolumns = {{ house = \"id\" }}\n\
                 [model]\nrecipe = \"default\"\nhidden = [8]\n\
                 [train]\nepochs = 2\nbatch_size = 2\nshuffle = false\n"
            )
        };
        place.write("here.toml", config(""));
        place.write("read.toml", config("memory = \"3 kB\"\n"));
        let said = run(&["train", "here.toml", "--out", &format!("here-{table}")]);
        assert!(!said.contains("read meanwhile"), "{said}");
        let said = run(&["train", "read.toml", "--out", &format!("read-{table}")]);
        assert!(
            said.contains("read meanwhile, within 3 kB, from "),
            "{said}"
        );
        let results = |run: &str| common::results(&place, &format!("{run}-{table}"));
        assert!(results("here") == results("read"), "{table}");
        let scored = |config: &str| {
            let model = format!("read-{table}/model.keras");
            run(&["predict", &model, "--data", config, "--out", "s.csv"]);
            place.text("s.csv")
        };
        assert_eq!(scored("here.toml"), scored("read.toml"));
    }
}
