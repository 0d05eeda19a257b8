//! Parquet tables through the real binary (the feature `parquet`). The files are the
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
