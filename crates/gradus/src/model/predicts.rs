//! A description of a model's predictions, before training.

use super::{Model, OutputLoss};
use crate::data::{Dataset, Outcome, RunData, Summary, TableOptions, Target, class_of};
use crate::error::Result;

impl Model {
    /// Describes the predicted targets, a line each: classes with their shares of the training
    /// rows, or a number with its mean and range.
    ///
    /// `columns` are the column options: whole numbers that may be classes get a remark unless the
    /// options decide.
    pub(crate) fn predicts(&self, data: &RunData, columns: &TableOptions) -> Result<String> {
        let lines = match data.schema().zip(data.summary()) {
            Some((schema, train)) if !schema.targets.is_empty() => {
                of_table(&schema.targets, train, columns)
            }
            _ => self.of_arrays(data)?,
        };
        Ok(lines.join("\n"))
    }

    /// By the loss of each output.
    fn of_arrays(&self, data: &RunData) -> Result<Vec<String>> {
        let targets = data.targets();
        let sample = targets.sample();
        let (names, wanted) = (self.output_names(), self.compiled()?.trained());
        let output_losses: Vec<(usize, &OutputLoss)> = wanted.collect();
        let wanted: Vec<usize> = output_losses.iter().map(|(output, _)| *output).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let of = |rows: &Dataset| -> Result<Vec<crate::data::Tensor>> {
            let found = rows.for_targets(&names, &wanted)?;
            Ok(found.into_iter().cloned().collect())
        };
        let shapes = of(sample)?;
        let mut outcomes = vec![Outcome::default(); output_losses.len()];
        targets.each(&mut |rows| {
            let tensors = of(rows)?;
            for ((outcome, tensor), (_, output_loss)) in
                outcomes.iter_mut().zip(&tensors).zip(&output_losses)
            {
                let (size, all) = (tensor.size().max(1), tensor.to_f32());
                if size == 1 {
                    all.iter().for_each(|&x| outcome.add(x.into()));
                } else if output_loss.loss.class().starts_with("Categorical") {
                    all.chunks(size).for_each(|row| outcome.add(class_of(row)));
                }
            }
            Ok(())
        })?;
        let shapes_of_outputs = self.output_shapes()?;
        let each = output_losses.iter().zip(&shapes).zip(&outcomes);
        let line = |(((output, output_loss), target), outcome): (
            (&(usize, &OutputLoss), &crate::data::Tensor),
            &Outcome,
        )| {
            let outputs = shapes_of_outputs[*output]
                .dims()
                .last()
                .copied()
                .unwrap_or(1);
            let named = sample.class_names();
            let of_classes = |count: usize| {
                outcome.classes(count, |class| match named.get(class) {
                    Some(name) if named.len() == count => name.clone(),
                    _ => class.to_string(),
                })
            };
            let size = target.size();
            let one = size == 1;
            let words = match output_loss.loss.class() {
                "SparseCategoricalCrossentropy" if one => of_classes(outputs),
                class if class.starts_with("Categorical") && !one => of_classes(size),
                "BinaryCrossentropy" | "BinaryFocalCrossentropy" if one => {
                    match outcome.is_binary() {
                        true => of_classes(2),
                        false => outcome.number(),
                    }
                }
                "BinaryCrossentropy" | "BinaryFocalCrossentropy" => {
                    format!("{size} answers of yes or no")
                }
                _ if one => outcome.number(),
                _ => format!("{size} numbers"),
            };
            match output_losses.len() {
                1 => format!("predicts {words}"),
                _ => format!("predicts {}: {words}", names[*output]),
            }
        };
        Ok(each.map(line).collect())
    }
}

fn of_table(targets: &[Target], train: &Summary, columns: &TableOptions) -> Vec<String> {
    let each = targets.iter().zip(train.outcomes());
    let line = |(target, outcome): (&Target, &Outcome)| {
        let name = &target.name;
        let words = match &target.classes[..] {
            [] => outcome.number(),
            classes => outcome.classes(classes.len(), |class| classes[class].clone()),
        };
        let mut line = format!("predicts {name}: {words}");
        let is_said = columns.columns.contains_key(name) || columns.number_targets.contains(name);
        if let (true, false, Some(few)) = (
            target.classes.is_empty(),
            is_said,
            outcome.few_whole_numbers(),
        ) {
            line += &format!(
                "; they are {few} different whole numbers: `columns = {{ {} = \"category\" }}` \
                 makes classes of them",
                toml_key(name)
            );
        }
        line
    };
    each.map(line).collect()
}

/// A column's name as the key of a configuration.
fn toml_key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    match !name.is_empty() && name.chars().all(bare) {
        true => name.to_owned(),
        false => format!("{name:?}"),
    }
}
