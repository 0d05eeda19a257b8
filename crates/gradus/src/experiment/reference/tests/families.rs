//! Every member of a family has the keys that its reader knows, and takes the examples.

use super::{keys, least, read, validator};
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
use crate::rules::optimizers::{Method, Optimizer};
use crate::rules::regularizers::Regularizer;
use crate::rules::schedules::Schedule;
use serde_json::json;

/// Keys that a member has for Keras' files alone: a configuration can give them no value.
const NO_VALUE: [(&str, &str); 1] = [("AlphaDropout", "noise_shape")];

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
            of(Method::MEMBERS),
            Optimizer::shared_arguments().to_vec(),
            |v| Optimizer::from_config("", v).map(|_| ()),
        ),
        ("Metric", of(Metric::MEMBERS), vec!["name"], metric),
        ("Layer", of(Layer::MEMBERS), shared, layer),
    ]
}

#[test]
fn members_have_their_keys_and_no_other() {
    let schema = schema();
    for (family, members, shared, _) in families() {
        for member in members {
            let definition = &schema["$defs"][format!("{family}{OF}{}", member.class)];
            let mut own: Vec<&str> = (member.fields)().to_vec();
            own.retain(|key| !NO_VALUE.contains(&(member.class, key)));
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
const NEEDS_MORE: [(&str, &str); 8] = [
    ("AUC", "num_labels"),
    ("Conv1DTranspose", "output_padding"),
    ("Conv2DTranspose", "output_padding"),
    ("IntegerLookup", "pad_to_max_tokens"),
    ("IntegerLookup", "salt"),
    ("Normalization", "mean"),
    ("Normalization", "variance"),
    ("StringLookup", "pad_to_max_tokens"),
];
