//! Tests of tables with several targets, through the real binary.

mod common;

use common::{Place, results};

/// A number and a class, both functions of `x` and `town`; with names that no layer can have.
fn table() -> String {
    let mut text = String::from("id,x,town,the price/m2,kind\n");
    for row in 0..200 {
        let (x, town) = (row * 7 % 20, ["Bern", "Graz"][row % 2]);
        let kind = if x > 9 { "large" } else { "small" };
        text += &format!("r{row},{x},{town},{},{kind}\n", 100 * x + 50 * (row % 2));
    }
    text
}

const RECIPE: &str = r#"
data.table = "t.csv"
data.target = ["the price/m2", "kind"]
data.columns = { id = "id" }
data.validation = { fraction = 0.2, shuffle = true }
data.test = { fraction = 0.2, shuffle = true }
model = { recipe = "default", hidden = [16] }
train.epochs = 40
"#;

/// The outputs in another order than the targets.
const LAYERS: &str = r#"
data.table = "t.csv"
data.target = ["price", "kind"]
data.columns = { id = "id" }
data.validation = { fraction = 0.2, shuffle = true }
model.outputs = ["kind", "price"]
model.layers = [
  { type = "Rescaling", name = "xs", scale = 0.1, inputs = ["x"] },
  { type = "StringLookup", name = "towns", output_mode = "one_hot", vocabulary = ["Bern", "Graz"], inputs = ["town"] },
  { type = "Concatenate", name = "all", inputs = ["xs", "towns"] },
  { type = "Dense", name = "hidden", units = 16, activation = "elu", inputs = ["all"] },
  { type = "Dense", name = "kind", units = 2, activation = "softmax", inputs = ["hidden"] },
  { type = "Dense", name = "price", units = 1, inputs = ["hidden"] },
]
[train]
loss = { price = "mse", kind = "sparse_categorical_crossentropy" }
loss_weights = { price = 1e-5 }
metrics = { price = ["mae"], kind = ["accuracy"] }
optimizer = { type = "Nadam", learning_rate = 0.01 }
epochs = 60
"#;

fn measured(place: &Place, data: &str) -> serde_json::Value {
    let json = place.ok(&["evaluate", "run/model.keras", "--data", data, "--json"]);
    serde_json::from_str(&json).unwrap()
}

/// Header and lines.
fn scored(place: &Place, data: &str) -> (String, Vec<Vec<String>>) {
    place.ok(&[
        "predict",
        "run/model.keras",
        "--data",
        data,
        "--out",
        "o.csv",
    ]);
    let text = place.text("o.csv");
    let mut lines = text.lines();
    let header = lines.next().unwrap().to_owned();
    let cells = |line: &str| line.split(',').map(str::to_owned).collect();
    (header, lines.map(cells).collect())
}

