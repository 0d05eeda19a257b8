//! Functional models in configurations.

mod common;

use common::{Place, npy, results};

const GRAPH: &str = r#"
[data]
x = { right = "right.npy", left = "left.npy" }
y = { size = "size.npy", kind = "kind.npy" }
validation = { first = 8 }

[model]
layers = [
  { type = "Input", name = "left", shape = [5] },
  { type = "Input", name = "right" },
  { type = "Flatten" },
  { type = "Dense", units = 5, activation = "tanh" },
  { type = "Dense", name = "shared", units = 6, activation = "elu" },
  { use = "shared", inputs = ["left"] },
  { type = "Add", inputs = ["shared", "shared:1"] },
  { type = "BatchNormalization", name = "norm" },
  { type = "Dropout", rate = 0.1 },
  { type = "Concatenate", inputs = ["dropout", "left"] },
  { type = "Dense", name = "kind", units = 3, activation = "softmax" },
  { type = "Dense", name = "size", units = 2, inputs = ["norm"], trainable = false },
]
outputs = ["kind", "size"]

[train]
loss = { kind = "sparse_categorical_crossentropy", size = { type = "Huber", delta = 0.5 } }
loss_weights = { size = 0.3 }
metrics = { kind = ["accuracy"], size = ["mae"] }
epochs = 3
batch_size = 16
optimizer = "adam"
"#;

fn place() -> Place {
    let place = Place::new();
    place.write("left.npy", npy(&[40, 5]));
    place.write("right.npy", npy(&[40, 2, 3]));
    place.write("kind.npy", npy(&[40]));
    place.write("size.npy", npy(&[40, 2]));
    place.write("graph.toml", GRAPH);
    place
}

#[test]
fn a_graph_of_two_inputs_and_outputs_is_trained_and_asked() {
    let place = place();
    place.ok(&["train", "graph.toml", "--out", "run", "--quiet"]);
    let history = place.text("run/history.csv");
    let header = "epoch,loss,kind_loss,size_loss,kind_accuracy,size_mae,val_loss,val_kind_loss,\
                  val_size_loss,val_kind_accuracy,val_size_mae,learning_rate,seconds";
    assert_eq!(history.lines().next(), Some(header));

    // The resolved configuration repeats the run.
    place.ok(&["train", "run/config.toml", "--out", "again", "--quiet"]);
    assert_eq!(results(&place, "run"), results(&place, "again"));

    let table = place.ok(&["summary", "run/model.keras"]);
    for row in [
        "Connected to",
        "right (InputLayer)",
        "dense[0][0], left[0][0]",
        "shared[0][0], shared[1][0]",
        "size (Dense) [frozen]",
    ] {
        assert!(table.contains(row), "{row}\nis not in\n{table}");
    }
    assert_eq!(table, place.ok(&["summary", "run/config.toml"]));

    let arguments = ["run/model.keras", "--data", "graph.toml"];
    let said = place.ok(&[
        "evaluate",
        arguments[0],
        arguments[1],
        arguments[2],
        "--json",
    ]);
    for name in ["\"loss\"", "\"kind_loss\"", "\"size_mae\""] {
        assert!(said.contains(name), "{said}");
    }
    let predict = [
        "predict",
        arguments[0],
        arguments[1],
        arguments[2],
        "--out",
        "p.csv",
    ];
    place.ok(&predict);
    assert_eq!(
        place
            .text("p_kind.csv")
            .lines()
            .next()
            .unwrap()
            .split(',')
            .count(),
        3
    );
    assert_eq!(
        place
            .text("p_size.csv")
            .lines()
            .next()
            .unwrap()
            .split(',')
            .count(),
        2
    );
}

#[test]
fn mistakes_in_a_graph_are_named() {
    let place = place();
    let mistake = |from: &str, to: &str, part: &str| {
        assert!(GRAPH.contains(from));
        place.write("wrong.toml", GRAPH.replace(from, to));
        let said = place.mistake(&["train", "wrong.toml", "--out", "wrong"]);
        assert!(said.contains(part), "{part}\nis not in\n{said}");
    };
    mistake(
        "[\"shared\", \"shared:1\"]",
        "[\"shared\", \"sharde:1\"]",
        "unknown layer before it `sharde:1`; did you mean `shared:1`?",
    );
    mistake(
        "outputs = [\"kind\", \"size\"]",
        "outputs = [\"kind\"]",
        "layer size: leads to no output",
    );
    mistake(
        "outputs = [\"kind\", \"size\"]",
        "outputs = [\"kind\", \"siz\"]",
        "did you mean `size`?",
    );
    mistake(
        "use = \"shared\"",
        "use = \"shard\"",
        "did you mean `shared`?",
    );
    mistake(
        "name = \"size\"",
        "name = \"kind\"",
        "a name that no other layer has",
    );
    mistake(
        "shape = [5]",
        "shape = [4]",
        "found shape (None, 5), expected (None, 4)",
    );
    mistake("shape = [5]", "shape = [0]", "a row's sizes");
    mistake(
        "shape = [5]",
        "shap = [5]",
        "unknown key `shap`; did you mean `shape`?",
    );
    mistake("{ right = ", "{ wrong = ", "unknown input `wrong`");
    mistake(
        "y = { size",
        "y = { sise",
        "unknown target `sise`; did you mean `size`?",
    );
    mistake(
        "{ size = 0.3 }",
        "{ seize = 0.3 }",
        "train.loss_weights: unknown output `seize`",
    );
    mistake(
        "metrics = { kind = [\"accuracy\"], size = [\"mae\"] }",
        "metrics = [\"mae\"]",
        "say which output each belongs to",
    );
    mistake(
        "inputs = [\"dropout\", \"left\"]",
        "inputs = []",
        "a list of layers' names",
    );
    mistake(
        "units = 5",
        "units = 5, input = [\"left\"]",
        "unknown key `input`; write `inputs = ",
    );
    mistake(
        "type = \"Add\", inputs = [\"shared\", \"shared:1\"]",
        "type = \"Add\", inputs = [\"shared\", \"dense\"]",
        "layer add (of shared, dense): found shape (None, 5), expected one that fits",
    );
}
