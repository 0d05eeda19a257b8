//! Whole configurations, good ones and broken ones.

use super::super::document::EXAMPLES;
use super::{read, validator};
use crate::experiment::config::from_toml;
use crate::experiment::reference::schema;
use std::fs;
use std::path::Path;

/// The configurations of the project: recipes, the cases that are compared with Keras, a benchmark's.
fn configurations() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = Vec::new();
    for folder in ["recipes", "recipes/book", "crates/gradus/recipes"] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            found.push(entry.unwrap().path());
        }
    }
    for entry in fs::read_dir(root.join("crates/gradus/tests/golden/cases")).unwrap() {
        found.push(entry.unwrap().path().join("case.toml"));
    }
    found.push(root.join("bench/housing/housing.toml"));
    let is_config =
        |path: &std::path::PathBuf| path.extension().is_some_and(|ending| ending == "toml");
    found.retain(|path| is_config(path) && path.is_file());
    let text = |path: std::path::PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        (path.display().to_string(), text)
    };
    found.into_iter().map(text).collect()
}

#[test]
fn the_schema_is_one_of_draft_2020_12() {
    let schema = schema();
    assert!(jsonschema::meta::is_valid(&schema));
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    assert!(schema["$id"].is_string() && schema["title"].is_string());
}

#[test]
fn good_configurations_are_valid() {
    let validator = validator(&schema(), "");
    let mut all = configurations();
    let examples = EXAMPLES
        .iter()
        .map(|(title, text)| ((*title).to_owned(), (*text).to_owned()));
    all.extend(examples);
    let mut good = 0;
    for (name, text) in all {
        let config = from_toml(&text).unwrap();
        // A program adds losses and metrics of its own, which no configuration has; a model to reuse
        // is opened later.
        if let Err(error) = read(&config)
            && !text.contains("{ reuse = ")
        {
            assert!(!validator.is_valid(&config), "{name}: {error}");
            continue;
        }
        good += 1;
        let wrong: Vec<String> = validator
            .iter_errors(&config)
            .map(|e| format!("{}: {e}", e.instance_path()))
            .collect();
        assert!(wrong.is_empty(), "{name}: {wrong:?}");
    }
    assert!(good > 150, "{good}");
}

/// The texts between `r#"` and `"#` in the project's tests that are configurations.
fn configurations_in_tests() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    for folder in [
        "gradus/tests",
        "gradus-cli/tests",
        "gradus-cli/tests/common",
    ] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "rs") {
                let code = fs::read_to_string(path).unwrap();
                let texts = code
                    .split("r#\"")
                    .skip(1)
                    .filter_map(|rest| rest.split("\"#").next());
                found.extend(texts.map(str::to_owned));
            }
        }
    }
    found.retain(|text| from_toml(text).is_ok_and(|config| read(&config).is_ok()));
    found
}

#[test]
fn the_configurations_in_tests_are_valid() {
    let validator = validator(&schema(), "");
    let all = configurations_in_tests();
    assert!(all.len() > 10, "{}", all.len());
    for text in all {
        let config = from_toml(&text).unwrap();
        let wrong: Vec<String> = validator
            .iter_errors(&config)
            .map(|e| e.to_string())
            .collect();
        assert!(wrong.is_empty(), "{text}: {wrong:?}");
    }
}

/// Ways to write things, each behind the data and a recipe.
const WAYS: [&str; 21] = [
    "train.optimizer = { momentum = 0.5 }",
    "train.optimizer = { clipnorm = 1.0, learning_rate = 0.1 }",
    "train.optimizer = { type = \"nadam\", learning_rate = \"auto\" }",
    "train.schedule = { max_rate = 0.1 }",
    "train = { learning_rate = \"auto\", schedule = \"OneCycle\" }",
    "train = { learning_rate = { type = \"CosineDecay\", initial_learning_rate = 0.1, decay_steps = 10 } }",
    "train.loss = { price = \"mse\", kind = { type = \"huber\", delta = 2.0 } }",
    "train.loss = { type = \"mse\", reduction = \"sum\" }",
    "train.metrics = { price = [\"mae\"], kind = [] }",
    "train.metrics = [{ type = \"AUC\", curve = \"pr\", name = \"area\" }]",
    "train.loss_weights = { price = 1, kind = 0.5 }",
    "train.class_weight = { 0 = 1.0, cat = 2 }",
    "train.shuffle = false",
    "callbacks.early_stopping = false",
    "callbacks.terminate_on_nan = { raise_error = true }",
    "callbacks.gradual_unfreezing = { stages = [{ epoch = 1, layers = [\"dense*\"] }] }",
    "callbacks.model_checkpoint = { filepath = \"a.keras\", save_freq = 10 }",
    "data.checks = false",
    "data.validation = { first = 5 }",
    "pretrain = { kind = \"masked_features\", rate = 0.2 }",
    "pretrain = { type = \"siamese\", augment = [\"RandomFlip\"] }",
];

