//! The targets of a table that are numbers because their loss takes numbers.

use super::{Config, PerOutput};
use crate::data::{Kind, Target};
use crate::rules::losses::Loss;

/// True if a loss takes two distinct numbers as they are, not as two classes. Hinge losses take 0/1
/// and ±1, and give no probability.
pub fn is_of_numbers(loss: &Loss) -> bool {
    !loss.of_classes() || loss.class().ends_with("Hinge")
}

impl Config {
    /// The targets with a configured loss for numbers.
    pub fn number_targets(&self) -> Vec<String> {
        let loss = |target: &&String| match self.train.loss.as_ref()? {
            PerOutput::All(loss) => Some(loss),
            PerOutput::Named(named) => {
                let target = Target {
                    name: (*target).clone(),
                    kind: Kind::Number,
                    classes: Vec::new(),
                    format: Default::default(),
                };
                let found = named.iter().find(|(name, _)| *name == target.output());
                // A single target is for the single output, whatever their names.
                let found = found.or_else(|| match (&named[..], self.data.columns.target.len()) {
                    ([only], 1) => Some(only),
                    _ => None,
                });
                found.map(|(_, loss)| loss)
            }
        };
        let targets = self.data.columns.target.iter();
        let targets = targets.filter(|target| loss(target).is_some_and(is_of_numbers));
        targets.cloned().collect()
    }
}
