//! Tests of models of tables, used in all ways: Monte Carlo, embeddings, separate validation
//! tables; through the real binary.

mod common;

use common::{Place, results};

/// `rows` rows with a town of `towns`, from row `from` on.
fn table(from: usize, rows: usize, towns: usize) -> String {
    let mut text = String::from("id,x,town,price,kind\n");
    for row in from..from + rows {
        let (x, town) = (row * 7 % 20, row * 13 % towns);
        let kind = if town % 2 == 0 { "even" } else { "odd" };
        text += &format!("r{row},{x},town {town},{},{kind}\n", 10 * x + town);
    }
    text
}

const CONFIG: &str = r#"
data.table = "t.csv"
data.target = ["price", "kind"]
data.columns = { id = "id" }
data.validation = { table = "v.csv" }
model = { recipe = "default", hidden = [16] }
train.epochs = 30
"#;

fn header_and_rows(text: &str) -> (String, Vec<Vec<String>>) {
    let mut lines = text.lines();
    let header = lines.next().unwrap().to_owned();
    let cells = |line: &str| line.split(',').map(str::to_owned).collect();
    (header, lines.map(cells).collect())
}

#[test]
fn a_table_of_its_own_is_validated_on_whatever_the_order_of_its_columns() {
    let place = Place::new();
    place.write("t.csv", table(0, 200, 4));
    place.write("v.csv", table(200, 60, 4));
    place.write("c.toml", CONFIG);
    let said = place.run(&["train", "c.toml", "--out", "run"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(
        said.err
            .contains("200 to train on, 60 for validation (v.csv)"),
        "{}",
        said.err
    );
    // The same rows, columns in another order, with an unknown town.
    let other: String = table(200, 60, 4)
        .lines()
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            format!("{};{};{};{}\n", cells[4], cells[3], cells[2], cells[1])
        })
        .collect();
    place.write("w.csv", &other);
    place.ok(&[
        "train",
        "c.toml",
        "--out",
        "other",
        "--set",
        "data.validation={table=\"w.csv\"}",
    ]);
    assert_eq!(results(&place, "run").1, results(&place, "other").1);
    place.ok(&["train", "run/config.toml", "--out", "again"]);
    assert!(results(&place, "run") == results(&place, "again"));
    for (text, words) in [
        (
            other.replace("kind;price", "kind;prize"),
            "to validate and test with, need it; without it hold out rows of the training table, \
             such as `validation = { fraction = 0.1, shuffle = true }`; is it `prize`?",
        ),
        (
            other.replacen("odd", "strange", 1),
            "found `strange`, expected one of the classes even, odd",
        ),
        (other.replacen(";x\n", ";x;more\n", 1), "w.csv"),
        (
            "kind;price;town;x\n".into(),
            "has a header and no rows under it",
        ),
    ] {
        place.write("w.csv", text);
        let set = "data.validation={table=\"w.csv\"}";
        let message = place.mistake(&["train", "c.toml", "--out", "new", "--set", set]);
        assert!(
            message.contains(words) && message.contains("w.csv"),
            "{message}"
        );
    }
    let set = "data.validation={table=\"none.csv\"}";
    let message = place.mistake(&["train", "c.toml", "--out", "new", "--set", set]);
    assert!(message.contains("none.csv"), "{message}");
    let set = "data.validation={x=\"x.npy\", y=\"y.npy\"}";
    let message = place.mistake(&["train", "c.toml", "--out", "new", "--set", set]);
    assert!(
        message.contains("expected a `table`, as the training rows are"),
        "{message}"
    );
}

#[test]
fn from_33_texts_on_a_category_is_embedded_and_scores_new_ones() {
    let place = Place::new();
    place.write("c.toml", CONFIG);
    for (towns, embedded) in [(32, false), (33, true), (150, true)] {
        let run = format!("run{towns}");
        place.write("t.csv", table(0, 400, towns));
        place.write("v.csv", table(400, 100, towns));
        place.ok(&["train", "c.toml", "--out", &run]);
        let config = place.text(&format!("{run}/config.toml"));
        assert_eq!(
            config.contains("\"Embedding\""),
            embedded,
            "{towns}: {config}"
        );
        let model = format!("{run}/model.keras");
        place.write("new.csv", "town,x\ntown 3,1\nnowhere,1\n,2\n");
        place.ok(&["predict", &model, "--data", "new.csv", "--out", "o.csv"]);
        let (header, rows) = header_and_rows(&place.text("o.csv"));
        assert_eq!(header, "price,kind,kind_even,kind_odd");
        assert_eq!(rows.len(), 3);
        let json = place.ok(&["evaluate", &model, "--data", "t.csv", "--json"]);
        let measured: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert!(measured["kind_accuracy"].as_f64() > Some(0.9), "{measured}");
        place.ok(&[
            "train",
            &format!("{run}/config.toml"),
            "--out",
            &format!("again{towns}"),
        ]);
        assert!(results(&place, &run) == results(&place, &format!("again{towns}")));
    }
}

