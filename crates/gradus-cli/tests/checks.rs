//! Tests of checks of data, through the real binary: each finding has a case that raises it, and a
//! similar one that does not.

mod common;

use common::{Place, npy};
use serde_json::Value;

/// A pseudorandom number from 0 to 1.
fn noise(n: usize) -> f64 {
    let n = (n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((n ^ (n >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as f64 / (1u64 << 24) as f64
}

/// A table of `columns`, each a function from row to cell.
fn table(rows: usize, columns: &[(&str, &dyn Fn(usize) -> String)]) -> String {
    let names: Vec<&str> = columns.iter().map(|column| column.0).collect();
    let mut text = names.join(",") + "\n";
    for row in 0..rows {
        let cells: Vec<String> = columns.iter().map(|column| column.1(row)).collect();
        text += &(cells.join(",") + "\n");
    }
    text
}

/// A `.npy` file with this many values per row; `None` is one value without an axis.
fn array(rows: usize, columns: Option<usize>, number: impl Fn(usize, usize) -> f32) -> Vec<u8> {
    let width = columns.unwrap_or(1);
    let shape: Vec<usize> = [Some(rows), columns].into_iter().flatten().collect();
    let mut file = npy(&shape);
    file.truncate(file.len() - rows * width * 4);
    for row in 0..rows {
        (0..width).for_each(|n| file.extend(number(row, n).to_le_bytes()));
    }
    file
}

const MODEL: &str = "\n[model]\nrecipe = \"default\"\nhidden = [4]\n[train]\nepochs = 1\n";

/// The output of `gradus check --json`, and its exit code.
fn checked(place: &Place, data: &str, rest: &str) -> (Option<i32>, Value) {
    place.write("run.toml", format!("[data]\n{data}\n{rest}"));
    let said = place.run(&["check", "run.toml", "--json"]);
    let object = serde_json::from_str(&said.out);
    (
        said.code,
        object.unwrap_or_else(|_| panic!("{}{}", said.out, said.err)),
    )
}

/// The findings of one check.
fn found<'a>(object: &'a Value, check: &str) -> Vec<&'a Value> {
    let findings = object["findings"].as_array().unwrap();
    findings
        .iter()
        .filter(|finding| finding["check"] == check)
        .collect()
}

/// The table's findings by this check, for a training with `target`.
fn in_table(check: &str, target: &str, text: &str) -> Vec<Value> {
    let place = Place::new();
    place.write("t.csv", text);
    let (code, object) = checked(
        &place,
        &format!("table = \"t.csv\"\ntarget = \"{target}\""),
        MODEL,
    );
    assert_eq!(code, Some(0), "{object}");
    found(&object, check).into_iter().cloned().collect()
}

fn price(row: usize) -> String {
    format!("{:.4}", 100.0 + 50.0 * noise(row))
}

fn x(row: usize) -> String {
    format!("{:.4}", noise(row + 1_000_000))
}

#[test]
fn recipes_and_examples_raise_nothing() {
    let place = Place::new();
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let default = format!("{root}/crates/gradus/recipes/digits.toml");
    let out = place.ok(&["check", &default]);
    assert!(out.ends_with("nothing suspicious found\n"), "{out}");
    let object: Value = serde_json::from_str(&place.ok(&["check", &default, "--json"])).unwrap();
    assert_eq!(object["findings"], serde_json::json!([]));
    assert_eq!(
        (&object["errors"], &object["warnings"]),
        (&0.into(), &0.into())
    );
    let housing = format!("{root}/../shared/data/housing.csv");
    if std::path::Path::new(&housing).exists() {
        let target = "target = \"median_house_value\"";
        let held_out = "validation = { fraction = 0.1, shuffle = true }";
        let data = format!("table = {housing:?}\n{target}\n{held_out}");
        let (code, object) = checked(&place, &data, MODEL);
        assert_eq!(
            (code, object["findings"].as_array().unwrap().len()),
            (Some(0), 0)
        );
    }
    // Data that is not on every machine is checked if it is there.
    for path in std::fs::read_dir(format!("{root}/recipes")).unwrap() {
        let path = path.unwrap().path().display().to_string();
        let said = place.run(&["check", &path]);
        let fetched = said.code == Some(0);
        let clean = said.out.ends_with("nothing suspicious found\n");
        // A model to reuse is there once it was trained.
        let missing = ["data fetch", ".reuse: cannot read"];
        let missing = missing.iter().any(|what| said.err.contains(what));
        assert!(
            clean || !fetched && missing,
            "{path}: {}{}",
            said.out,
            said.err
        );
    }
}

#[test]
fn a_column_that_gives_a_number_away() {
    let with = |cell: &dyn Fn(usize) -> String| {
        let text = table(200, &[("x", &x), ("c", cell), ("price", &price)]);
        in_table("leak", "price", &text)
    };
    let number = |row: usize| price(row).parse::<f64>().unwrap();
    let findings = with(&|row| format!("{:.4}", number(row) * -1.2 + 3.0));
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0]["where"]["column"], "c");
    assert_eq!(findings[0]["severity"], "warning");
    let advice = findings[0]["advice"].as_str().unwrap();
    assert!(advice.contains("exclude = [\"c\"]"), "{advice}");
    // By ranks, if the relation is not linear.
    let findings = with(&|row| format!("{:.6}", number(row).powi(40) / 1e80));
    let text = findings[0]["found"].as_str().unwrap();
    assert!(
        text.contains("rank correlation with the target `price`"),
        "{text}"
    );
    // Well correlated, but for some noise.
    assert!(with(&|row| format!("{:.4}", number(row) + 5.0 * noise(row + 77))).is_empty());
    // By the text: 10 prices, each with its name.
    let text = |mixed: usize| {
        let group = |row: usize| row % 10;
        table(
            400,
            &[
                ("x", &x),
                ("c", &|row| {
                    format!(
                        "group {}",
                        if row % 7 < mixed { row % 3 } else { group(row) }
                    )
                }),
                ("price", &|row| format!("{}", 100 + 17 * group(row))),
            ],
        )
    };
    assert_eq!(in_table("leak", "price", &text(0)).len(), 1);
    assert!(in_table("leak", "price", &text(1)).is_empty());
}

