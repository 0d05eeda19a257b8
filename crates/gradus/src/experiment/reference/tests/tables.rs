//! Every table of the schema has the keys that its reader knows, and takes the examples.

use super::super::super::config::{Config, Document};
use super::{keys, known, read, validator};
use crate::base::json_schema::OF;
use crate::base::registry::{Member, Value};
use crate::error::{Error, Result};
use crate::experiment::reference::schema;
use crate::model::Model;
use crate::model::layers::Layer;
use crate::rules::activations::Activation;
use crate::rules::constraints::Constraint;
use crate::rules::initializers::Initializer;
use crate::rules::losses::Loss;
use crate::rules::metrics::Metric;
use crate::rules::optimizers::Optimizer;
use crate::rules::regularizers::Regularizer;
use crate::rules::schedules::Schedule;
use serde_json::json;

/// Keys that a member has for Keras' files alone: a configuration can give them no value.
const NO_VALUE: [&str; 1] = ["noise_shape"];

type Read = fn(&Value) -> Result<()>;

/// Each family: its definition, its members, the keys beside theirs, and the reader of a member.
fn families() -> Vec<(&'static str, Vec<Member>, Vec<&'static str>, Read)> {
    fn metric(value: &Value) -> Result<()> {
        let train = json!({ "metrics": [value] });
        read(
            &json!({ "data": { "dataset": "digits" }, "model": { "recipe": "default" }, "train": train }),
        )
    }
    fn layer(value: &Value) -> Result<()> {
        // Names that an example may take for inputs.
        let input = |name: &str| json!({ "type": "Input", "name": name });
        let layers = [input("dense"), input("dense_1"), value.clone()];
        let read = match value.get("inputs") {
            Some(_) => Model::from_layers("", &layers, None, 1),
            None => Model::from_layers("", std::slice::from_ref(value), None, 1),
        };
        match read {
            // Other layers do not fit these inputs; the keys were read before.
            Err(Error::UnknownName { family: "key", .. }) | Ok(_) => read.map(|_| ()),
            Err(_) if value.get("inputs").is_some() => Ok(()),
            Err(Error::UnknownName {
                family: "layer", ..
            }) => Ok(()),
            Err(Error::Invalid { expected, .. })
                if expected.starts_with("one") || expected.starts_with("two") =>
            {
                Ok(())
            }
            other => other.map(|_| ()),
        }
    }
    let of = <[Member]>::to_vec;
    let mut shared = vec!["name", "trainable", "inputs"];
    shared.sort_unstable();
    vec![
        ("Activation", of(Activation::MEMBERS), vec![], |v| {
            Activation::from_config("", v).map(|_| ())
        }),
        ("Initializer", of(Initializer::MEMBERS), vec![], |v| {
            Initializer::from_config("", v).map(|_| ())
        }),
        ("Regularizer", of(Regularizer::MEMBERS), vec![], |v| {
            Regularizer::from_config("", v).map(|_| ())
        }),
        ("Constraint", of(Constraint::MEMBERS), vec![], |v| {
            Constraint::from_config("", v).map(|_| ())
        }),
        ("Schedule", of(Schedule::MEMBERS), vec![], |v| {
            Schedule::from_config("", v).map(|_| ())
        }),
        (
            "Loss",
            of(Loss::MEMBERS),
            Loss::shared_arguments().to_vec(),
            |v| Loss::from_config("", v).map(|_| ()),
        ),
        (
            "Optimizer",
            of(crate::rules::optimizers::Method::MEMBERS),
            Optimizer::shared_arguments().to_vec(),
            |v| Optimizer::from_config("", v).map(|_| ()),
        ),
        ("Metric", of(Metric::MEMBERS), vec!["name"], metric),
        ("Layer", of(Layer::MEMBERS), shared, layer),
    ]
}

