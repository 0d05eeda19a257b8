//! Values of wrong types, for every argument of every member of every family and every key of a
//! configuration: the error says what would be right, in no words of Rust's or serde's.

use gradus::experiment::{Experiment, Value};
use gradus::prelude::*;
use gradus::rules::constraints::Constraint;
use gradus::rules::optimizers::{Method, Optimizer};
use gradus::rules::regularizers::Regularizer;
use gradus::rules::schedules::Schedule;
use serde_json::json;

/// Words that nobody who writes a configuration knows.
const BANNED: [&str; 14] = [
    "usize",
    "u64",
    "u32",
    "f32",
    "f64",
    "i64",
    "struct",
    "variant",
    "invalid type",
    "invalid value",
    "missing field",
    "sequence",
    "a boolean",
    "untagged",
];

fn wrong() -> [Value; 6] {
    [
        json!("x"),
        json!(["a"]),
        json!(-1),
        json!(1.5),
        json!(true),
        json!({ "a": 1 }),
    ]
}

/// The message, if there is an error; it names one of the keys and none of the banned words.
fn message(what: &str, keys: &[&str], result: Result<(), gradus::Error>) -> Option<String> {
    let text = result.err()?.to_string();
    for word in BANNED {
        assert!(!text.contains(word), "{what}: {text}");
    }
    let named = keys.iter().any(|key| text.contains(key));
    assert!(named, "{what}: {text}");
    Some(text)
}

/// Gives each argument of each member each wrong value; the number of refusals.
fn refused(
    classes: impl Iterator<Item = (&'static str, Vec<&'static str>)>,
    read: impl Fn(&Value) -> Result<(), gradus::Error>,
) -> usize {
    let mut count = 0;
    for (class, keys) in classes {
        for key in &keys {
            let mut refusals = 0;
            for value in wrong() {
                let config = json!({ "type": class, *key: value });
                let what = config.to_string();
                refusals += usize::from(message(&what, &keys, read(&config)).is_some());
            }
            // No argument takes all of them.
            assert!(refusals > 0, "{class}.{key}");
            count += refusals;
        }
    }
    count
}

macro_rules! family {
    ($family:ident) => {{
        let members = $family::MEMBERS.iter();
        let classes = members.map(|m| (m.class, (m.fields)().to_vec()));
        let read = |config: &Value| $family::from_config("", config).map(drop);
        // A required argument is missing beside most.
        refused(classes, read)
    }};
}

#[test]
fn every_argument_of_every_member_says_what_would_be_right() {
    assert!(family!(Layer) > 500);
    assert!(family!(Activation) > 20);
    assert!(family!(Initializer) > 50);
    assert!(family!(Loss) > 20);
    assert!(family!(Metric) > 50);
    assert!(family!(Regularizer) > 20);
    assert!(family!(Constraint) > 10);
    assert!(family!(Schedule) > 100);
    let members = Method::MEMBERS.iter();
    let common = [
        "name",
        "learning_rate",
        "weight_decay",
        "clipnorm",
        "global_clipnorm",
        "clipvalue",
        "use_ema",
        "ema_momentum",
        "ema_overwrite_frequency",
        "loss_scale_factor",
        "gradient_accumulation_steps",
        "exclude_from_weight_decay",
        "layer_rates",
    ];
    let classes = members.map(|m| (m.class, [(m.fields)(), &common].concat()));
    assert!(
        refused(classes, |config| Optimizer::from_config("", config)
            .map(drop))
            > 500
    );
}

