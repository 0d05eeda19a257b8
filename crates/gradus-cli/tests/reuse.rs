//! `reuse` among a configuration's layers: those of a saved model, with their weights.

mod common;

use common::{Place, cut_short, kill_after, npy, results};
use gradus::prelude::Model;
use std::process::Stdio;

/// Model A: the digits 0 to 7.
const A: &str = r#"
seed = 1
[data]
dataset = "digits"
classes = [0, 1, 2, 3, 4, 5, 6, 7]
validation = { fraction = 0.1 }
[model]
layers = [
  { type = "Flatten" },
  { type = "Normalization" },
  { type = "Dense", units = 16, activation = "elu" },
  { type = "BatchNormalization" },
  { type = "Dense", units = 12, activation = "elu" },
  { type = "Dense", units = 8, activation = "softmax" },
]
[train]
loss = "sparse_categorical_crossentropy"
metrics = ["accuracy"]
optimizer = { type = "Nadam", learning_rate = 0.01 }
epochs = 3
"#;

/// Model B: 8 or 9, on few rows, on the layers of A.
const B: &str = r#"
seed = 2
[data]
dataset = "digits"
classes = [8, 9]
rows = 60
validation = { fraction = 0.3 }
[model]
layers = [
  { reuse = "a/model.keras", drop = 1, trainable = false },
  { type = "Dense", units = 1, activation = "sigmoid" },
]
[train]
loss = "binary_crossentropy"
metrics = ["accuracy"]
optimizer = { type = "Nadam", learning_rate = 0.01 }
epochs = 4
batch_size = 8
"#;

/// A folder with both, and A trained.
fn place() -> Place {
    let place = Place::new();
    place.write("a.toml", A);
    place.write("b.toml", B);
    place.ok(&["train", "a.toml", "--quiet", "--out", "a"]);
    place
}

fn load(place: &Place, run: &str) -> Model {
    Model::load(place.path(run).join("model.keras")).unwrap()
}

