//! Losses, metrics and optimizer of a run: what `[train]` names, else the model's file, else the
//! recipe.

use super::prepare::of_loss;
use crate::data::RunData;
use crate::error::{Error, Result, join};
use crate::experiment::config::{Config, PerOutput, problem_at};
use crate::model::{Compiled, Model, OutputLoss, Recipe, TargetOutput, Task};
use crate::rules::optimizers::LearningRate;

impl Config {
    /// Compiles the model with the values of `[train]`, else those of its file, else the recipe's.
    pub(super) fn compile(
        &self,
        model: &mut Model,
        recipe: Option<&Recipe>,
        data: &RunData,
        output_losses: &[TargetOutput],
    ) -> Result<Compiled> {
        let of_table = !output_losses.is_empty();
        let task = match recipe {
            Some(_) if !of_table => {
                let task = Task::of(data.targets(), self.one_loss());
                Some(task.map_err(of_loss)?)
            }
            _ => None,
        };
        let saved = model.compiled.take();
        let output_losses = self.output_losses(model, saved.as_ref(), output_losses, task)?;
        let train = &self.train;
        let saved = saved.and_then(|s| s.optimizer);
        let keeps_state = match &train.optimizer {
            Some(named) => saved.as_ref() == Some(named),
            None => saved.is_some(),
        };
        let optimizer = train.optimizer.clone().or(saved);
        let mut optimizer = optimizer
            .or_else(|| match of_table {
                true => recipe.map(Recipe::table_optimizer),
                false => recipe.map(Recipe::optimizer),
            })
            .ok_or_else(|| missing("optimizer", "an optimizer, such as \"nadam\""))?;
        if let Some(rate) = &train.learning_rate {
            optimizer.learning_rate = rate.clone();
        } else if let (LearningRate::Schedule(_), true) =
            (&optimizer.learning_rate, train.find_rate)
        {
            // A saved schedule gives way; this one is not used either.
            optimizer.learning_rate = LearningRate::Constant(0.01);
        }
        let compiled = Compiled {
            optimizer: Some(optimizer),
            output_losses,
        };
        let state = std::mem::take(&mut model.state);
        model
            .compile_with(compiled.clone())
            .map_err(|e| e.under("train"))?;
        if keeps_state {
            model.state = state;
        }
        Ok(compiled)
    }

    /// The loss and metrics of each output: those that `[train]` names, else those that the
    /// model was saved with, else those that a table's column or the task of a recipe asks for.
    fn output_losses(
        &self,
        model: &Model,
        saved: Option<&Compiled>,
        asked: &[TargetOutput],
        task: Option<Task>,
    ) -> Result<Vec<Option<OutputLoss>>> {
        let train = &self.train;
        let outputs = model.output_names();
        let losses = each(train.loss.as_ref(), "train.loss", &outputs)?;
        let weights = each(train.loss_weights.as_ref(), "train.loss_weights", &outputs)?;
        let metrics = each_assigned(train.metrics.as_ref(), "train.metrics", &outputs)?;
        let weighted_metrics = each_assigned(
            train.weighted_metrics.as_ref(),
            "train.weighted_metrics",
            &outputs,
        )?;
        let output_loss = |output: usize| {
            let saved = saved.and_then(|s| s.output_losses.get(output)?.as_ref());
            // A column of a table asks for it.
            let asked = asked.get(output).map(TargetOutput::output_loss);
            let asked = asked.as_ref();
            let saved = saved.or(asked);
            let loss = match &losses {
                Some(losses) => losses[output].cloned(),
                None => saved
                    .map(|output_loss| output_loss.loss.clone())
                    .or_else(|| task.map(|task| task.loss())),
            };
            let weight = match &weights {
                Some(weights) => weights[output].copied(),
                None => saved.map(|output_loss| output_loss.weight),
            };
            let metrics = match &metrics {
                Some(metrics) => metrics[output].cloned(),
                None => saved
                    .map(|output_loss| output_loss.metrics.clone())
                    .or_else(|| task.map(|t| vec![(t.metric().name().to_owned(), t.metric())])),
            };
            let weighted_metrics = match &weighted_metrics {
                Some(metrics) => metrics[output].cloned(),
                None => saved.map(|output_loss| output_loss.weighted_metrics.clone()),
            };
            Some(OutputLoss {
                loss: loss?,
                weighted_metrics: weighted_metrics.unwrap_or_default(),
                weight: weight.unwrap_or(1.0),
                metrics: metrics.unwrap_or_default(),
            })
        };
        let output_losses: Vec<Option<OutputLoss>> = (0..outputs.len()).map(output_loss).collect();
        if output_losses.iter().all(Option::is_none) {
            let what = "a loss, such as \"sparse_categorical_crossentropy\"";
            return Err(missing("loss", what));
        }
        Ok(output_losses)
    }
}

/// The setting of each output, if there is one for some.
fn each<'a, T>(
    setting: Option<&'a PerOutput<T>>,
    at: &str,
    outputs: &[String],
) -> Result<Option<Vec<Option<&'a T>>>> {
    setting.map(|setting| setting.each(at, outputs)).transpose()
}

/// As [`each`], of metrics, which one of several outputs has to be named for.
fn each_assigned<'a, T>(
    setting: Option<&'a PerOutput<T>>,
    at: &str,
    outputs: &[String],
) -> Result<Option<Vec<Option<&'a T>>>> {
    match setting {
        Some(PerOutput::All(_)) if outputs.len() > 1 => {
            let problem = "say which output each belongs to";
            let problem = format!("{problem}: {{ {} = [...] }}", outputs[0]);
            Err(problem_at(at, &problem))
        }
        setting => each(setting, at, outputs),
    }
}

/// The error of a setting that nothing gives.
fn missing(key: &str, what: &str) -> Error {
    let problem = format!("missing: name {what}");
    problem_at(&join("train", key), &problem)
}