/// A chain with dropout after the columns.
const DROPOUT: &str = r#"
data.table = "t.csv"
data.target = "kind"
data.columns = { id = "id" }
model.layers = [
  { type = "Dense", units = 16, activation = "elu" },
  { type = "Dropout", rate = 0.3 },
  { type = "Dense", units = 2, activation = "softmax" },
]
train = { optimizer = "nadam", epochs = 10 }
"#;

#[test]
fn monte_carlo_writes_the_spread_of_every_column() {
    let place = Place::new();
    place.write("t.csv", table(0, 200, 40));
    place.write("c.toml", DROPOUT);
    place.ok(&["train", "c.toml", "--out", "run"]);
    let predict = [
        "predict",
        "run/model.keras",
        "--data",
        "t.csv",
        "--mc-samples",
        "50",
    ];
    place.ok(&[&predict[..], &["--out", "o.csv"]].concat());
    let (header, mean) = header_and_rows(&place.text("o.csv"));
    assert_eq!(header, "id,kind,kind_even,kind_odd");
    let (header, std) = header_and_rows(&place.text("o_std.csv"));
    // A deviation has no predicted class.
    assert_eq!(header, "id,kind_even,kind_odd");
    assert_eq!((mean.len(), std.len()), (200, 200));
    let spread: f64 = std.iter().map(|row| row[1].parse::<f64>().unwrap()).sum();
    assert!(spread > 0.1 && std[3][0] == "r3", "{spread}");
    for row in &mean {
        let sum: f64 = row[2..].iter().map(|p| p.parse::<f64>().unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-5);
    }
    place.ok(&[&predict[..], &["--out", "o.npy"]].concat());
    assert!(place.names(".").contains(&"o_std.npy".to_owned()));
}

/// A number and a class, with dropout before both.
const BOTH: &str = r#"
data.table = "t.csv"
data.target = ["price", "kind"]
data.columns = { id = "id", town = "drop" }
model.outputs = ["kind", "price"]
model.layers = [
  { type = "Dense", name = "hidden", units = 16, activation = "elu", inputs = ["x"] },
  { type = "Dropout", name = "noise", rate = 0.5, inputs = ["hidden"] },
  { type = "Dense", name = "kind", units = 2, activation = "softmax", inputs = ["noise"] },
  { type = "Dense", name = "price", units = 1, inputs = ["noise"] },
]
[train]
loss = { price = "mse", kind = "sparse_categorical_crossentropy" }
optimizer = "nadam"
epochs = 2
"#;

#[test]
fn monte_carlo_knows_every_output() {
    let place = Place::new();
    place.write("t.csv", table(0, 200, 4));
    place.write("c.toml", BOTH);
    place.ok(&["train", "c.toml", "--out", "run"]);
    let predict = [
        "predict",
        "run/model.keras",
        "--data",
        "t.csv",
        "--mc-samples",
        "20",
    ];
    place.ok(&[&predict[..], &["--out", "o.csv"]].concat());
    let (header, _) = header_and_rows(&place.text("o.csv"));
    assert_eq!(header, "id,kind,kind_even,kind_odd,price");
    let (header, std) = header_and_rows(&place.text("o_std.csv"));
    assert_eq!(header, "id,kind_even,kind_odd,price");
    let spread = |column: usize| {
        std.iter()
            .map(|row| row[column].parse::<f64>().unwrap())
            .sum::<f64>()
    };
    assert!(spread(1) > 0.1 && spread(3) > 0.1);
    place.ok(&[&predict[..], &["--out", "o.npy"]].concat());
    for name in [
        "o_kind.npy",
        "o_kind_std.npy",
        "o_price.npy",
        "o_price_std.npy",
    ] {
        assert!(place.names(".").contains(&name.to_owned()), "{name}");
    }
    place.write("plain.toml", CONFIG);
    place.write("v.csv", table(200, 60, 4));
    place.ok(&[
        "train",
        "plain.toml",
        "--out",
        "plain",
        "--set",
        "train.epochs=1",
        "--set",
        "model.recipe=\"self-normalizing\"", // which has no dropout
    ]);
    let predict = [
        "predict",
        "plain/model.keras",
        "--data",
        "t.csv",
        "--mc-samples",
        "20",
    ];
    let message = place.mistake(&[&predict[..], &["--out", "p.csv"]].concat());
    assert!(message.contains("has no dropout"), "{message}");
}