#[test]
fn reused_layers_keep_their_weights_and_the_resolved_configuration_repeats_the_run() {
    let place = place();
    let said = place.run(&["train", "b.toml", "--out", "b"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let rows = "rows: 60 to train on, 86 for validation (the last 0.3), 70 for test (the set's own), \
                of the classes 8 as 0, 9 as 1\n";
    assert!(said.err.starts_with(rows), "{}", said.err);
    let reused = "model.keras, flatten to dense_1, 4 of them with frozen weights\n";
    assert!(said.err.contains("reuses 5 layers of "), "{}", said.err);
    assert!(said.err.contains(reused), "{}", said.err);
    let (a, b) = (load(&place, "a"), load(&place, "b"));
    let names = |model: &Model| -> Vec<String> {
        let layers = model.layers.iter();
        layers.map(|layer| layer.name.clone()).collect()
    };
    assert_eq!(names(&a), names(&b));
    let (last, reused) = b.layers.split_last().unwrap();
    for (layer, saved) in reused.iter().zip(&a.layers) {
        assert!(layer.weights == saved.weights, "{}", layer.name);
        assert_eq!(layer.rule, saved.rule);
        assert!(!layer.trainable);
    }
    assert!(last.trainable && last.weights[0].shape == [12, 1]);

    let again = ["train", "b/config.toml", "--quiet", "--out", "again"];
    place.ok(&again);
    assert!(results(&place, "b") == results(&place, "again"));
    let names = "data.classes=[\"8\", \"9\"]";
    place.ok(&[
        "train", "b.toml", "--quiet", "--out", "named", "--set", names,
    ]);
    assert!(results(&place, "b") == results(&place, "named"));
    // The test rows are not those that the set's name alone would give.
    let evaluated = place.ok(&["evaluate", "b", "--data", "test"]);
    assert!(evaluated.starts_with("test: 70 rows"), "{evaluated}");
    for command in [
        &["summary", "b.toml"][..],
        &["check", "b.toml"],
        &["lr-find", "b.toml", "--out", "found"],
        &[
            "train", "b.toml", "--quiet", "--folds", "2", "--out", "folds",
        ],
    ] {
        place.ok(command);
    }
    assert!(load(&place, "folds/fold-2").layers[2].weights == a.layers[2].weights);
}

#[test]
fn layers_that_are_not_frozen_begin_with_their_weights() {
    let place = place();
    let start = ["train", "b.toml", "--quiet", "--out", "b", "--set"];
    let still = [
        &start[..],
        &[
            "train.optimizer.learning_rate=1e-30",
            "--set",
            "model.layers.0.trainable=true",
        ],
    ];
    place.ok(&still.concat());
    let (a, b) = (load(&place, "a"), load(&place, "b"));
    assert!(b.layers.iter().all(|layer| layer.trainable));
    for (layer, saved) in b.layers.iter().zip(&a.layers).take(3) {
        assert!(layer.weights == saved.weights, "{}", layer.name);
    }
    // `until` takes its layer, too; the state of the normalization is the file's, not the rows'.
    let until =
        "model.layers=[{reuse = \"a\", until = \"normalization\"}, {type = \"Dense\", units = 1}]";
    place.ok(&[
        "train", "b.toml", "--quiet", "--out", "until", "--set", until,
    ]);
    let until = load(&place, "until");
    assert_eq!(until.layers.len(), 3);
    assert!(until.layers[1].weights == a.layers[1].weights);
    // Patterns of `trainable` reach them by their names.
    let frozen = "model.trainable={ \"*\" = false, \"dense_2\" = true }";
    place.ok(&[
        "train", "b.toml", "--quiet", "--out", "frozen", "--set", frozen,
    ]);
    let again = ["train", "frozen/config.toml", "--quiet", "--out", "frozen2"];
    place.ok(&again);
    assert!(results(&place, "frozen") == results(&place, "frozen2"));
}

#[test]
fn layers_thaw_gradually_by_their_names() {
    let place = place();
    let thawing = "\n[callbacks]\ngradual_unfreezing = { factor = 0.5, stages = [\n  { epoch = 0, \
                   layers = 1 },\n  { epoch = 2, layers = [\"dense_1\"], learning_rate = 0.001 },\n] }\n";
    place.write(
        "b.toml",
        format!("{B}{thawing}").replace(", trainable = false", ""),
    );
    place.ok(&["train", "b.toml", "--quiet", "--out", "b"]);
    let (a, b) = (load(&place, "a"), load(&place, "b"));
    let same = |n: usize| a.layers[n].weights == b.layers[n].weights;
    assert!(same(2) && !same(4));
    let rates = place.history("b", "learning_rate");
    assert_eq!(rates[3], 0.001);
}

#[test]
fn a_graph_takes_the_same_layers_twice_each_with_weights_of_its_own() {
    let place = place();
    let layers = r#"model.layers=[
        { type = "Input", name = "x" },
        { reuse = "a", until = "dense", inputs = ["x"] },
        { reuse = "a", until = "dense", inputs = ["x"], name = "other", trainable = false },
        { type = "Concatenate", inputs = ["dense", "other"] },
        { type = "Dense", units = 1, activation = "sigmoid" },
    ]"#
    .replace('\n', " ")
    .replace(", ]", "]");
    let train = ["train", "b.toml", "--quiet", "--set", &layers, "--out"];
    place.ok(&[&train[..], &["b"]].concat());
    let b = load(&place, "b");
    let a = load(&place, "a");
    let weights = |name: &str| &b.layer(name).unwrap().weights;
    assert!(weights("other_dense") == &a.layers[2].weights);
    assert!(weights("dense") != &a.layers[2].weights);
    place.ok(&["train", "b/config.toml", "--quiet", "--out", "again"]);
    assert!(results(&place, "b") == results(&place, "again"));

    // In a chain, the second gets Keras' numbers.
    let twice = "model.layers=[{reuse = \"a\", until = \"dense\"}, {type = \"Reshape\", target_shape = \
                 [4, 4, 1]}, {type = \"Resizing\", height = 8, width = 8}, {type = \"Reshape\", \
                 target_shape = [8, 8]}, {reuse = \"a\", until = \"dense\", trainable = false}, \
                 {type = \"Dense\", units = 1, activation = \"sigmoid\"}]";
    place.ok(&["train", "b.toml", "--quiet", "--out", "c", "--set", twice]);
    let c = load(&place, "c");
    let weights = |name: &str| &c.layer(name).unwrap().weights;
    assert!(weights("dense_1") == &a.layers[2].weights);
    assert!(weights("dense") != &a.layers[2].weights);
    assert!(weights("normalization_1") == weights("normalization"));
}

#[test]
fn a_killed_run_goes_on_to_the_same_bits_unless_the_file_has_changed() {
    let place = place();
    let train = ["train", "b.toml", "--set", "model.layers.0.trainable=true"];
    let (epochs, ()) = cut_short(&place, &train, "killed", |command| {
        kill_after(&place, command.stderr(Stdio::null()), "killed", 2)
    });
    let train = [&train[..], &["--set", epochs]].concat();
    place.ok(&[&train[..], &["--quiet", "--out", "whole"]].concat());
    let resume = [&train[..], &["--quiet", "--out", "killed", "--resume"]].concat();
    let file = place.read("a/model.keras");
    place.ok(&["train", "a.toml", "--quiet", "--seed", "9", "--out", "a2"]);
    place.write("a/model.keras", place.read("a2/model.keras"));
    let message = place.mistake(&resume);
    assert!(message.contains("reused model ("), "{message}");
    assert!(
        message.contains("has changed since the run began"),
        "{message}"
    );
    place.write("a/model.keras", file);
    place.ok(&resume);
    assert!(results(&place, "whole") == results(&place, "killed"));
}

#[test]
fn images_of_another_size_are_resized_and_other_shapes_refused() {
    let place = place();
    place.write("x.npy", npy(&[24, 12, 12, 1]));
    place.write("flat.npy", npy(&[24, 60]));
    place.write("colour.npy", npy(&[24, 8, 8, 3]));
    place.write("y.npy", npy(&[24]));
    let config = B.replace(
        "dataset = \"digits\"\nclasses = [8, 9]\nrows = 60",
        "x = \"x.npy\"\ny = \"y.npy\"\nchecks = { one_class = false }",
    );
    place.write("b.toml", &config);
    let said = place.run(&["train", "b.toml", "--out", "b"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let resized = "images of (None, 12, 12, 1) are resized to (None, 8, 8)";
    assert!(said.err.contains(resized), "{}", said.err);
    let b = load(&place, "b");
    let names: Vec<&str> = b.layers.iter().map(|layer| &*layer.name).take(3).collect();
    assert_eq!(names, ["resizing", "reshape", "flatten"]);
    place.ok(&["train", "b/config.toml", "--quiet", "--out", "again"]);
    assert!(results(&place, "b") == results(&place, "again"));
    // The pixels of a built-in set have no axis for channels.
    let digits = "model.layers=[{reuse = \"b\", until = \"dense\"}, {type = \"Dense\", units = 8}]";
    let said = place.run(&["train", "a.toml", "--out", "digits", "--set", digits]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let digits = load(&place, "digits");
    let names: Vec<&str> = digits
        .layers
        .iter()
        .map(|layer| &*layer.name)
        .take(4)
        .collect();
    assert_eq!(names, ["reshape_1", "resizing_1", "resizing", "reshape"]);
    for (file, shape) in [
        ("flat.npy", "(None, 60)"),
        ("colour.npy", "(None, 8, 8, 3)"),
    ] {
        place.write("c.toml", config.replace("x.npy", file));
        let message = place.mistake(&["train", "c.toml", "--out", "c"]);
        let expected = format!(
            "model.layers[0].reuse: found shape {shape}, expected (None, 8, 8), which the layers of "
        );
        assert!(message.contains(&expected), "{message}");
        assert!(
            message.contains("model.keras take: put a layer"),
            "{message}"
        );
    }
}

#[test]
fn mistakes_are_told_with_their_keys() {
    let place = place();
    place.write("text.keras", "no model");
    for (layer, parts) in [
        (
            "reuse = \"a\", drop = 6",
            &["[0].drop", "found 6", "fewer than 6"][..],
        ),
        ("reuse = \"a\", drop = -1", &["[0].drop", "whole number"]),
        (
            "reuse = \"a\", until = \"dens_e_1\"",
            &["[0].until", "did you mean `dense_1`?"],
        ),
        ("reuse = \"a\", until = 3", &["[0].until", "a layer's name"]),
        (
            "reuse = \"a\", until = \"dense\", drop = 1",
            &["model.layers[0]: `drop` and `until` exclude each other"],
        ),
        (
            "reuse = \"b.keras\"",
            &["[0].reuse", "b.keras", "cannot read"],
        ),
        (
            "reuse = \"text.keras\"",
            &["text.keras", "not a .keras file"],
        ),
        ("reuse = \"a.toml\"", &["a.toml", "not a .keras file"]),
        ("reuse = 3", &["[0].reuse", "path of a saved model"]),
        (
            "reuse = \"a\", dropp = 1",
            &["unknown key `dropp`", "did you mean `drop`?"],
        ),
        (
            "reuse = \"a\", trainable = 1",
            &["[0].trainable", "true or false"],
        ),
        ("reuse = \"a\", name = \"a/b\"", &["[0].name"]),
        (
            "reuse = \"a\", layer = \"densse\"",
            &["[0].layer", "did you mean `dense`?"],
        ),
    ] {
        let layers = format!("model.layers=[{{{layer}}}, {{type = \"Dense\", units = 1}}]");
        let message = place.mistake(&["train", "b.toml", "--out", "x", "--set", &layers]);
        for part in parts {
            assert!(message.contains(part), "{layer}: {message}");
        }
    }
    // Behind others, the rows' shape has to be theirs.
    let behind =
        "model.layers=[{type = \"Flatten\"}, {type = \"Dense\", units = 10}, {reuse = \"a\"}]";
    let message = place.mistake(&["train", "b.toml", "--out", "x", "--set", behind]);
    let expected = "model.layers[2].reuse: found shape (None, 10), expected (None, 8, 8)";
    assert!(message.contains(expected), "{message}");
}

#[test]
fn a_file_of_several_inputs_gives_its_layers_one_by_one() {
    let place = place();
    let graph = r#"model.layers=[
        { type = "Input", name = "x", shape = [8, 8] }, { type = "Flatten", inputs = ["x"] },
        { type = "Dense", units = 4, inputs = ["flatten"], name = "left" },
        { type = "Dense", units = 8, inputs = ["flatten"], name = "right", activation = "softmax" }]"#
        .replace('\n', " ");
    let outputs = [
        "--set",
        "model.outputs=[\"left\", \"right\"]",
        "--set",
        "train.loss={right = \"sparse_categorical_crossentropy\"}",
    ];
    let metrics = ["--set", "train.metrics={}", "--set"];
    let train = ["train", "a.toml", "--quiet", "--out", "two"];
    place.ok(&[&train[..], &outputs, &metrics, &[&graph]].concat());
    let all = "model.layers=[{reuse = \"two\"}, {type = \"Dense\", units = 1}]";
    let message = place.mistake(&["train", "b.toml", "--out", "x", "--set", all]);
    assert!(message.contains("1 inputs and 2 outputs"), "{message}");
    assert!(message.contains("`layer = \"NAME\"`"), "{message}");
    let one = "model.layers=[{type = \"Flatten\"}, {reuse = \"two\", layer = \"left\", trainable = false}, \
               {type = \"Dense\", units = 1}]";
    place.ok(&["train", "b.toml", "--quiet", "--out", "one", "--set", one]);
    let (two, one) = (load(&place, "two"), load(&place, "one"));
    assert!(two.layer("left").unwrap().weights == one.layer("left").unwrap().weights);
}

#[test]
fn a_graph_with_one_input_and_one_output_is_reused_as_it_is() {
    let place = place();
    let graph = r#"model.layers=[
        { type = "Input", name = "x", shape = [8, 8] }, { type = "Flatten" },
        { type = "Dense", units = 12, activation = "elu", name = "wide" },
        { type = "Dense", units = 12, activation = "elu", name = "deep" },
        { type = "Add", inputs = ["wide", "deep"], name = "sum" },
        { type = "Dense", units = 8, activation = "softmax", name = "end" }]"#
        .replace('\n', " ");
    place.ok(&[
        "train", "a.toml", "--quiet", "--out", "graph", "--set", &graph,
    ]);
    let layers = "model.layers=[{reuse = \"graph\", drop = 1, trainable = false, name = \"base\"}, \
                  {type = \"Dense\", units = 1, activation = \"sigmoid\"}]";
    place.ok(&["train", "b.toml", "--quiet", "--out", "b", "--set", layers]);
    let (a, b) = (load(&place, "graph"), load(&place, "b"));
    assert!(!b.chain && b.layers.len() == 5);
    for name in ["wide", "deep"] {
        let reused = b.layer(&format!("base_{name}")).unwrap();
        assert!(reused.weights == a.layer(name).unwrap().weights, "{name}");
    }
    place.ok(&["train", "b/config.toml", "--quiet", "--out", "again"]);
    assert!(results(&place, "b") == results(&place, "again"));
    // Without its last two layers it ends in `deep`, which `wide` leads to.
    let two = layers.replace("drop = 1", "drop = 2");
    place.ok(&["train", "b.toml", "--quiet", "--out", "two", "--set", &two]);
    assert_eq!(load(&place, "two").layers.len(), 4);
    let ends = graph.replace(
        "units = 12, activation = \"elu\", name = \"deep\"",
        "units = 12, activation = \"elu\", name = \"deep\", inputs = [\"flatten\"]",
    );
    place.ok(&[
        "train", "a.toml", "--quiet", "--out", "ends", "--set", &ends,
    ]);
    let loose = two.replace("graph", "ends");
    let message = place.mistake(&["train", "b.toml", "--out", "x", "--set", &loose]);
    assert!(message.contains("model.layers[0].drop"), "{message}");
    assert!(message.contains("more than one end; `until"), "{message}");
}

#[test]
fn a_chain_behind_the_columns_of_a_table_reuses_layers_too() {
    let place = Place::new();
    let rows: String = (0..80)
        .map(|i| format!("{},{},{}\n", i % 7, i * i % 11, i % 2))
        .collect();
    place.write("t.csv", format!("p,q,y\n{rows}"));
    let values: Vec<u8> = (0..160_u32)
        .flat_map(|i| ((i * 37 % 64) as f32 / 32.0 - 1.0).to_le_bytes())
        .collect();
    let mut x = npy(&[80, 2]);
    let start = x.len() - values.len();
    x[start..].copy_from_slice(&values);
    place.write("x.npy", x);
    place.write("y.npy", npy(&[80]));
    let layers = |first: &str| {
        format!(
            "[model]\nlayers = [\n  {first},\n  {{ type = \"Dense\", units = 1, activation = \"sigmoid\" }},\n]\n"
        )
    };
    let train = "[train]\nloss = \"binary_crossentropy\"\noptimizer = \"sgd\"\nepochs = 2\n";
    let hidden = layers("{ type = \"Dense\", units = 4, activation = \"elu\" }");
    let arrays = "[data]\nx = \"x.npy\"\ny = \"y.npy\"\nchecks = { one_class = false }\n";
    place.write("a.toml", format!("{arrays}{hidden}{train}"));
    place.ok(&["train", "a.toml", "--quiet", "--out", "a"]);
    let table = "[data]\ntable = \"t.csv\"\ntarget = \"y\"\n";
    let reused = layers("{ reuse = \"a\", drop = 1, trainable = false }");
    place.write("b.toml", format!("{table}{reused}{train}"));
    place.ok(&["train", "b.toml", "--quiet", "--out", "b"]);
    let (a, b) = (load(&place, "a"), load(&place, "b"));
    assert!(a.layers[0].weights == b.layer("dense").unwrap().weights);
    place.ok(&["train", "b/config.toml", "--quiet", "--out", "again"]);
    assert!(results(&place, "b") == results(&place, "again"));
    // Another number of columns.
    let wide: String = rows.lines().map(|row| format!("1{row},{row}\n")).collect();
    place.write("t.csv", format!("p,q,y,r,s,t\n{wide}"));
    let message = place.mistake(&["train", "b.toml", "--out", "x"]);
    assert!(message.contains("dense.kernel, of "), "{message}");
    assert!(
        message.contains("model.keras: found shape [2, 4]"),
        "{message}"
    );
}

#[test]
fn frozen_layers_are_not_pretrained_and_others_are() {
    let place = place();
    let sets = [
        "--set",
        "pretrain={type = \"autoencoder\", epochs = 1}",
        "--quiet",
        "--out",
    ];
    let train = [&["train", "b.toml"], &sets[..]].concat();
    let message = place.mistake(&[&train[..], &["x"]].concat());
    assert!(message.contains("pretrain: it would train"), "{message}");
    assert!(message.contains("`dense` of "), "{message}");
    let thawed = ["y", "--set", "model.layers.0.trainable=true"];
    place.ok(&[&train[..], &thawed].concat());
}

#[test]
fn a_run_folder_is_a_model_to_start_from_and_to_resume() {
    let place = place();
    let config = A.replace(
        &A[A.find("layers").unwrap()..A.find("[train]").unwrap()],
        "file = \"a\"\n",
    );
    place.write("c.toml", config);
    place.ok(&["train", "c.toml", "--quiet", "--out", "c"]);
    let more = ["--resume", "--set", "train.epochs=4"];
    place.ok(&[&["train", "c.toml", "--quiet", "--out", "c"], &more[..]].concat());
    assert_eq!(place.history("c", "loss").len(), 4);
}