#[test]
fn every_key_of_a_configuration_says_what_would_be_right() {
    let good = json!({
        "data": { "dataset": "digits" },
        "model": { "layers": [{ "type": "Dense", "units": 1 }] },
        "train": { "loss": "mse", "optimizer": "sgd" },
        "callbacks": {},
    });
    let keys: [(&str, &[&str]); 12] = [
        (
            "callbacks/model_checkpoint",
            &[
                "filepath",
                "monitor",
                "save_best_only",
                "mode",
                "save_freq",
                "initial_value_threshold",
                "save_weights_only",
            ],
        ),
        ("callbacks/csv_logger", &["filename", "separator", "append"]),
        ("callbacks/gradual_unfreezing", &["stages", "factor"]),
        (
            "data/validation",
            &[
                "first", "fraction", "fold", "folds", "shuffle", "stratify", "group", "time", "x",
                "y", "table", "images",
            ],
        ),
        (
            "pretrain",
            &[
                "type",
                "until",
                "epochs",
                "batch_size",
                "optimizer",
                "loss",
                "noise",
                "dropout",
                "sparsity",
                "greedy",
                "tied",
                "augment",
                "rate",
                "triplets",
                "margin",
            ],
        ),
        (
            "",
            &[
                "seed",
                "data",
                "model",
                "train",
                "callbacks",
                "pretrain",
                "checkpoint",
            ],
        ),
        (
            "data",
            &[
                "dataset",
                "x",
                "y",
                "table",
                "target",
                "validation",
                "test",
                "scale",
                "memory",
                "checks",
                "columns",
            ],
        ),
        (
            "model",
            &["file", "layers", "recipe", "hidden", "outputs", "trainable"],
        ),
        (
            "train",
            &[
                "loss",
                "loss_weights",
                "metrics",
                "epochs",
                "initial_epoch",
                "batch_size",
                "shuffle",
                "optimizer",
                "learning_rate",
                "schedule",
                "class_weight",
                "mixup",
                "precision",
                "on_nan",
            ],
        ),
        (
            "callbacks/early_stopping",
            &[
                "monitor",
                "min_delta",
                "patience",
                "mode",
                "baseline",
                "restore_best_weights",
                "start_from_epoch",
            ],
        ),
        (
            "callbacks/reduce_lr_on_plateau",
            &[
                "monitor",
                "factor",
                "patience",
                "mode",
                "min_delta",
                "cooldown",
                "min_lr",
            ],
        ),
        ("checkpoint", &["every", "keep"]),
    ];
    let mut count = 0;
    for (table, keys) in keys {
        for key in keys {
            for value in wrong() {
                let mut config = good.clone();
                let mut place = &mut config;
                for part in table.split('/').filter(|part| !part.is_empty()) {
                    if place[part].is_null() {
                        place[part] = json!({});
                    }
                    place = &mut place[part];
                }
                place[*key] = value;
                let what = config.to_string();
                let read = Experiment::from_value(config).check(|_| Ok(()));
                count += usize::from(message(&what, &[""], read.map(drop)).is_some());
            }
        }
    }
    assert!(count > 200, "{count}");
}

#[test]
fn what_would_be_right_is_said_exactly() {
    let layer = |config: Value| {
        Layer::from_config("layers[0]", &config)
            .unwrap_err()
            .to_string()
    };
    for (config, expected) in [
        (
            json!({ "type": "Dense", "units": "x" }),
            "layers[0].units: found \"x\", expected a whole number above 0",
        ),
        (
            json!({ "type": "Dense", "units": -1 }),
            "layers[0].units: found -1, expected a whole number above 0",
        ),
        (
            json!({ "type": "Dense" }),
            "layers[0]: `units` is missing: a whole number above 0",
        ),
        (
            json!({ "type": "Dropout", "rate": true }),
            "layers[0].rate: found true, expected a number from 0 to below 1",
        ),
        (
            json!({ "type": "Dense", "units": 1, "use_bias": 1 }),
            "layers[0].use_bias: found 1, expected true or false",
        ),
        (
            json!({ "type": "RandomFlip", "mode": 3 }),
            "layers[0].mode: found 3, expected `horizontal`",
        ),
        (
            json!({ "type": "RandomFlip", "mode": "horizontl" }),
            "layers[0].mode: unknown value `horizontl`; did you mean `horizontal`?",
        ),
    ] {
        let text = layer(config);
        assert!(text.starts_with(expected), "{text}");
    }
    let rate = json!({ "type": "SGD", "learning_rate": true });
    let text = Optimizer::from_config("", &rate).unwrap_err().to_string();
    assert_eq!(
        text,
        "learning_rate: found true, expected a number or a schedule"
    );
}