/// A member with its required keys, by their examples.
fn least(class: &str, definition: &Value) -> Value {
    let mut table = json!({ "type": class });
    for (key, of) in definition["properties"].as_object().unwrap() {
        let listed = definition["required"].as_array();
        let required = listed.is_some_and(|all| all.iter().any(|one| one == key));
        // As a schedule's highest rate is, unless it is found.
        let mostly = of["description"]
            .as_str()
            .is_some_and(|text| text.contains("it is required, unless"));
        if key != "type" && (required || mostly) {
            table[key] = of["examples"][0].clone();
        }
    }
    table
}

#[test]
fn members_have_their_keys_and_no_other() {
    let schema = schema();
    for (family, members, shared, _) in families() {
        for member in members {
            let definition = &schema["$defs"][format!("{family}{OF}{}", member.class)];
            let mut own: Vec<&str> = (member.fields)().to_vec();
            own.retain(|key| !NO_VALUE.contains(key));
            own.extend(&shared);
            own.push("type");
            own.sort_unstable();
            own.dedup();
            assert_eq!(keys(definition), own, "{family} {}", member.class);
        }
    }
}

#[test]
fn a_members_examples_are_read_and_a_misspelled_key_is_refused_by_both() {
    let schema = schema();
    let (mut examples, mut refused) = (0, Vec::new());
    for (family, members, _, read) in families() {
        let validator = validator(&schema, family);
        for member in members {
            let definition = &schema["$defs"][format!("{family}{OF}{}", member.class)];
            let least = least(member.class, definition);
            for (key, of) in definition["properties"].as_object().unwrap() {
                let mut table = least.clone();
                if key != "type" {
                    table[key] = of["examples"][0].clone();
                    assert!(!table[key].is_null(), "{table}: give `{key}` an example");
                }
                assert!(validator.is_valid(&table), "{table}");
                if let Err(error) = read(&table) {
                    let needs_more = NEEDS_MORE.contains(&(member.class, key));
                    if !needs_more {
                        refused.push(format!("{table}: {error}"));
                    }
                }
                examples += 1;
                let mut wrong = least.clone();
                wrong[format!("{key}x")] = table[key].clone();
                assert!(!validator.is_valid(&wrong), "{wrong}");
                assert!(read(&wrong).is_err(), "{wrong}");
            }
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
    assert!(examples > 500, "{examples}");
}

/// Keys whose example alone is refused, for another key has to be beside it.
const NEEDS_MORE: [(&str, &str); 6] = [
    ("AUC", "num_labels"),
    ("IntegerLookup", "pad_to_max_tokens"),
    ("IntegerLookup", "salt"),
    ("Normalization", "mean"),
    ("Normalization", "variance"),
    ("StringLookup", "pad_to_max_tokens"),
];

/// A configuration with a table in its place, by the table's definition.
fn around(definition: &str, table: &Value) -> Value {
    let mut config = json!({
        "data": { "dataset": "digits", "validation": { "fraction": 0.1 } },
        "model": { "recipe": "default" },
    });
    let held_out = |table: &Value| {
        let mut table = table.clone();
        let given = table.as_object().unwrap();
        let is_way = ["first", "fraction", "fold", "x", "y", "table", "images"]
            .iter()
            .any(|way| given.contains_key(*way));
        if !is_way {
            table["fraction"] = json!(0.1);
        }
        table
    };
    match definition {
        "" => {
            for (key, value) in table.as_object().unwrap() {
                config[key] = value.clone();
            }
        }
        "Data" => config["data"] = table.clone(),
        "HoldOut" => config["data"]["validation"] = held_out(table),
        "Model" => config["model"] = table.clone(),
        "Train" => config["train"] = table.clone(),
        "Callbacks" => config["callbacks"] = table.clone(),
        "Pretrain" => config["pretrain"] = table.clone(),
        "Checkpoint" => config["checkpoint"] = table.clone(),
        "Stage" => config["callbacks"] = json!({ "gradual_unfreezing": { "stages": [table] } }),
        callback => {
            let names = [
                ("EarlyStopping", "early_stopping"),
                ("ReduceLROnPlateau", "reduce_lr_on_plateau"),
                ("GradualUnfreezing", "gradual_unfreezing"),
                ("ModelCheckpoint", "model_checkpoint"),
                ("CSVLogger", "csv_logger"),
                ("TerminateOnNaN", "terminate_on_nan"),
            ];
            let (_, key) = names.iter().find(|(name, _)| *name == callback).unwrap();
            config["callbacks"] = json!({ *key: table });
        }
    }
    config
}

/// Every table that is no family's.
const TABLES: [&str; 15] = [
    "",
    "Data",
    "HoldOut",
    "Model",
    "Train",
    "Callbacks",
    "EarlyStopping",
    "ReduceLROnPlateau",
    "GradualUnfreezing",
    "Stage",
    "ModelCheckpoint",
    "CSVLogger",
    "TerminateOnNaN",
    "Pretrain",
    "Checkpoint",
];

#[test]
fn the_tables_have_the_keys_that_their_readers_know() {
    let schema = schema();
    let whole = validator(&schema, "");
    for name in TABLES {
        let definition = if name.is_empty() {
            &schema
        } else {
            &schema["$defs"][name]
        };
        let config = around(name, &json!({ "zzz": 1 }));
        assert!(!whole.is_valid(&config), "{config}");
        let error = Config::from_value(&config).unwrap_err();
        if name == "Stage" {
            // The one table that serde reads.
            assert!(error.to_string().contains("zzz"), "{error}");
            assert_eq!(keys(definition), ["epoch", "layers", "learning_rate"]);
            continue;
        }
        assert_eq!(keys(definition), known(&error), "{name}");
    }
}

#[test]
fn a_tables_examples_are_known_to_its_reader() {
    let schema = schema();
    let whole = validator(&schema, "");
    for name in TABLES {
        let definition = if name.is_empty() {
            &schema
        } else {
            &schema["$defs"][name]
        };
        for (key, of) in definition["properties"].as_object().unwrap() {
            let example = &of["examples"][0];
            assert!(!example.is_null(), "{name}: give `{key}` an example");
            let mut table = match name {
                "" | "Data" => json!({}),
                _ => least("", definition),
            };
            if let Some(fields) = table.as_object_mut() {
                fields.remove("type");
            }
            table[key] = example.clone();
            let config = around(name, &table);
            assert!(
                whole.is_valid(&config),
                "{name}.{key}: {:?}",
                whole.iter_errors(&config).next()
            );
            if let Err(error) = read(&config) {
                // Another key may have to be beside it, but this one is right.
                let is_wrong = matches!(&error, Error::UnknownName { .. } | Error::Invalid { .. });
                assert!(!is_wrong, "{name}.{key}: {error}");
            }
        }
    }
}

#[test]
fn each_key_of_each_table_is_refused_if_it_is_misspelled() {
    let schema = schema();
    let whole = validator(&schema, "");
    for name in TABLES {
        let definition = if name.is_empty() {
            &schema
        } else {
            &schema["$defs"][name]
        };
        for (key, of) in definition["properties"].as_object().unwrap() {
            let table = json!({ format!("{key}x"): of["examples"][0] });
            let config = around(name, &table);
            assert!(!whole.is_valid(&config), "{config}");
            assert!(Config::from_value(&config).is_err(), "{config}");
        }
    }
}

#[test]
fn tables_beside_layers_have_the_keys_that_their_reader_knows() {
    let schema = schema();
    let whole = validator(&schema, "Layer");
    for (name, layer) in [
        ("Layer.Input", json!({ "type": "Input", "zzz": 1 })),
        ("Layer.use", json!({ "use": "dense", "zzz": 1 })),
    ] {
        assert!(!whole.is_valid(&layer));
        let dense = json!({ "type": "Dense", "units": 1 });
        let error = Model::from_layers("", &[dense, layer], None, 1).unwrap_err();
        assert_eq!(keys(&schema["$defs"][name]), known(&error));
    }
}

#[test]
fn the_built_in_configuration_is_valid() {
    let config = Document::built_in().unwrap().read().unwrap();
    assert!(validator(&schema(), "").is_valid(&config.given));
}