#[test]
fn a_target_that_is_a_sum_of_columns() {
    let (casual, registered) = (
        |row: usize| (300.0 * noise(row + 9)).round(),
        |row: usize| (900.0 * noise(row + 99)).round(),
    );
    let with = |rows: usize, total: &dyn Fn(usize) -> String| {
        let text = table(
            rows,
            &[
                ("x", &x),
                ("casual", &|row| casual(row).to_string()),
                ("registered", &|row| registered(row).to_string()),
                ("count", total),
            ],
        );
        in_table("leak", "count", &text)
    };
    let findings = with(200, &|row| (casual(row) + registered(row)).to_string());
    assert_eq!(findings.len(), 1);
    let text = |key: &str| findings[0][key].as_str().unwrap();
    assert_eq!(text("severity"), "warning");
    assert_eq!(findings[0]["where"]["column"], "count");
    assert_eq!(
        text("found"),
        "it is a sum of columns: `count = casual + registered` in all 200 rows"
    );
    assert!(text("advice").contains("exclude = [\"casual\", \"registered\"]"));
    // Any factors and a constant, and cells that are rounded.
    let sum = |row: usize| 2.0 * casual(row) - 0.5 * registered(row) + 40.0;
    let findings = with(200, &|row| sum(row).to_string());
    let found = findings[0]["found"].as_str().unwrap();
    assert!(
        found.contains("`count = 2 casual - 0.5 registered + 40`"),
        "{found}"
    );
    let findings = with(200, &|row| format!("{:.0}", sum(row)));
    let found = findings[0]["found"].as_str().unwrap();
    assert!(
        found.contains("0.5 registered") && found.contains("but for rounding"),
        "{found}"
    );
    // Almost, except for a few percent of noise; and too few rows to tell.
    assert!(with(200, &|row| (sum(row) + 20.0 * noise(row + 5)).to_string()).is_empty());
    assert!(with(35, &|row| (casual(row) + registered(row)).to_string()).is_empty());
    // Any target is a linear combination of as many columns as rows.
    let columns: Vec<(String, usize)> = (0..60).map(|n| (format!("c{n}"), n)).collect();
    let mut text = columns
        .iter()
        .map(|c| c.0.clone() + ",")
        .collect::<String>()
        + "price\n";
    for row in 0..61 {
        let cells = columns
            .iter()
            .map(|(_, n)| format!("{:.4},", noise(row * 60 + n)));
        text += &format!("{}{}\n", cells.collect::<String>(), price(row));
    }
    assert!(in_table("leak", "price", &text).is_empty());
    // Of one-hot columns, the last follows from the others.
    let kind = |row: usize| (noise(row) * 3.0) as usize;
    let is = |wanted: usize| move |row: usize| usize::from(kind(row) == wanted).to_string();
    let text = table(
        300,
        &[("x", &x), ("a", &is(0)), ("b", &is(1)), ("c", &is(2))],
    );
    let findings = in_table("leak", "c", &text);
    let found = findings[0]["found"].as_str().unwrap();
    assert!(found.contains("`c = -a - b + 1`"), "{found}");
}

