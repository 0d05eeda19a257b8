//! Loss and metrics on data that is not trained on.

use super::batch_loader::BatchLoader;
use super::history::Logs;
use super::meters::Meters;
use super::together;
use crate::base::ranks::Collective;
use crate::data::{Data, Tensor};
use crate::engine::Step;
use crate::error::Result;
use crate::model::Model;
use crate::model::lowering::PlanSpec;
use crate::plan::Mode;
use crate::predict::device::Device;
use crate::predict::runner::{Batch, Runner};
use std::sync::Arc;

/// Rows of an evaluation batch: enough to keep the cores busy, few enough to stay in their caches.
pub(crate) const ROWS: usize = 256;

/// Evaluation of a model by a runner.
pub(crate) struct Evaluation {
    loader: BatchLoader,
    batch: Batch,
    /// As those of the training's steps.
    with_features: Option<Vec<Tensor>>,
    meters: Meters,
    /// The number of classes of the only output, if that is what it has.
    classes: Option<usize>,
    predicted: Predicted,
}

/// The classes that were predicted.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Predicted {
    Nothing,
    One(usize),
    Several,
}

impl Evaluation {
    pub fn new(model: &Model, runner: &Runner, data: &Data) -> Result<Self> {
        let (_, plan) = runner.plan(Mode::Evaluate)?;
        Ok(Evaluation {
            loader: BatchLoader::measuring(model, data, plan.rows)?,
            batch: runner.batch(Mode::Evaluate)?,
            with_features: None,
            meters: Meters::new(model)?,
            classes: classes(model)?,
            predicted: Predicted::Nothing,
        })
    }

    /// Takes the batches of another plan, from features or from none.
    pub fn change_plan(&mut self, runner: &Runner, features: Option<&[Tensor]>) -> Result<()> {
        self.batch = runner.batch(Mode::Evaluate)?;
        self.with_features = self.loader.with_features(features);
        Ok(())
    }

    /// Runs over all rows.
    pub fn run(&mut self, runner: &mut Runner, step: &Step) -> Result<Logs> {
        self.begin();
        let mut number = 0;
        while self.take(runner, step, number)? {
            number += 1;
        }
        Ok(self.report())
    }

    /// Begins anew.
    pub fn begin(&mut self) {
        self.meters.reset();
        self.predicted = Predicted::Nothing;
        self.loader.start_epoch(0);
    }

    /// Runs over the rows of the n-th batch, which are requested in order; false if there are none.
    pub fn take(&mut self, runner: &mut Runner, step: &Step, number: usize) -> Result<bool> {
        if !self.loader.wait_for(number)? {
            return Ok(false);
        }
        let (tensors, rows) = self.loader.batch(number)?;
        let tensors = self.with_features.as_deref().unwrap_or(tensors);
        let outputs = self.meters.need_outputs();
        runner.run(&mut self.batch, tensors, rows, step, outputs)?;
        self.meters.add(&self.batch, rows.len());
        if let (Some(classes), true) = (self.classes, outputs) {
            self.predicted
                .add(self.batch.output(0, rows.len(), classes), classes);
        }
        Ok(true)
    }

    /// The class that was predicted for every row, if there is one such.
    pub fn one_class(&self) -> Option<usize> {
        match self.predicted {
            Predicted::One(class) => Some(class),
            Predicted::Nothing | Predicted::Several => None,
        }
    }

    /// Loss and metrics of the rows so far.
    pub fn report(&self) -> Logs {
        self.meters.report()
    }
}

impl Predicted {
    /// Adds the predictions of rows of so many values.
    fn add(&mut self, outputs: &[f32], classes: usize) {
        for row in outputs.chunks_exact(classes) {
            let best = row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
            let class = best.map_or(0, |(class, _)| class);
            *self = match *self {
                Predicted::Nothing => Predicted::One(class),
                Predicted::One(one) if one == class => continue,
                _ => Predicted::Several,
            };
            if *self == Predicted::Several {
                return;
            }
        }
    }
}

/// The number of classes of a model's only output, one prediction a row; `None` of other models.
fn classes(model: &Model) -> Result<Option<usize>> {
    let names = ["SparseCategoricalCrossentropy", "CategoricalCrossentropy"];
    let mut trained = model.compiled()?.trained();
    let (Some((0, of_output)), None) = (trained.next(), trained.next()) else {
        return Ok(None);
    };
    let shapes = model.output_shapes()?;
    let plain = shapes
        .iter()
        .all(|shape| shape.size() == shape.last() && shape.size() > 1);
    let fits = shapes.len() == 1 && plain && names.contains(&of_output.loss.class());
    Ok(fits.then(|| shapes[0].size()))
}

impl Model {
    /// The loss and the metrics on `data`, with their names: a `&Dataset`, a
    /// [`&Stream`](crate::data::Stream), or a [`&Generator`](crate::data::Generator), read to its
    /// end.
    pub fn evaluate(&self, data: impl Into<Data>) -> Result<Logs> {
        self.evaluate_on(&Device::default(), data.into())
    }

    /// As [`Model::evaluate`], as one of several [ranks](crate::ranks), each of which has the same model and the same
    /// rows: each computes its rows of every batch, and all of them end with the numbers that one gets alone, bit
    /// for bit.
    ///
    /// The ranks compare models and data first; an error names the rank that is different.
    pub fn evaluate_on_ranks(
        &self,
        data: impl Into<Data>,
        ranks: Arc<dyn Collective>,
    ) -> Result<Logs> {
        let data = data.into();
        let measured = self.agrees_on_ranks(&data, &*ranks).and_then(|()| {
            let device = match ranks.ranks() {
                1 => Device::default(),
                _ => Device::ranked(Arc::clone(&ranks), true),
            };
            self.evaluate_on(&device, data)
        });
        if let Err(error) = &measured {
            together::fail(&*ranks, error);
        }
        measured
    }

    fn evaluate_on(&self, device: &Device, data: Data) -> Result<Logs> {
        crate::predict::check::labelled(self, data.sample())?;
        let mut runner = Runner::new(self, device, &[plan_spec(&data, ROWS)])?;
        let mut evaluation = Evaluation::new(self, &runner, &data)?;
        let step = Step {
            seed: self.seed,
            ..Step::default()
        };
        evaluation.run(&mut runner, &step)
    }
}

/// The evaluation plan for this data, with at most `rows` rows per batch.
pub(super) fn plan_spec(data: &Data, rows: usize) -> PlanSpec {
    let most = match data {
        // A generator's batches stay whole.
        Data::Generator(generator) => generator.sample().rows(),
        Data::Memory(data) => data.rows().min(rows),
        // Evaluation must work with little memory, too.
        Data::Stream(stream) => stream.rows().min(rows).min(stream.most_of_batch()),
    };
    PlanSpec {
        mode: Mode::Evaluate,
        rows: most,
        weighted: data.sample().sample_weight().is_some(),
        mixed: false,
        bfloat16: false,
        observed: false,
        from_features: false,
    }
}
