//! The output of a network for a table's target.

use crate::base::shown::list;
use crate::data::{Moments, Schema, Summary, TableOptions, Target, TargetScale};
use crate::error::{Error, Result};
use crate::model::{OutputLoss, Task};
use crate::rules::losses::Loss;
use crate::rules::metrics::Metric;

/// The output and loss for a table's target.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetOutput {
    /// Task of the last layer.
    pub task: Task,
    /// The loss to minimize.
    pub loss: Loss,
    /// Mean and variance of the training rows, by which the network's output is scaled; `None`
    /// without scaling.
    pub scale: Option<(f64, f64)>,
}

impl TargetOutput {
    /// The output and loss of each target, with the configured losses, if any.
    pub fn of(
        schema: &Schema,
        train: &Summary,
        options: &TableOptions,
        losses: &[Option<&Loss>],
    ) -> Result<Vec<TargetOutput>> {
        if schema.targets.is_empty() {
            let problem = format!(
                "missing: name the column that is to be predicted; the table has {}",
                list(schema.features.iter().map(|f| &f.name))
            );
            return Err(Error::Config {
                at: "data.target".into(),
                problem,
            });
        }
        let targets = schema.targets.iter().zip(train.targets()).zip(losses);
        let output_loss = |((target, moments), loss): ((&Target, &Moments), &Option<&Loss>)| {
            let task = task(target, *loss)?;
            let loss = loss.cloned().unwrap_or_else(|| task.loss());
            let wanted = options.target_scale != Some(TargetScale::None);
            let scalable = wanted && target.classes.is_empty() && unit(&loss).is_some();
            // A constant target is not scaled.
            let scaled = scalable && moments.variance > 0.0;
            let scale = scaled.then_some((moments.mean, moments.variance));
            Ok(TargetOutput { task, loss, scale })
        };
        targets.map(output_loss).collect()
    }

    /// Weight of the loss that makes it of order 1 in any unit of the target.
    pub fn weight(&self) -> f64 {
        match (self.scale, unit(&self.loss)) {
            (Some((_, variance)), Some(Unit::Squared)) => 1.0 / variance,
            (Some((_, variance)), Some(Unit::Same)) => 1.0 / variance.sqrt(),
            _ => 1.0,
        }
    }

    /// The default metrics.
    pub fn metrics(&self) -> Vec<Metric> {
        match self.task {
            Task::Numbers(_) => vec![Metric::MeanAbsoluteError, Metric::RootMeanSquaredError],
            _ => vec![self.task.metric()],
        }
    }

    /// The loss with its weight and metrics.
    pub fn output_loss(&self) -> OutputLoss {
        let output_loss = OutputLoss::new(self.loss.clone()).weight(self.weight());
        output_loss.metrics(&self.metrics())
    }
}

/// The dependence of a loss on the target's unit.
enum Unit {
    Squared,
    Same,
}

/// The unit of a loss; `None` if it is not a function of the error, or depends on the unit in
/// another way.
fn unit(loss: &Loss) -> Option<Unit> {
    match loss.class() {
        "MeanSquaredError" => Some(Unit::Squared),
        // For large errors, which are usual in most targets' units.
        "MeanAbsoluteError" | "Huber" | "LogCosh" => Some(Unit::Same),
        _ => None,
    }
}

fn task(target: &Target, loss: Option<&Loss>) -> Result<Task> {
    let classes = target.classes.len();
    let problem = |expected: &str| {
        let found = loss.map_or("", Loss::class);
        let at = format!("the loss of `{}`", target.name);
        Err(Error::invalid(&at, found, expected))
    };
    match (classes, loss.map(Loss::class)) {
        (0, None) => Ok(Task::Numbers(1)),
        (0, Some("SparseCategoricalCrossentropy" | "CategoricalCrossentropy")) => problem(
            "one of numbers: the column is of numbers; `columns = { NAME = \"category\" }` makes \
             classes of it",
        ),
        (0, Some("BinaryCrossentropy")) => Ok(Task::Binary(1)),
        (0, Some(_)) => Ok(Task::Numbers(1)),
        (_, None | Some("SparseCategoricalCrossentropy")) => Ok(Task::Classes(classes)),
        (_, Some("CategoricalCrossentropy" | "CategoricalFocalCrossentropy")) => {
            problem("SparseCategoricalCrossentropy: the column is of classes, not one-hot")
        }
        (2, Some(_)) => Ok(Task::Binary(1)),
        (_, Some(_)) => problem("SparseCategoricalCrossentropy: the column is of classes"),
    }
}