#[test]
fn a_column_that_gives_the_class_away() {
    let class = |row: usize| ["red", "green", "blue"][(noise(row) * 3.0) as usize].to_owned();
    let with = |cell: &dyn Fn(usize) -> String| {
        let text = table(300, &[("x", &x), ("c", cell), ("kind", &class)]);
        in_table("leak", "kind", &text)
    };
    assert_eq!(with(&|row| format!("is {}", class(row))).len(), 1);
    assert_eq!(with(&|row| class(row).len().to_string()).len(), 1);
    // One in nine differs.
    assert!(with(&|row| class(if row % 9 == 0 { row + 1 } else { row })).is_empty());
    // A range for each class.
    let range = |row: usize| class(row).len() as f64 + noise(row + 500);
    assert_eq!(with(&|row| format!("{:.4}", range(row))).len(), 1);
    assert!(with(&|row| format!("{:.4}", range(row) * (1.0 + noise(row + 3)))).is_empty());
}

#[test]
fn columns_that_are_ids_or_have_too_many_texts() {
    let with = |check: &str, rows: usize, cell: &dyn Fn(usize) -> String| {
        let text = table(rows, &[("x", &x), ("c", cell), ("price", &price)]);
        in_table(check, "price", &text)
    };
    let findings = with("id", 200, &|row| format!("user {}", row * 2 / 3));
    let advice = findings[0]["advice"].as_str().unwrap();
    assert!(
        advice.contains("exclude = [\"c\"]") && advice.contains("\"id\""),
        "{advice}"
    );
    assert!(with("id", 200, &|row| format!("user {}", row / 3)).is_empty());
    assert_eq!(with("id", 200, &|row| (1000 + row).to_string()).len(), 1);
    assert!(with("id", 200, &|row| (1000 + row + row % 2).to_string()).is_empty());

    // Distinct whole numbers: nearly gapless, ascending, or with an id's name.
    let one_of_three_left = |row: usize| (row * 3 / 2).to_string();
    let mixed = |row: usize| (row * 77 % 200).to_string();
    let far = |row: usize| (row * 7919 % 100_003).to_string();
    for (cell, words) in [
        (&mixed as &dyn Fn(usize) -> String, "nearly without gaps"),
        (&one_of_three_left, "rising from row to row"),
    ] {
        let findings = with("id", 200, cell);
        let text = findings[0]["found"].as_str().unwrap();
        assert!(text.contains(words), "{text}");
    }
    assert!(with("id", 200, &far).is_empty());
    let named = |name: &str, cell: &dyn Fn(usize) -> String| {
        let text = table(200, &[("x", &x), (name, cell), ("price", &price)]);
        in_table("id", "price", &text)
    };
    for name in ["customer_id", "OrderID", "key"] {
        let findings = named(name, &far);
        let text = findings[0]["found"].as_str().unwrap();
        assert!(text.contains(&format!("it is called `{name}`")), "{text}");
    }
    // Neither an ascending time nor repeated values, whatever the name.
    assert!(named("id", &|row| format!("{}.25", row * 3)).is_empty());
    assert!(named("seconds", &|row| (1_000_000 + row * 61).to_string()).is_empty());
    assert!(named("id", &|row| (row / 2 * 7919).to_string()).is_empty());

    let findings = with("categories", 6000, &|row| format!("street {}", row % 1500));
    let text = findings[0]["found"].as_str().unwrap();
    assert!(
        text.contains("1500 different texts in 6000 rows, 4.0 rows each"),
        "{text}"
    );
    assert!(with("categories", 6000, &|row| format!("street {}", row % 300)).is_empty());
    // A number taken for classes.
    let classes = |of: usize| {
        let text = table(
            300,
            &[("x", &x), ("price", &|row| format!("about {}", row % of))],
        );
        in_table("categories", "price", &text).len()
    };
    assert_eq!((classes(200), classes(20)), (1, 0));
}

