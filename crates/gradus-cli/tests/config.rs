//! Tests of the configuration file: every key misspelled in turn, and contradictions.

mod common;

use common::{Place, SMALL};
use toml::{Table, Value};

/// The callbacks that the small configuration does not have.
const MORE: &str = r#"
terminate_on_nan = { raise_error = true }
csv_logger = { filename = "log.csv", separator = ";", append = true }
model_checkpoint = { filepath = "m.keras", monitor = "val_loss", save_best_only = true, save_weights_only = false, mode = "min", save_freq = "epoch", initial_value_threshold = 9.0 }
"#;

/// A path in a configuration.
type Path = Vec<Step>;

#[derive(Clone)]
enum Step {
    Key(String),
    Item(usize),
}

/// The path of every key.
fn keys(value: &Value, at: &Path, found: &mut Vec<Path>) {
    let mut below = |step: Step, value: &Value, is_key: bool| {
        let path: Path = at.iter().cloned().chain([step]).collect();
        if is_key {
            found.push(path.clone());
        }
        keys(value, &path, found);
    };
    match value {
        Value::Table(table) => {
            for (key, value) in table {
                below(Step::Key(key.clone()), value, true);
            }
        }
        Value::Array(items) => {
            for (i, value) in items.iter().enumerate() {
                below(Step::Item(i), value, false);
            }
        }
        _ => {}
    }
}

fn table_at<'a>(value: &'a mut Value, path: &[Step]) -> &'a mut Table {
    let mut place = value;
    for step in path {
        place = match step {
            Step::Key(key) => &mut place[key.as_str()],
            Step::Item(i) => &mut place[*i],
        };
    }
    place.as_table_mut().unwrap()
}

fn text_of(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) if text.is_empty() => text += key,
            Step::Key(key) => text += &format!(".{key}"),
            Step::Item(i) => text += &format!("[{i}]"),
        }
    }
    text
}

#[test]
fn every_misspelled_key_is_named_with_the_right_one() {
    let place = Place::new();
    let config = Value::Table(toml::from_str(&format!("{SMALL}{MORE}")).unwrap());
    let mut all = Vec::new();
    keys(&config, &Vec::new(), &mut all);
    assert!(all.len() > 45, "{}", all.len());
    for path in &all {
        let Some((Step::Key(key), parent)) = path.split_last() else {
            unreachable!()
        };
        // A letter missing, as in `learning_rat`, and two in the wrong order.
        let mut swapped: Vec<char> = key.chars().collect();
        swapped.swap(0, 1);
        for wrong in [
            key[..key.len() - 1].to_owned(),
            swapped.into_iter().collect(),
        ] {
            if wrong.is_empty() || wrong == *key {
                continue;
            }
            let mut misspelled = config.clone();
            let table = table_at(&mut misspelled, parent);
            let renamed = table.iter().map(|(k, v)| match k == key {
                true => (wrong.clone(), v.clone()),
                false => (k.clone(), v.clone()),
            });
            *table = renamed.collect();
            place.write("config.toml", toml::to_string(&misspelled).unwrap());
            let message = place.mistake(&["train", "config.toml"]);
            let parent = text_of(parent);
            let place_of = match parent.is_empty() {
                true => "config.toml: unknown".to_owned(),
                false => format!("config.toml: {parent}: unknown"),
            };
            assert!(message.contains(&place_of), "{wrong}: {message}");
            assert!(
                message.contains(&format!("`{wrong}`")),
                "{wrong}: {message}"
            );
            let hint = format!("did you mean `{key}`?");
            assert!(message.contains(&hint), "{parent} {wrong}: {message}");
            assert_eq!(message.lines().count(), 1, "{message}");
        }
    }
    assert_eq!(place.names(""), ["config.toml"]);
}

