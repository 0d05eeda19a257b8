//! What a target of a table asks of a network's end.

use crate::data::{Moments, Schema, Summary, TableOptions, Target, TargetScale};
use crate::error::{Error, Result};
use crate::model::{Goal, Task};
use crate::rules::losses::Loss;
use crate::rules::metrics::Metric;

/// What a target asks of a network's end.
#[derive(Clone, Debug, PartialEq)]
pub struct TableGoal {
    /// What the last layer is to say.
    pub task: Task,
    /// What is made small.
    pub loss: Loss,
    /// Mean and variance of the training rows, which the network's last number is
    /// scaled by; none where it is not.
    pub scale: Option<(f64, f64)>,
}

impl TableGoal {
    /// Of each target, with the loss if one is named for it.
    pub fn of(
        schema: &Schema,
        train: &Summary,
        options: &TableOptions,
        losses: &[Option<&Loss>],
    ) -> Result<Vec<TableGoal>> {
        if schema.targets.is_empty() {
            let columns: Vec<&str> = schema.features.iter().map(|f| f.name.as_str()).collect();
            let problem = format!(
                "missing: name the column that is to be predicted; the table has {}",
                columns.join(", ")
            );
            return Err(Error::Config {
                at: "data.target".into(),
                problem,
            });
        }
        let targets = schema.targets.iter().zip(train.targets()).zip(losses);
        let goal = |((target, moments), loss): ((&Target, &Moments), &Option<&Loss>)| {
            let task = task(target, *loss)?;
            let loss = loss.cloned().unwrap_or_else(|| task.loss());
            let wanted = options.target_scale != Some(TargetScale::None);
            let scalable = wanted && target.classes.is_empty() && unit(&loss).is_some();
            // Not where it is always the same.
            let scaled = scalable && moments.variance > 0.0;
            let scale = scaled.then_some((moments.mean, moments.variance));
            Ok(TableGoal { task, loss, scale })
        };
        targets.map(goal).collect()
    }

    /// What its loss is multiplied by, so that it is of order 1 whatever the target's
    /// unit.
    pub fn weight(&self) -> f64 {
        match (self.scale, unit(&self.loss)) {
            (Some((_, variance)), Some(Unit::Squared)) => 1.0 / variance,
            (Some((_, variance)), Some(Unit::Same)) => 1.0 / variance.sqrt(),
            _ => 1.0,
        }
    }

    /// The metrics that go with it.
    pub fn metrics(&self) -> Vec<Metric> {
        match self.task {
            Task::Numbers(_) => vec![Metric::MeanAbsoluteError, Metric::RootMeanSquaredError],
            _ => vec![self.task.metric()],
        }
    }

    /// All of it.
    pub fn goal(&self) -> Goal {
        let goal = Goal::new(self.loss.clone()).weight(self.weight());
        goal.metrics(&self.metrics())
    }
}

/// How a loss grows with the target's unit.
enum Unit {
    Squared,
    Same,
}

/// None of a loss that is not one of the target's distance, or depends on its unit
/// otherwise.
fn unit(loss: &Loss) -> Option<Unit> {
    match loss.class() {
        "MeanSquaredError" => Some(Unit::Squared),
        // Where errors are large, as they are in most targets' units.
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