#[test]
fn columns_and_targets_that_are_always_the_same() {
    let text = |last: &'static str| {
        let c = move |row: usize| if row == 99 { last } else { "5" }.to_owned();
        let text = table(100, &[("x", &x), ("c", &c), ("price", &price)]);
        in_table("constant", "price", &text)
    };
    let findings = text("5");
    assert_eq!(findings[0]["where"]["column"], "c");
    assert_eq!(findings[0]["severity"], "note"); // the table's model leaves it out
    assert!(text("6").is_empty());

    let place = Place::new();
    let rest = "\n[model]\nlayers = [{ type = \"Dense\", units = 1 }]\n[train]\nloss = \"mse\"\noptimizer = \"adam\"\n";
    let arrays = |constant: bool, target: bool| {
        place.write(
            "x.npy",
            array(60, Some(3), |row, n| {
                if n == 1 && (constant || row > 0) {
                    7.0
                } else {
                    noise(row * 3 + n) as f32
                }
            }),
        );
        place.write(
            "y.npy",
            array(
                60,
                None,
                |row, _| if target { 2.0 } else { noise(row + 999) as f32 },
            ),
        );
        let (code, object) = checked(&place, "x = \"x.npy\"\ny = \"y.npy\"", rest);
        assert_eq!(code, Some(0), "{object}");
        found(&object, "constant")
            .into_iter()
            .cloned()
            .collect::<Vec<Value>>()
    };
    let findings = arrays(true, false);
    let text = findings[0]["found"].as_str().unwrap();
    assert_eq!(
        text,
        "1 of 3 columns are the same in all 60 training rows: 1"
    );
    assert_eq!(findings[0]["severity"], "warning");
    assert!(arrays(false, false).is_empty());
    assert!(
        arrays(false, true)[0]["found"]
            .as_str()
            .unwrap()
            .contains("the target is 2")
    );
}