#[test]
fn a_number_and_a_class_are_predicted_by_a_recipe() {
    let place = Place::new();
    place.write("t.csv", table());
    place.write("c.toml", RECIPE);
    let said = place.run(&["train", "c.toml", "--out", "run"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.err.contains("kind_accuracy"), "{}", said.err);
    let found = measured(&place, "t.csv");
    assert!(found["kind_accuracy"].as_f64() > Some(0.9), "{found}");
    assert!(
        found["the_price_m2_mean_absolute_error"].as_f64() < Some(200.0),
        "{found}"
    );
    let (header, lines) = scored(&place, "t.csv");
    assert_eq!(header, "id,the price/m2,kind,kind_large,kind_small");
    let right = table();
    let right = right
        .lines()
        .skip(1)
        .map(|line| line.split(',').collect::<Vec<_>>());
    let same = lines
        .iter()
        .zip(right)
        .filter(|(line, right)| line[2] == right[4]);
    assert!(lines[7][0] == "r7" && same.count() > 180);
    // Raw rows without either, and with one only.
    place.write("new.csv", "x,town\n15,Bern\n");
    let (_, lines) = scored(&place, "new.csv");
    let price: f64 = lines[0][0].parse().unwrap();
    assert!(
        (price - 1500.0).abs() < 300.0 && lines[0][1] == "large",
        "{lines:?}"
    );
    place.write("new.csv", "x,town,kind\n15,Bern,large\n");
    let message = place.mistake(&["evaluate", "run/model.keras", "--data", "new.csv"]);
    assert!(
        message.contains("has no column `the price/m2`, what the model predicts"),
        "{message}"
    );
    // As arrays, a file for each output.
    place.ok(&[
        "predict",
        "run/model.keras",
        "--data",
        "new.csv",
        "--out",
        "o.npy",
    ]);
    assert!(place.names(".").contains(&"o_the_price_m2.npy".to_owned()));
    // It can be repeated, resumed, and cross-validated.
    place.ok(&["train", "run/config.toml", "--out", "again"]);
    assert!(results(&place, "run") == results(&place, "again"));
    let data = RECIPE.lines().filter(|line| line.starts_with("data."));
    let data = data.collect::<Vec<_>>().join("\n");
    place.write(
        "more.toml",
        format!("{data}\nmodel.file = \"run/model.keras\"\ntrain.epochs = 1\n"),
    );
    place.ok(&["train", "more.toml", "--out", "more"]);
    place.ok(&[
        "train",
        "c.toml",
        "--folds",
        "2",
        "--out",
        "folds",
        "--set",
        "train.epochs=2",
    ]);
    let text = place.text("folds/predictions.csv");
    let header = "row,fold,id,the price/m2,the price/m2_predicted,kind,kind_predicted,kind_large,kind_small\n";
    assert!(text.starts_with(header), "{text}");
}

#[test]
fn layers_of_ones_own_have_their_outputs_in_any_order() {
    let place = Place::new();
    place.write("t.csv", table().replace("the price/m2", "price"));
    place.write("c.toml", LAYERS);
    let said = place.run(&["train", "c.toml", "--out", "run"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let found = measured(&place, "t.csv");
    assert!(found["kind_accuracy"].as_f64() > Some(0.9), "{found}");
    let (header, lines) = scored(&place, "t.csv");
    assert_eq!(header, "id,kind,kind_large,kind_small,price");
    let right = table();
    let right = right
        .lines()
        .skip(1)
        .map(|line| line.split(',').collect::<Vec<_>>());
    let same = lines
        .iter()
        .zip(right)
        .filter(|(line, right)| line[1] == right[4]);
    assert!(same.count() > 180);
    let price: f64 = lines[1][4].parse().unwrap();
    assert!(
        price > 100.0,
        "no probability, and on its way to 750: {price}"
    );
    place.ok(&["train", "run/config.toml", "--out", "again"]);
    assert!(results(&place, "run") == results(&place, "again"));
    place.ok(&[
        "train",
        "c.toml",
        "--folds",
        "2",
        "--out",
        "folds",
        "--set",
        "train.epochs=1",
    ]);
    let text = place.text("folds/predictions.csv");
    let header = "row,fold,id,kind,kind_predicted,kind_large,kind_small,price,price_predicted\n";
    assert!(text.starts_with(header), "{text}");
}

#[test]
fn several_targets_that_do_not_fit_are_named() {
    let place = Place::new();
    place.write("t.csv", table().replace("the price/m2", "price"));
    place.write("c.toml", LAYERS);
    for (set, words) in [
        ("data.target=\"price\"", "kind"),
        (
            "data.target=[\"price\", \"kind\", \"id\"]",
            "`id` is named under `columns` too",
        ),
        ("data.target=[\"price\", \"price\"]", "`price` twice"),
        ("data.target=[\"price\", \"knd\"]", "did you mean `kind`?"),
        ("data.target=[]", "a column's name, or a list of such"),
    ] {
        let message = place.mistake(&["train", "c.toml", "--out", "run", "--set", set]);
        assert!(message.contains(words), "{set}: {message}");
    }
    let recipe = RECIPE.lines().find(|line| line.starts_with("model"));
    let chain = RECIPE.replace(
        recipe.unwrap(),
        "model.layers = [{ type = \"Dense\", units = 1 }]\ntrain.optimizer = \"sgd\"",
    );
    place.write("c.toml", chain.replace("the price/m2", "price"));
    let message = place.mistake(&["train", "c.toml", "--out", "run"]);
    assert!(message.contains("one for a chain of layers"), "{message}");
}
