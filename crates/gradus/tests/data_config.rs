//! SPEC, the `[data]` table, the checks before training, and descriptions.

mod common;

use common::Folder;
use gradus::data::{self, Data, DataConfig, Purpose, RunData, check, write_npy};
use gradus::{Dataset, Error, Result, Scale, Shape, Split, Tensor};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// A folder with x.npy of 10 rows of 2, y.npy of 10 labels, and xv, yv of 4.
fn folder() -> Folder {
    let folder = Folder::new();
    let write = |name: &str, shape: &Shape, values: &[f32]| {
        let mut bytes = Vec::new();
        write_npy(&mut bytes, shape, values).unwrap();
        folder.write(name, bytes);
    };
    let pair = |i: usize| [i as f32, 5.0];
    let (wide, single) = (Shape::from([2]), Shape::default());
    write("x.npy", &wide, &(0..10).flat_map(pair).collect::<Vec<_>>());
    write(
        "y.npy",
        &single,
        &(0..10).map(|i| (i % 3) as f32).collect::<Vec<_>>(),
    );
    write("xv.npy", &wide, &(0..4).flat_map(pair).collect::<Vec<_>>());
    write("yv.npy", &single, &[0.0, 1.0, 2.0, 0.0]);
    folder
}

fn load(base: &Path, table: Value) -> Result<RunData> {
    DataConfig::from_value("data", &table)?.open(base, 1, Purpose::default())
}

fn rows(loaded: &RunData) -> [Option<usize>; 3] {
    let of = |data: &Option<Data>| data.as_ref().and_then(Data::rows);
    [
        loaded.train.rows(),
        of(&loaded.validation),
        of(&loaded.test),
    ]
}

#[test]
fn the_data_table_loads_splits_and_scales() -> Result<()> {
    let folder = folder();
    let base = folder.root();
    let loaded = load(
        base,
        json!({"dataset": "digits", "validation": {"first": 200}}),
    )?;
    assert_eq!(rows(&loaded), [Some(1242), Some(200), Some(355)]);
    for data in [
        &loaded.train,
        loaded.validation.as_ref().unwrap(),
        loaded.test.as_ref().unwrap(),
    ] {
        assert_eq!(data.sample().inputs()[0].scale(), &Scale::Divide(16.0));
    }
    assert_eq!(loaded.train.sample().inputs()[0].source_row(0), 200);
    let raw = load(base, json!({"dataset": "digits", "scale": "none"}))?;
    assert_eq!(raw.train.sample().inputs()[0].scale(), &Scale::None);

    let files = json!({"x": "x.npy", "y": "y.npy", "validation": {"fraction": 0.25}});
    let loaded = load(base, files)?;
    assert_eq!(rows(&loaded), [Some(7), Some(3), None]);
    assert_eq!(loaded.train.sample().inputs()[0].scale(), &Scale::None);
    assert_eq!(
        loaded.validation.unwrap().sample().inputs()[0].to_f32()[..2],
        [7.0, 5.0]
    );

    let named = json!({"x": {"b": "x.npy", "a": "x.npy"}, "y": "y.npy", "sample_weight": "y.npy"});
    let loaded = load(base, named)?;
    assert_eq!(loaded.train.sample().input_names(), ["b", "a"]);
    assert_eq!(
        loaded.train.sample().sample_weight().map(Tensor::rows),
        Some(10)
    );
    Ok(())
}

#[test]
fn standard_scale_knows_the_training_rows_alone() -> Result<()> {
    let folder = folder();
    let base = folder.root();
    let table = json!({
        "x": "x.npy", "y": "y.npy", "scale": "standard",
        "validation": {"x": "xv.npy", "y": "yv.npy"},
    });
    let loaded = load(base, table)?;
    // The training column is 0..10: mean 4.5, population variance 8.25.
    let deviation = 8.25_f32.sqrt();
    let train = loaded.train.sample().inputs()[0].to_f32();
    let held_out = loaded.validation.unwrap().sample().inputs()[0].to_f32();
    for (row, pair) in train.chunks(2).chain(held_out.chunks(2)).enumerate() {
        let x = if row < 10 { row } else { row - 10 } as f32;
        assert!((pair[0] - (x - 4.5) / deviation).abs() < 1e-6);
        assert_eq!(pair[1], 0.0);
    }
    Ok(())
}