/// Configurations that differ from the small one in a line, with words of the expected message.
#[test]
fn mistakes_are_named() {
    let place = Place::new();
    let cases: &[(&str, &str, &[&str])] = &[
        ("seed = 7", "seed = -7", &["seed: found -7"]),
        ("seed = 7", "seed = = 7", &["line 2"]),
        ("epochs = 4", "epochs = 0", &["train.epochs: found 0"]),
        (
            "epochs = 4",
            "epochs = 4\ninitial_epoch = 4",
            &["train.epochs", "train.initial_epoch"],
        ),
        (
            "batch_size = 64",
            "batch_size = 6.4",
            &["train.batch_size: found 6.4"],
        ),
        (
            "shuffle = true",
            "shuffle = \"yes\"",
            &["train.shuffle", "true or false"],
        ),
        (
            "\"elu\"",
            "\"ellu\"",
            &["model.layers[1].activation", "did you mean `elu`?"],
        ),
        (
            "\"Nadam\"",
            "\"Nadamm\"",
            &["train.optimizer", "did you mean `nadam`?"],
        ),
        (
            "units = 10",
            "units = 0",
            &["model.layers[4].units: found 0"],
        ),
        (
            "rate = 0.01,",
            "rate = 0.01, clipvalue = 1.0,",
            &["train.optimizer", "clipvalue"],
        ),
        (
            "rate = 0.01,",
            "rate = inf,",
            &["train.optimizer.learning_rate: found inf"],
        ),
        (
            "shuffle = true",
            "learning_rate = 0.1",
            &["train.learning_rate", "train.optimizer.learning_rate"],
        ),
        (
            "shuffle = true",
            "precision = \"bfloat16\"",
            &["train.precision", "bfloat16", "mixed_bfloat16"],
        ),
        (
            "shuffle = true",
            "schedule = { type = \"OneCycle\", max_rate = 0.05 }",
            &["train.schedule", "callbacks.reduce_lr_on_plateau"],
        ),
        (
            "rate = 0.01,",
            "rate = { type = \"ExponentialDecay\", initial_learning_rate = 0.1, decay_steps = 9, decay_rate = 0.5 },",
            &[
                "train.optimizer.learning_rate",
                "callbacks.reduce_lr_on_plateau",
            ],
        ),
        (
            "rate = 0.01,",
            "rate = { type = \"OneCycle\", max_rate = 0.1 },",
            &["train.optimizer.learning_rate", "train.schedule"],
        ),
        (
            "trainable =",
            "file = \"a.keras\"\ntrainable =",
            &["model.file", "model.layers"],
        ),
        (
            "trainable =",
            "hidden = [1]\ntrainable =",
            &["model.hidden", "model.recipe"],
        ),
        (
            "{ \"hidden\" = true }",
            "{ \"hiden\" = true }",
            &["model.trainable", "did you mean `hidden`?"],
        ),
        (
            "dataset = \"digits\"",
            "dataset = \"digit\"",
            &["did you mean `digits`?"],
        ),
        (
            "dataset = \"digits\"",
            "dataset = \"digits\"\nx = \"x.npy\"",
            &["data", "dataset", "x"],
        ),
        ("first = 200", "first = 2000", &["data.validation", "2000"]),
        (
            "monitor = \"val_loss\"",
            "monitor = \"val_los\"",
            &[
                "callbacks.early_stopping.monitor",
                "did you mean `val_loss`?",
            ],
        ),
        (
            "validation =",
            "# validation =",
            &["val_loss", "data.validation"],
        ),
        (
            "factor = 0.5",
            "factor = 1.5",
            &["callbacks.reduce_lr_on_plateau.factor"],
        ),
        (
            "[callbacks]",
            "[callbacks]\nmodel_checkpoint = { filepath = \"{epoch:02d}-{val_los}.keras\" }",
            &[
                "callbacks.model_checkpoint.filepath",
                "did you mean `val_loss`?",
            ],
        ),
        (
            "[callbacks]",
            "[callbacks]\nmodel_checkpoint = { filepath = \"{epoch:02q}.keras\" }",
            &["callbacks.model_checkpoint.filepath", "{epoch:02q}"],
        ),
        (
            "[callbacks]",
            "[callbacks]\nmodel_checkpoint = { filepath = \"best.h5\" }",
            &["callbacks.model_checkpoint.filepath", "best.h5", ".keras"],
        ),
        (
            "[callbacks]",
            "[callbacks]\nmodel_checkpoint = { filepath = \"a.keras\", save_weights_only = true }",
            &["callbacks.model_checkpoint.filepath", "ends in .weights.h5"],
        ),
        (
            "[callbacks]",
            "[callbacks]\nmodel_checkpoint = { filepath = \"a.keras\", save_freq = \"batch\" }",
            &["callbacks.model_checkpoint.save_freq", "\"epoch\""],
        ),
        (
            "[callbacks]",
            "[callbacks]\nmodel_checkpoint = { save_best_only = true }",
            &["callbacks.model_checkpoint", "`filepath`"],
        ),
        (
            "[callbacks]",
            "[callbacks]\nmodel_checkpoint = { filepath = \"a.keras\", save_best_only = true, monitor = \"val_acc\" }",
            &["callbacks.model_checkpoint.monitor", "val_acc"],
        ),
        (
            "[callbacks]",
            "[callbacks]\ncsv_logger = { filename = \"log.csv\", separator = \"--\" }",
            &["callbacks.csv_logger.separator", "one character"],
        ),
        (
            "[callbacks]",
            "[callbacks]\nterminate_on_nan = 3",
            &["callbacks.terminate_on_nan: found 3"],
        ),
        (
            "[callbacks]",
            "[pretrain]\n[callbacks]",
            &["pretrain.type", "autoencoder"],
        ),
        (
            "loss = \"sparse",
            "# loss = \"sparse",
            &["train.loss", "missing"],
        ),
        (
            "\"sparse_categorical_crossentropy\"",
            "{ type = \"SparseCategoricalCrossentropy\", reduction = \"none\" }",
            &["train.loss.reduction", "`sum`"],
        ),
        (
            "weighted_metrics = [\"accuracy\"]",
            "weighted_metrics = [\"acuracy\"]",
            &["train.weighted_metrics[0]", "did you mean `accuracy`?"],
        ),
        (
            "optimizer = {",
            "# optimizer = {",
            &["train.optimizer", "missing"],
        ),
        (
            "name = \"again\"",
            "name = \"accuracy\"",
            &["train.metrics[1]", "accuracy"],
        ),
    ];
    for (before, after, expected) in cases {
        let config = SMALL.replacen(before, after, 1);
        assert_ne!(config, SMALL, "{before}");
        place.write("c.toml", config);
        let message = place.mistake(&["train", "c.toml"]);
        assert!(message.starts_with("error: c.toml"), "{after}: {message}");
        for part in *expected {
            assert!(message.contains(part), "{after}: {message}");
        }
    }
    assert_eq!(place.names(""), ["c.toml"]);
}

