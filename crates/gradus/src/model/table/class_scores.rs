//! An output's values for each class, of models with one output or several.

use crate::data::{Kind, NumberFormat, Target, Tensor};
use crate::error::Result;
use crate::model::Model;

impl Model {
    /// The classes of an output, with a value for each of them in each row: a probability if its
    /// loss is for such. `None` if it does not predict one class of several.
    pub(crate) fn class_scores(
        &self,
        number: usize,
        output: &Tensor,
    ) -> Result<Option<(Target, Vec<f32>)>> {
        let known = self.known_targets().into_iter().nth(number).flatten();
        let target = known.or_else(|| self.classes_of(number));
        let target = target.or_else(|| self.numbered_classes(number, output.size()));
        match target {
            Some(target) if !target.classes.is_empty() && output.shape().rank() <= 1 => {
                let (size, rows) = (output.size(), output.to_f32());
                let scores = self.probabilities(number, &target, size, rows, true)?;
                Ok(Some((target, scores)))
            }
            _ => Ok(None),
        }
    }

    /// The classes of one output of several, under their labels, if its loss is for classes.
    fn numbered_classes(&self, number: usize, size: usize) -> Option<Target> {
        let losses = &self.compiled().ok()?.output_losses;
        let loss = losses.get(number)?.as_ref()?.loss.class();
        let of_classes = ["SparseCategoricalCrossentropy", "CategoricalCrossentropy"];
        (size > 1 && of_classes.contains(&loss)).then(|| Target {
            name: "class".into(),
            kind: Kind::Category,
            classes: (0..size).map(|class| class.to_string()).collect(),
            format: NumberFormat::PLAIN,
        })
    }
}
