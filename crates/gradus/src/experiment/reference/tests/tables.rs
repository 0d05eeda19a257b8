//! Every table that is no family's has the keys that its reader knows, and takes the examples.

use super::{keys, known, least, read, validator};
use crate::base::registry::Value;
use crate::error::Error;
use crate::experiment::config::{Config, Document};
use crate::experiment::reference::schema;
use crate::model::Model;
use serde_json::json;

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
        "Distributed" => config["distributed"] = table.clone(),
        "Stage" => config["callbacks"] = json!({ "gradual_unfreezing": { "stages": [table] } }),
        callback => {
            let names = [
                ("EarlyStopping", "early_stopping"),
                ("ReduceLROnPlateau", "reduce_lr_on_plateau"),
                ("GradualUnfreezing", "gradual_unfreezing"),
                ("Pruning", "pruning"),
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
const TABLES: [&str; 17] = [
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
    "Pruning",
    "ModelCheckpoint",
    "CSVLogger",
    "TerminateOnNaN",
    "Pretrain",
    "Checkpoint",
    "Distributed",
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