#[test]
fn mistakes_in_the_data_table_are_named() {
    let folder = folder();
    let base = folder.root();
    let x = || json!({"x": "x.npy", "y": "y.npy"});
    let with = |key: &str, value: Value| {
        let mut table = x();
        table[key] = value;
        table
    };
    let cases = [
        (
            json!({}),
            "data: no data is named: give `dataset`, or `x` and `y`, or `table`",
        ),
        (json!("digits"), "data: found \"digits\", expected a table"),
        (
            with("dataset", json!("digits")),
            "data: `dataset` and `x` exclude each other",
        ),
        (
            json!({"dataset": "digits", "y": "y.npy"}),
            "data: `dataset` and `y` exclude each other",
        ),
        (
            with("target", json!("price")),
            "data: `x` and `target` exclude each other",
        ),
        (json!({"y": "y.npy"}), "data: no data is named"),
        (
            with("validaton", json!({})),
            "data: unknown key `validaton`; did you mean `validation`?",
        ),
        (
            with("scale", json!("units")),
            "data.scale: unknown scale `units`; did you mean `unit`?",
        ),
        (
            with("scale", json!(3)),
            "data.scale: found 3, expected a text",
        ),
        (
            with("validation", json!(5000)),
            "data.validation: found 5000, expected a table",
        ),
        (
            with("validation", json!({})),
            "data.validation: found an empty table",
        ),
        (
            with("validation", json!({"frist": 3})),
            "data.validation: unknown key `frist`; did you mean `first`?",
        ),
        (
            with("validation", json!({"first": 3, "fraction": 0.1})),
            "data.validation: `first` and `fraction` exclude",
        ),
        (
            with("validation", json!({"x": "xv.npy"})),
            "data.validation: `x` needs `y`",
        ),
        (
            with("validation", json!({"first": 10})),
            "data.validation.first: found 10, expected at least 1 and fewer than the 10 rows",
        ),
        (
            with("validation", json!({"first": -1})),
            "data.validation.first: found -1, expected a whole number of 0 or more",
        ),
        (
            with("validation", json!({"fraction": 1.5})),
            "data.validation.fraction: found 1.5",
        ),
        (
            with("validation", json!({"x": "yv.npy", "y": "yv.npy"})),
            "found shape (None), expected (None, 2) as",
        ),
        (
            with("validation", json!({"table": "v.csv"})),
            "data.validation.table: found `v.csv`, expected array files (`x` and `y`)",
        ),
        (
            json!({"dataset": "digts"}),
            "unknown data set `digts`; did you mean `digits`?",
        ),
        (
            json!({"dataset": "x.npy"}),
            "data.dataset: found `x.npy`, expected a built-in set",
        ),
        (
            json!({"x": "x.csv"}),
            "data.x: found `x.csv`, expected array files",
        ),
        (
            json!({"x": {"left": 3}}),
            "data.x.left: found 3, expected a file's name",
        ),
        (json!({"table": "t.csv", "target": "price"}), "t.csv"),
        (
            json!({"x": "x.npy", "y": "yv.npy"}),
            "yv.npy: found 4 rows, expected 10 as in",
        ),
        (json!({"x": "nowhere.npy"}), "nowhere.npy: "),
    ];
    for (table, expected) in cases {
        let error = load(base, table.clone()).map(|_| ()).unwrap_err();
        assert!(error.is_users_mistake());
        let text = error.to_string();
        assert!(text.contains(expected), "{table}: {text}");
    }
}

#[test]
fn a_config_is_written_as_it_was_read_and_can_be_moved() -> Result<()> {
    for table in [
        json!({"dataset": "digits", "validation": {"first": 200}, "scale": "standard"}),
        json!({"x": {"b": "/d/l.npy", "a": "/d/r.npz:k"}, "y": "/d/y.npy", "validation": {"fraction": 0.1}}),
        json!({"x": "/d/x.npy", "validation": {"x": "/d/xv.npy", "y": "/d/yv.npy"}, "sample_weight": "/d/w.npy"}),
        json!({"table": "/d/t.csv", "target": "price", "validation": {"table": "/d/v.csv"}}),
    ] {
        let config = DataConfig::from_value("data", &table)?;
        assert_eq!(serde_json::to_value(&config).unwrap(), table);
        assert_eq!(
            serde_json::from_value::<DataConfig>(table.clone()).unwrap(),
            config
        );
        let relative: Value = serde_json::from_str(&table.to_string().replace("/d/", "")).unwrap();
        let moved = DataConfig::from_value("data", &relative)?.absolute(Path::new("/d"))?;
        assert_eq!(serde_json::to_value(&moved).unwrap(), table);
    }
    Ok(())
}

