//! The sections of families: layers, losses, optimizers, …

use super::anchor::anchor;
use super::{keys, meaning_of, words};
use crate::base::json_schema::OF;
use crate::base::registry::Value;
use crate::error::Result;

/// A family's section.
pub struct Family {
    /// The name of its definition.
    pub name: &'static str,
    /// The definition of the table that it is a value in.
    pub table: &'static str,
    /// The heading.
    pub title: &'static str,
    /// The way a member is written.
    about: &'static str,
}

/// Every family, in the order of the sections.
pub const FAMILIES: [Family; 9] = [
    Family {
        name: "Layer",
        table: "Model",
        title: "Layers",
        about: "A layer is a table with `type` and its arguments, which are Keras': `{ type = \"Dense\", \
                units = 300, activation = \"elu\" }`.",
    },
    Family {
        name: "Activation",
        table: "Model",
        title: "Activations",
        about: "`activation = \"elu\"`, or with arguments `activation = { type = \"elu\", alpha = 0.5 }`.",
    },
    Family {
        name: "Initializer",
        table: "Model",
        title: "Initializers",
        about: "`kernel_initializer = \"he_normal\"`, or with arguments \
                `{ type = \"random_normal\", stddev = 0.1 }`.",
    },
    Family {
        name: "Regularizer",
        table: "Model",
        title: "Regularizers",
        about: "`kernel_regularizer = \"l2\"`, or with arguments `{ type = \"l2\", l2 = 0.001 }`.",
    },
    Family {
        name: "Constraint",
        table: "Model",
        title: "Constraints",
        about: "`kernel_constraint = \"max_norm\"`, or with arguments \
                `{ type = \"max_norm\", max_value = 1.0 }`.",
    },
    Family {
        name: "Loss",
        table: "Train",
        title: "Losses",
        about: "`loss = \"mse\"`, or with arguments `loss = { type = \"huber\", delta = 0.5 }`.",
    },
    Family {
        name: "Metric",
        table: "Train",
        title: "Metrics",
        about: "`metrics = [\"accuracy\", { type = \"AUC\", curve = \"PR\", name = \"auc_pr\" }]`.",
    },
    Family {
        name: "Optimizer",
        table: "Train",
        title: "Optimizers",
        about: "`optimizer = \"nadam\"`, or with arguments \
                `optimizer = { type = \"SGD\", learning_rate = 0.01, momentum = 0.9, nesterov = true }`.",
    },
    Family {
        name: "Schedule",
        table: "Train",
        title: "Schedules",
        about: "Keras' schedules stand in place of a learning rate: `learning_rate = { type = \
                \"ExponentialDecay\", initial_learning_rate = 0.01, decay_steps = 1000, decay_rate = 0.1 }`. \
                The others are a training's: `schedule = { type = \"OneCycle\", max_rate = 0.05 }`.",
    },
];

/// Tables among a family's that are no members.
const BESIDE: [(&str, &str); 3] = [
    ("Input", "Inputs"),
    ("use", "A layer used once more"),
    ("reuse", "Layers of a saved model"),
];

/// The section: the members with their names, and the keys of each.
pub fn section(family: &Family, definitions: &Value) -> Result<String> {
    let prefix = format!("{}{OF}", family.name);
    let all = definitions.as_object().into_iter().flatten();
    let all = all.filter_map(|(name, schema)| Some((name.strip_prefix(&prefix)?, schema)));
    let (beside, members): (Vec<_>, Vec<_>) =
        all.partition(|(name, _)| BESIDE.iter().any(|(other, _)| other == name));
    let common = common_keys(&members);
    let mut text = format!("{}\n\n", family.about);
    if let (Some((_, first)), false) = (members.first(), common.is_empty()) {
        let table = keys::table(first, definitions, |key| common.contains(&key))?;
        text += &format!("Every one has these keys:\n\n{table}");
    }
    for (name, schema) in beside {
        let title = BESIDE.iter().find(|(other, _)| *other == name);
        let title = title.map_or(name, |(_, title)| title);
        let table = keys::table(schema, definitions, |_| true)?;
        text += &format!("### {title}\n\n{}\n\n{table}", meaning_of(schema));
    }
    let mut overview = "| name | meaning |\n| --- | --- |\n".to_owned();
    let mut details = String::new();
    for (name, schema) in members {
        let own = |key: &str| key != "type" && !common.contains(&key);
        let table = keys::table(schema, definitions, own)?;
        let (first, rest) = meaning_of(schema)
            .split_once("\n\n")
            .unwrap_or((meaning_of(schema), ""));
        let names = words(&schema["properties"]["type"]);
        let mut names: Vec<String> = names.iter().map(|(word, _)| format!("`{word}`")).collect();
        if !table.is_empty() {
            let title = format!("{}: {name}", family.name.to_lowercase());
            names[0] = format!("[{}](#{})", names[0], anchor(&title));
            details += &format!("### {title}\n\n");
            if !rest.is_empty() {
                details += &format!("{rest}\n\n");
            }
            details += &table;
        }
        let names = names.join(", ");
        overview += &format!(
            "| {names} | {} |\n",
            first.trim_end_matches(':').replace('|', "\\|")
        );
    }
    Ok(format!("{text}{overview}\n{details}"))
}

/// The keys that all members have.
fn common_keys<'a>(members: &[(&str, &'a Value)]) -> Vec<&'a str> {
    let Some(((_, first), others)) = members.split_first() else {
        return Vec::new();
    };
    let keys = first["properties"].as_object().into_iter().flatten();
    let keys = keys
        .map(|(key, _)| key.as_str())
        .filter(|key| *key != "type");
    let is_common = |key: &&str| {
        others
            .iter()
            .all(|(_, other)| other["properties"].get(*key).is_some())
    };
    keys.filter(is_common).collect()
}