#[test]
fn rows_that_are_trained_on_and_held_out() {
    let text = |shared: usize| {
        let rows = move |row: usize| {
            if row >= 100 && row < 100 + shared {
                row - 100
            } else {
                row
            }
        };
        // A cell of two lines: rows are not lines.
        let note = move |row: usize| {
            if row == 0 {
                "\"a\nb\"".to_owned()
            } else {
                format!("n{}", rows(row) % 4)
            }
        };
        table(
            150,
            &[
                ("x", &move |row| x(rows(row))),
                ("note", &note),
                ("price", &move |row| price(rows(row))),
            ],
        )
    };
    let place = Place::new();
    let with = |text: String| {
        place.write("t.csv", text);
        let data = "table = \"t.csv\"\ntarget = \"price\"\nvalidation = { fraction = 0.3333 }";
        let (code, object) = checked(&place, data, MODEL);
        assert_eq!(code, Some(0), "{object}");
        found(&object, "duplicates")
            .into_iter()
            .cloned()
            .collect::<Vec<Value>>()
    };
    let findings = with(text(20));
    // Row 0 differs in its note.
    assert!(
        findings[0]["found"]
            .as_str()
            .unwrap()
            .starts_with("19 of 50 validation rows"),
        "{findings:?}"
    );
    assert!(
        findings[0]["found"]
            .as_str()
            .unwrap()
            .ends_with("the same as line 4"),
        "{findings:?}"
    );
    assert_eq!(findings[0]["where"]["line"], 104);
    assert_eq!(findings[0]["where"]["row"], 101);
    assert_eq!(findings[0]["severity"], "warning");
    assert!(with(text(0)).is_empty());
    // Similar rows that are not duplicates: a few small columns.
    let small = table(
        300,
        &[
            ("x", &|row| ((noise(row) * 3.0) as u8).to_string()),
            ("price", &price),
        ],
    );
    let findings = with(small);
    assert_eq!(findings[0]["severity"], "note");

    // A separate table, whose texts come in another order.
    let header = "x,note,price\n";
    place.write(
        "t.csv",
        table(
            60,
            &[
                ("x", &x),
                ("note", &|row| format!("n{}", row % 4)),
                ("price", &price),
            ],
        ),
    );
    let own = |cell: &str| {
        format!(
            "{header}0.5,n3,1\n0.25,{cell},2\n{},n1,{}\n",
            x(1),
            price(1)
        )
    };
    let other = |text: String| {
        place.write("v.csv", text);
        let data = "table = \"t.csv\"\ntarget = \"price\"\nvalidation = { table = \"v.csv\" }";
        let (_, object) = checked(&place, data, MODEL);
        found(&object, "duplicates")
            .into_iter()
            .cloned()
            .collect::<Vec<Value>>()
    };
    let findings = other(own("n2"));
    assert_eq!(findings[0]["where"]["line"], 4, "{findings:?}");
    assert!(
        findings[0]["found"]
            .as_str()
            .unwrap()
            .contains("t.csv, line 3"),
        "{findings:?}"
    );
    assert!(other(own("n2").replace(",n1,", ",n0,")).is_empty());
}

const CLASSES: &str = "\n[model]\nlayers = [{ type = \"Dense\", units = 3, activation = \"softmax\" }]\n\
                       [train]\nloss = \"sparse_categorical_crossentropy\"\noptimizer = \"adam\"\n";

#[test]
fn classes_that_are_alone_or_unseen() {
    let place = Place::new();
    place.write(
        "x.npy",
        array(90, Some(2), |row, n| noise(row * 2 + n) as f32),
    );
    place.write("y.npy", array(90, None, |row, _| (row / 30) as f32));
    let data = |how: &str| format!("x = \"x.npy\"\ny = \"y.npy\"\nvalidation = {{ {how} }}");
    let (code, object) = checked(&place, &data("first = 30"), CLASSES);
    assert_eq!(code, Some(0));
    let finding = found(&object, "unseen_class")[0];
    let text = finding["found"].as_str().unwrap();
    assert!(
        text.contains("30 of 30 validation rows are of class 0"),
        "{text}"
    );
    assert_eq!(finding["where"]["row"], 0);
    let (_, object) = checked(&place, &data("fraction = 0.2, stratify = true"), CLASSES);
    assert!(found(&object, "unseen_class").is_empty());

    // One class is an error: `check` and `train` end with 2, unless it is silenced.
    let alone = data("first = 60");
    let (code, object) = checked(&place, &alone, CLASSES);
    assert_eq!((code, &object["errors"]), (Some(2), &1.into()));
    assert_eq!(found(&object, "one_class")[0]["severity"], "error");
    let message = place.mistake(&["train", "run.toml"]);
    assert!(
        message.contains("found class 2 in all 30 training rows"),
        "{message}"
    );
    assert!(
        message.contains("stratify = true") && message.contains("[one_class]"),
        "{message}"
    );
    let silenced = format!("{alone}\nchecks = {{ one_class = false }}");
    let (code, object) = checked(&place, &silenced, CLASSES);
    assert_eq!((code, &object["errors"]), (Some(0), &0.into()));
    place.ok(&["train", "run.toml", "--out", "run"]);
    assert!(place.text("run/config.toml").contains("one_class = false"));
}

