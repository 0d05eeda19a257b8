//! The loss and the metrics on data that is not trained on.

use super::feeds::tensors;
use super::history::Logs;
use super::meters::Meters;
use super::runner::{Batch, Runner};
use crate::data::{Batches, Dataset, Tensor};
use crate::engine::{Engine, Step};
use crate::error::Result;
use crate::model::Model;
use crate::model::lowering::Wanted;
use crate::plan::Mode;

/// Rows of an evaluation batch: enough to keep the cores busy, few enough to
/// stay in their caches.
pub(crate) const ROWS: usize = 256;

/// Evaluation of a model by a runner.
pub(crate) struct Evaluation {
    tensors: Vec<Tensor>,
    batches: Batches,
    batch: Batch,
    meters: Meters,
}

impl Evaluation {
    pub fn new(model: &Model, runner: &Runner, data: &Dataset) -> Result<Self> {
        let (_, plan) = runner.plan(Mode::Evaluate)?;
        Ok(Evaluation {
            tensors: tensors(model, data, true)?,
            batches: Batches::new(data.rows(), plan.rows, false, 0)?,
            batch: runner.batch(Mode::Evaluate)?,
            meters: Meters::new(model)?,
        })
    }

    /// Runs over all rows.
    pub fn run(&mut self, runner: &mut Runner, step: &Step) -> Result<&Meters> {
        self.meters.reset();
        for rows in self.batches.iter() {
            let outputs = self.meters.need_outputs();
            runner.run(&mut self.batch, &self.tensors, rows, step, outputs)?;
            self.meters.add(&self.batch, rows.len());
        }
        Ok(&self.meters)
    }
}

impl Model {
    /// The loss and the metrics on `data`, under their names.
    pub fn evaluate(&self, data: &Dataset) -> Result<Logs> {
        self.evaluate_on(crate::engine::default().as_ref(), data)
    }

    pub(crate) fn evaluate_on(&self, engine: &dyn Engine, data: &Dataset) -> Result<Logs> {
        super::check::labelled(self, data)?;
        let wanted = Wanted {
            mode: Mode::Evaluate,
            rows: data.rows().min(ROWS),
            weighted: data.sample_weight().is_some(),
            mixed: false,
        };
        let mut runner = Runner::new(self, engine, &[wanted])?;
        let mut evaluation = Evaluation::new(self, &runner, data)?;
        let step = Step {
            seed: self.seed,
            ..Step::default()
        };
        Ok(evaluation.run(&mut runner, &step)?.report())
    }
}