#[test]
fn spec_names_sets_files_and_tables() -> Result<()> {
    let folder = folder();
    let base = folder.root();
    let at = |name: &str| base.join(name).display().to_string();
    for (spec, default, expected) in [
        ("digits", Split::Test, 355),
        ("digits", Split::Train, 1442),
        ("digits:train", Split::Test, 1442),
    ] {
        let data = data::load(spec, default)?;
        assert_eq!(data.rows(), expected);
        assert_eq!(data.inputs()[0].scale(), &Scale::Divide(16.0));
        assert_eq!(data.class_names().len(), 10);
    }
    let unlabelled = data::load(&at("x.npy"), Split::Test)?;
    assert!(unlabelled.targets().is_empty());
    let labelled = data::load(&format!("{},{}", at("x.npy"), at("y.npy")), Split::Test)?;
    assert_eq!(labelled.targets().len(), 1);

    let config =
        "[data]\nx = 'x.npy'\ny = 'y.npy'\nvalidation = { first = 4 }\n[train]\nepochs = 3\n";
    fs::write(at("run.toml"), config).unwrap();
    assert_eq!(data::load(&at("run.toml"), Split::Test)?.rows(), 4);
    assert_eq!(data::load(&at("run.toml"), Split::Train)?.rows(), 6);

    fs::write(at("empty.toml"), "[train]\n").unwrap();
    fs::write(at("broken.toml"), "[data\n").unwrap();
    fs::write(at("table.csv"), "a,b\n").unwrap();
    let cases = [
        (
            "fashon-mnist".into(),
            "unknown data set `fashon-mnist`; did you mean `fashion-mnist`?",
        ),
        (
            "digits:tset".into(),
            "unknown split `tset`; did you mean `test`?",
        ),
        (at("table.csv"), "its inputs are no columns"),
        ("a.npy,b.npy,c.npy".into(), "one or two array files"),
        ("a.npy,b.csv".into(), "found `b.csv`, expected array files"),
        (at("empty.toml"), "has no `[data]` table"),
        (at("broken.toml"), "broken.toml"),
        (at("nowhere.toml"), "cannot read"),
    ];
    for (spec, expected) in cases {
        let error = data::load(&spec, Split::Test).map(|_| ()).unwrap_err();
        assert!(error.is_users_mistake());
        assert!(error.to_string().contains(expected), "{spec}: {error}");
    }
    Ok(())
}

#[test]
fn checks_name_the_row_and_the_column() -> Result<()> {
    let mut values = vec![0.5; 5000 * 3];
    values[4000 * 3 + 2] = f32::NAN;
    let tensor = Tensor::from_f32([3], values)?.named("x.npy");
    let text = |result: Result<()>| result.unwrap_err().to_string();
    assert_eq!(
        text(check::finite(&tensor)),
        "x.npy, row 4000, column 2: found NaN, expected a finite number"
    );
    // Row numbers are those of the file, not of the training part.
    assert!(text(check::finite(&tensor.slice(3000..5000)?)).contains("row 4000, column 2"));
    check::finite(&tensor.slice(0..4000)?)?;

    let labels = |values: Vec<f32>| Tensor::from_column(values).unwrap().named("y.npy");
    check::labels(&labels(vec![0.0, 9.0]), 10)?;
    assert_eq!(
        text(check::labels(&labels(vec![0.0, 10.0]), 10)),
        "y.npy, row 1: found 10, expected a label from 0 to 9: the model's output has 10 classes"
    );
    for bad in [0.5, -1.0, f32::NAN, f32::INFINITY, 1e20] {
        assert!(
            check::labels(&labels(vec![0.0, 0.0, bad]), 10).is_err(),
            "{bad}"
        );
    }
    let bytes = Tensor::from_u8([1], vec![3, 4, 5])?;
    check::labels(&bytes, 6)?;
    assert!(text(check::labels(&bytes, 5)).contains("row 2: found 5"));
    assert!(check::labels(&tensor, 10).is_err());

    let wide = Dataset::unlabelled(tensor.slice(0..10)?);
    check::dataset(&wide, &[Shape::from([3])])?;
    assert_eq!(
        text(check::dataset(&wide, &[Shape::from([784])])),
        "x.npy: found shape (None, 3), expected (None, 784), which the model takes"
    );
    check::shape(&labels(vec![1.0]), &Shape::from([1]))?;
    let digits = data::digits(Split::Test)?;
    let flat = check::shape(&digits.inputs()[0], &Shape::from([64]));
    assert!(text(flat).contains("Flatten"));
    let none = Dataset::unlabelled(tensor.slice(0..0)?);
    assert!(matches!(
        check::not_empty(&none),
        Err(Error::Invalid { .. })
    ));
    Ok(())
}

#[test]
fn a_description_counts_classes_and_draws_pictures() -> Result<()> {
    let text = data::describe(&data::load("digits:test", Split::Test)?);
    for part in [
        "digits:test: 355 rows",
        "(None, 8, 8)",
        "uint8",
        "from 0 to 16",
        " 35 ",
        "█",
    ] {
        assert!(text.contains(part), "{part} is not in:\n{text}");
    }
    let x = Tensor::from_f32([2], vec![1.0, f32::NAN, -3.0, 2.0])?;
    let text = data::describe(&Dataset::new(x, Tensor::from_column(vec![0.5, -0.5])?)?);
    assert!(
        text.contains("from -3 to 2, mean 0.00000, 1 NaN or infinite"),
        "{text}"
    );
    assert!(data::list().contains("fashion-mnist"));
    Ok(())
}