#[test]
fn what_a_training_refuses_is_found_with_its_row_and_column() {
    let place = Place::new();
    let with = |bad: f32, label: f32| {
        place.write(
            "x.npy",
            array(90, Some(2), |row, n| {
                if (row, n) == (70, 1) {
                    bad
                } else {
                    noise(row * 2 + n) as f32
                }
            }),
        );
        place.write(
            "y.npy",
            array(
                90,
                None,
                |row, _| if row == 5 { label } else { (row % 3) as f32 },
            ),
        );
        let data = "x = \"x.npy\"\ny = \"y.npy\"\nvalidation = { fraction = 0.3 }";
        let (code, object) = checked(&place, data, CLASSES);
        (
            code,
            found(&object, "data")
                .into_iter()
                .cloned()
                .collect::<Vec<Value>>(),
        )
    };
    assert_eq!(with(0.0, 2.0), (Some(0), vec![]));
    // One in the validation rows, one in the training rows.
    let (code, findings) = with(f32::NAN, 3.0);
    assert_eq!((code, findings.len()), (Some(2), 2));
    assert_eq!(findings[0]["where"]["row"], 5);
    assert!(
        findings[0]["advice"]
            .as_str()
            .unwrap()
            .contains("a label from 0 to 2")
    );
    assert_eq!(findings[1]["where"]["row"], 70);
    assert_eq!(findings[1]["where"]["column"], "1");
    assert_eq!(findings[1]["found"], "found NaN");
    assert_eq!(with(f32::INFINITY, 2.0).0, Some(2));
}

