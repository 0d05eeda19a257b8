//! Where losses and layers say what a table's target is.

use super::train::PerOutput;
use super::{Config, problem_at};
use gradus::Result;
use gradus::config::Value;
use gradus::data::{Kind, Schema, Target};
use gradus::model::Model;
use gradus::rules::losses::Loss;

/// Whether a loss takes two different numbers as they are, and not as two classes.
/// Hinge losses take 0/1 and ±1, and give no probability.
fn of_numbers(loss: &Loss) -> bool {
    !loss.of_classes() || loss.class().ends_with("Hinge")
}

impl Config {
    /// The targets that a loss of numbers is named for.
    pub(super) fn number_targets(&self) -> Vec<String> {
        let loss = |target: &&String| match self.train.loss.as_ref()? {
            PerOutput::All(loss) => Some(loss),
            PerOutput::Named(named) => {
                let target = Target {
                    name: (*target).clone(),
                    kind: Kind::Number,
                    classes: Vec::new(),
                };
                let found = named.iter().find(|(name, _)| *name == target.output());
                // The one target is for the one output, whatever it is called.
                let found = found.or_else(|| match (&named[..], self.data.columns.target.len()) {
                    ([only], 1) => Some(only),
                    _ => None,
                });
                found.map(|(_, loss)| loss)
            }
        };
        let targets = self.data.columns.target.iter();
        let targets = targets.filter(|target| loss(target).is_some_and(of_numbers));
        targets.cloned().collect()
    }

    /// The same of a model that was compiled before, and knows no target.
    pub(super) fn number_targets_of(&self, model: &Model) -> Vec<String> {
        let knows_targets = |schema: &Schema| !schema.targets.is_empty();
        let (Some(compiled), None) = (&model.compiled, &self.train.loss) else {
            return Vec::new();
        };
        if model.schema.as_ref().is_some_and(knows_targets) {
            return Vec::new();
        }
        let (names, targets) = (model.output_names(), &self.data.columns.target);
        let trained: Vec<_> = compiled.trained().collect();
        let of_numbers = |target: &&String| {
            trained.iter().any(|(output, goal)| {
                let its = trained.len() == 1 && targets.len() == 1 || names[*output] == **target;
                its && of_numbers(&goal.loss)
            })
        };
        targets.iter().filter(of_numbers).cloned().collect()
    }

    /// The loss of a chain of layers that names none, where its target is two classes
    /// and it ends in one number.
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
        let says_yes = |layer: &Value| layer["activation"] == "sigmoid";
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