#[test]
fn an_override_is_named_as_one() {
    let place = Place::new();
    let said = |set: &str| place.mistake(&["train", "--set", set]);
    let message = said("train.epoch=3");
    assert!(
        message.contains("--set train.epoch: train: unknown key `epoch`; did you mean `epochs`?")
    );
    assert!(said("train.epochs=many").contains("--set train.epochs: train.epochs: found \"many\""));
    assert!(said("train.epochs={").contains("--set train.epochs"));
    assert!(said("nonsense").contains("KEY=VALUE"));
    assert!(place.names("").is_empty());
}

#[test]
fn a_recipe_finds_out_what_the_data_asks_for() {
    let place = Place::new();
    place.write("x.npy", common::npy(&[40, 3]));
    place.write("y.npy", common::npy(&[40]));
    place.write(
        "c.toml",
        "[data]\nx = \"x.npy\"\ny = \"y.npy\"\n\
         [model]\nrecipe = \"self-normalizing\"\nhidden = [4, 4]\n[train]\nepochs = 1\n",
    );
    place.ok(&["train", "c.toml", "--quiet", "--out", "run"]);
    let config = place.text("run/config.toml");
    for part in [
        "mean_squared_error",
        "\"selu\"",
        "\"lecun_normal\"",
        "\"Normalization\"",
        "OneCycle",
    ] {
        assert!(config.contains(part), "{config}");
    }
    // Its paths are absolute: it can be run from anywhere.
    let elsewhere = Place::new();
    let path = place.path("run/config.toml");
    elsewhere.ok(&["train", path.to_str().unwrap(), "--quiet"]);
}

#[test]
fn the_self_normalizing_recipe_learns_the_digits() {
    let place = Place::new();
    let model = "model={ recipe = \"self-normalizing\", hidden = [300, 100] }";
    let train = [
        "train",
        "--quiet",
        "--set",
        model,
        "--set",
        "train.epochs=15",
    ];
    let out = place.ok(&[&train[..], &["--out", "run"]].concat());
    let test = out.lines().find(|line| line.starts_with("test ")).unwrap();
    let accuracy = test
        .split_whitespace()
        .skip_while(|w| *w != "accuracy")
        .nth(1);
    assert!(accuracy.unwrap().parse::<f64>().unwrap() > 0.95, "{out}");
    let json = [
        "evaluate",
        "run/model.keras",
        "--data",
        "digits:test",
        "--json",
    ];
    // The inputs are standardized within the model, which takes plain data.
    let found: serde_json::Value = serde_json::from_str(&place.ok(&json)).unwrap();
    assert_eq!(
        format!("{:.4}", found["accuracy"].as_f64().unwrap()),
        accuracy.unwrap()
    );
    place.ok(&["train", "run/config.toml", "--quiet", "--out", "again"]);
    assert!(common::results(&place, "run") == common::results(&place, "again"));
}