#[test]
fn warnings_come_before_the_first_epoch_and_can_be_silenced() {
    let place = Place::new();
    let cell = |row: usize| price(row) + "1";
    place.write(
        "t.csv",
        table(200, &[("x", &x), ("c", &cell), ("price", &price)]),
    );
    let config =
        |more: &str| format!("[data]\ntable = \"t.csv\"\ntarget = \"price\"\n{more}{MODEL}");
    place.write("run.toml", config(""));
    let said = place.run(&["train", "run.toml", "--out", "a"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let warning = said.err.find("t.csv, column `c`: its correlation");
    let epoch = said.err.find("epoch 1/1");
    assert!(warning.is_some() && warning < epoch, "{}", said.err);
    let said = place.run(&["train", "run.toml", "--out", "b", "--quiet"]);
    assert_eq!(said.err, "");
    for more in ["checks = { leak = false }\n", "checks = false\n"] {
        place.write("run.toml", config(more));
        let said = place.run(&["train", "run.toml", "--out", &format!("c{}", more.len())]);
        assert!(!said.err.contains("warning"), "{}", said.err);
    }
    place.write("run.toml", config("checks = { leek = false }\n"));
    let message = place.mistake(&["train", "run.toml"]);
    assert!(
        message.contains("data.checks: unknown check `leek`; did you mean `leak`?"),
        "{message}"
    );
    place.write("run.toml", config("checks = { leak = 3 }\n"));
    let message = place.mistake(&["check", "run.toml"]);
    assert!(
        message.contains("data.checks.leak: found 3, expected true or false"),
        "{message}"
    );
    place.mistake(&["check", "nowhere.toml"]);
}

#[test]
fn the_index_of_pandas_is_left_out_and_said() {
    let place = Place::new();
    let said = |name: &str, cell: &dyn Fn(usize) -> String, run: &str| {
        place.write(
            "t.csv",
            table(100, &[(name, cell), ("x", &x), ("price", &price)]),
        );
        let data = "table = \"t.csv\"\ntarget = \"price\"";
        let held_out = "validation = { fraction = 0.2, shuffle = true }";
        place.write("run.toml", format!("[data]\n{data}\n{held_out}\n{MODEL}"));
        let said = place.run(&["train", "run.toml", "--out", run]);
        assert_eq!(said.code, Some(0), "{}", said.err);
        said.err
    };
    let counted = |row: usize| row.to_string();
    for (n, (name, called)) in [("", "column_0"), ("Unnamed: 0", "Unnamed: 0")]
        .into_iter()
        .enumerate()
    {
        let run = format!("a{n}");
        let left = said(name, &counted, &run);
        let words = format!("{called} (the index that pandas writes: it counts the rows)");
        assert!(
            left.contains(&words) && left.contains("features: 1 number\n"),
            "{left}"
        );
        // New rows may have it or not.
        let model = format!("{run}/model.keras");
        let predict = ["predict", &model, "--data", "t.csv", "--out", "p.csv"];
        assert_eq!(place.run(&predict).err, "");
        place.write("t.csv", table(10, &[("x", &x)]));
        assert_eq!(place.run(&predict).err, "");
    }
    // A column that does not count rows, or has a name, stays.
    let stays = said("", &|row| (row * 77 % 100).to_string(), "b");
    assert!(stays.contains("features: 2 numbers"), "{stays}");
    let stays = said("n", &counted, "c");
    assert!(
        stays.contains("features: 2 numbers") && stays.contains("[id]"),
        "{stays}"
    );
}

#[test]
fn held_out_ends_of_a_sorted_file_are_seen() {
    let place = Place::new();
    let shifted = |target: &dyn Fn(usize) -> String, data: &str, rest: &str| {
        let plain = |row: usize| format!("{:.4}", noise(row));
        place.write("t.csv", table(1000, &[("x", &plain), ("y", target)]));
        let data = format!("table = \"t.csv\"\ntarget = \"y\"\n{data}");
        let (code, object) = checked(&place, &data, rest);
        assert_eq!(code, Some(0), "{object}");
        found(&object, "shift")
            .into_iter()
            .cloned()
            .collect::<Vec<Value>>()
    };
    let last = "validation = { fraction = 0.2 }";
    let drawn = |row: usize| noise(row + 5000);
    // A number that grows with the rows, and one that does not.
    let grows = |row: usize| format!("{:.4}", drawn(row) + row as f64 / 1000.0);
    let findings = shifted(&grows, last, MODEL);
    assert_eq!(findings.len(), 1);
    let (text, advice) = (
        findings[0]["found"].as_str().unwrap(),
        findings[0]["advice"].as_str().unwrap(),
    );
    assert!(
        text.contains("1.3") && text.contains("0.9") && text.contains("standard errors"),
        "{text}"
    );
    assert!(
        advice.contains("shuffle = true") && advice.contains("stratify"),
        "{advice}"
    );
    assert_eq!(
        (
            &findings[0]["where"]["column"],
            &findings[0]["where"]["line"]
        ),
        (&"y".into(), &802.into())
    );
    assert_eq!(
        shifted(&grows, "validation = { first = 200 }", MODEL).len(),
        1
    );
    assert_eq!(shifted(&grows, "test = { fraction = 0.2 }", MODEL).len(), 1);
    let level = |row: usize| format!("{:.4}", drawn(row));
    assert!(shifted(&level, last, MODEL).is_empty());
    // Intended by a time column, random, or silenced; and with few rows it may be chance.
    for other in [
        "validation = { fraction = 0.2, shuffle = true }",
        "validation = { fraction = 0.2, time = \"y\" }",
        "validation = { fraction = 0.2 }\nchecks = { shift = false }",
        "validation = { fraction = 0.005 }",
    ] {
        assert!(shifted(&grows, other, MODEL).is_empty(), "{other}");
    }
    // Significant but small differences are not reported.
    let creeps = |row: usize| format!("{:.4}", drawn(row) + if row < 800 { 0.0 } else { 0.05 });
    assert!(shifted(&creeps, last, MODEL).is_empty());

    // A class that the last rows lack, and one that is rarer there.
    let gone = |row: usize| {
        if row < 790 && row.is_multiple_of(7) {
            "rare"
        } else {
            ["a", "b"][row % 2]
        }
        .to_owned()
    };
    let findings = shifted(&gone, last, MODEL);
    assert_eq!(findings.len(), 1);
    let text = findings[0]["found"].as_str().unwrap();
    assert!(
        text.contains("class `rare` is 0.0% of the 200 validation rows"),
        "{text}"
    );
    let fewer = |row: usize| {
        ["a", "b"][usize::from(drawn(row) < if row < 800 { 0.6 } else { 0.3 })].to_owned()
    };
    assert_eq!(shifted(&fewer, last, MODEL).len(), 1);
    let alike = |row: usize| ["a", "b"][usize::from(drawn(row) < 0.6)].to_owned();
    assert!(shifted(&alike, last, MODEL).is_empty());
    // Classes without training rows are another check's business.
    let sorted = |row: usize| ["a", "b", "c", "d", "e"][row / 200].to_owned();
    assert!(shifted(&sorted, last, MODEL).is_empty());
}
