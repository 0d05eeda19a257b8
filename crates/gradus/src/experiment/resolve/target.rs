//! The meaning of a table's target, as losses and layers imply it.

use crate::base::registry::Value;
use crate::base::shown::list;
use crate::data::{RunData, Schema};
use crate::error::{Error, Result};
use crate::experiment::config::number_targets::is_of_numbers;
use crate::experiment::config::{Config, problem_at};
use crate::model::Model;
use crate::rules::losses::Loss;

/// The class names of a table's only target, else of the rows.
fn class_names(data: &RunData) -> Vec<String> {
    match data.schema().map(|schema| &schema.targets[..]) {
        Some([target]) => target.classes.clone(),
        Some(_) => Vec::new(),
        None => data.train.sample().class_names().to_vec(),
    }
}

fn names_are_numbers(names: &[String]) -> bool {
    names.iter().any(|name| name.parse::<f64>().is_ok())
}

/// The key of a class in `train.class_weight`.
pub(super) fn class_key(data: &RunData, class: usize) -> String {
    let names = class_names(data);
    match names.get(class).filter(|_| names_are_numbers(&names)) {
        Some(name) => name.clone(),
        None => class.to_string(),
    }
}

impl Config {
    /// The targets that a loss of numbers is for of a model that was compiled before, and
    /// knows no target.
    pub(super) fn number_targets_of(&self, model: &Model) -> Vec<String> {
        let knows_targets = |schema: &Schema| !schema.targets.is_empty();
        let (Some(compiled), None) = (&model.compiled, &self.train.loss) else {
            return Vec::new();
        };
        if model.facts().schema.as_ref().is_some_and(knows_targets) {
            return Vec::new();
        }
        let (names, targets) = (model.output_names(), &self.data.columns.target);
        let trained: Vec<_> = compiled.trained().collect();
        let of_numbers = |target: &&String| {
            trained.iter().any(|(output, output_loss)| {
                let its = trained.len() == 1 && targets.len() == 1 || names[*output] == **target;
                its && is_of_numbers(&output_loss.loss)
            })
        };
        targets.iter().filter(of_numbers).cloned().collect()
    }

    /// The weights of classes given by labels or names. If the names are numbers, they are taken as
    /// names.
    pub(super) fn class_weight(&self, data: &RunData) -> Result<Vec<(usize, f64)>> {
        let names = class_names(data);
        let of_numbers = names_are_numbers(&names);
        let number = |key: &String| {
            let named = names.iter().position(|name| name == key);
            let numbered = key
                .parse()
                .ok()
                .filter(|&n: &usize| names.is_empty() || !of_numbers && n < names.len());
            named.or(numbered).ok_or_else(|| {
                let expected = match names.is_empty() {
                    true => "a class's number".to_owned(),
                    false if of_numbers => format!("a class: {}", list(&names)),
                    false => format!("a class, or its number: {}", list(&names)),
                };
                Error::invalid("train.class_weight", format!("`{key}`"), expected)
            })
        };
        let weights = self.train.class_weight.iter();
        weights
            .map(|(key, weight)| Ok((number(key)?, *weight)))
            .collect()
    }

    /// The default loss of a chain of layers that ends in one value, if its target has two classes.
    pub(super) fn chain_loss(&self, schema: &Schema, layers: &[Value]) -> Result<Option<Loss>> {
        let (None, [target]) = (&self.train.loss, &schema.targets[..]) else {
            return Ok(None);
        };
        let [first, second] = &target.classes[..] else {
            return Ok(None);
        };
        let (last, before) = match layers {
            [.., before, last] => (last, Some(before)),
            [last] => (last, None),
            [] => return Ok(None),
        };
        let one = |layer: &Value| layer["type"] == "Dense" && layer["units"] == 1;
        let says_yes = |layer: &Value| {
            let activation = &layer["activation"];
            activation == "sigmoid" || activation["type"] == "Sigmoid"
        };
        let is_activation = last["type"] == "Activation" && before.is_some_and(one);
        if !one(last) && !is_activation {
            return Ok(None);
        }
        if says_yes(last) {
            return Ok(Some(Loss::BinaryCrossentropy));
        }
        let problem = format!(
            "missing: the last layer gives one number, and `{}` is two classes, {first} and \
             {second}: name \"binary_crossentropy\", and the layer's `activation = \"sigmoid\"`; \
             or \"mse\" to predict a number",
            target.name
        );
        Err(problem_at("train.loss", &problem))
    }
}