#[test]
fn every_way_to_write_a_thing_is_valid() {
    let validator = validator(&schema(), "");
    for way in WAYS {
        let text = format!("data.dataset = \"digits\"\nmodel.recipe = \"default\"\n{way}\n");
        let config = from_toml(&text).unwrap();
        read(&config).unwrap_or_else(|error| panic!("{way}: {error}"));
        let wrong: Vec<String> = validator
            .iter_errors(&config)
            .map(|e| e.to_string())
            .collect();
        assert!(wrong.is_empty(), "{way}: {wrong:?}");
    }
}

/// A good configuration, and what is put in place of a part of it to break it.
const GOOD: &str = r#"
seed = 1
[data]
dataset = "digits"
validation = { fraction = 0.1, shuffle = true }
[model]
layers = [
  { type = "Flatten" },
  { type = "Dense", units = 8, activation = "elu", kernel_regularizer = { type = "l2", l2 = 0.1 } },
  { type = "Dense", units = 10, activation = "softmax" },
]
[train]
loss = "sparse_categorical_crossentropy"
metrics = ["accuracy"]
epochs = 2
optimizer = { type = "SGD", learning_rate = 0.1, momentum = 0.9 }
[callbacks]
early_stopping = { patience = 3 }
[checkpoint]
every = "5m"
"#;

const BROKEN: [(&str, &str); 30] = [
    ("seed = 1", "sead = 1"),
    ("seed = 1", "seed = -1"),
    ("seed = 1", "seed = 1.5"),
    ("[data]", "[dato]"),
    ("dataset", "data_set"),
    ("dataset = \"digits\"", "dataset = 3"),
    ("fraction = 0.1", "fractoin = 0.1"),
    ("fraction = 0.1", "fraction = \"a tenth\""),
    ("shuffle = true", "shuffle = \"yes\""),
    ("[model]\nlayers", "[model]\nlayer"),
    ("type = \"Flatten\"", "type = \"Flaten\""),
    ("type = \"Flatten\"", "typ = \"Flatten\""),
    ("units = 8", "unit = 8"),
    ("units = 8", "units = \"8\""),
    ("units = 8, ", ""),
    ("\"elu\"", "\"eluu\""),
    ("l2 = 0.1", "l3 = 0.1"),
    ("type = \"l2\"", "type = \"l3\""),
    ("sparse_categorical", "sparse_categorial"),
    ("[\"accuracy\"]", "\"accuracy\""),
    ("[\"accuracy\"]", "[\"acuracy\"]"),
    ("epochs = 2", "epoch = 2"),
    ("epochs = 2", "epochs = 0"),
    ("epochs = 2", "epochs = 2.5"),
    ("momentum = 0.9", "momentun = 0.9"),
    ("type = \"SGD\"", "type = \"SDG\""),
    ("patience = 3", "patients = 3"),
    ("early_stopping = { patience = 3 }", "early_stopping = true"),
    ("every = \"5m\"", "evry = \"5m\""),
    ("every = \"5m\"", "every = \"often\""),
];

#[test]
fn broken_configurations_are_refused_by_schema_and_reader() {
    let validator = validator(&schema(), "");
    let good = from_toml(GOOD).unwrap();
    assert!(validator.is_valid(&good));
    read(&good).unwrap();
    for (right, wrong) in BROKEN {
        assert!(GOOD.contains(right), "{right}");
        let config = from_toml(&GOOD.replacen(right, wrong, 1)).unwrap();
        assert!(!validator.is_valid(&config), "the schema takes {wrong}");
        assert!(read(&config).is_err(), "the reader takes {wrong}");
    }
}

#[test]
fn a_misspelled_key_is_named_by_a_validator() {
    let validator = validator(&schema(), "");
    for (right, wrong, at) in [
        ("units = 8", "unit = 8", "/model/layers/1"),
        ("momentum = 0.9", "momentun = 0.9", "/train/optimizer"),
        ("l2 = 0.1", "l3 = 0.1", "/model/layers/1/kernel_regularizer"),
        ("patience = 3", "patients = 3", "/callbacks/early_stopping"),
        ("epochs = 2", "epoch = 2", "/train"),
    ] {
        let config = from_toml(&GOOD.replacen(right, wrong, 1)).unwrap();
        let key = wrong.split(' ').next().unwrap();
        let errors = validator.iter_errors(&config);
        let named = errors.filter(|e| e.to_string().contains(&format!("'{key}'")));
        let places: Vec<String> = named.map(|e| e.instance_path().to_string()).collect();
        assert!(
            places.iter().any(|place| place == at),
            "{wrong}: {places:?}"
        );
    }
}
