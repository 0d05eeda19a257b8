//! A model on an engine: its weights there and back, and one batch at a time.

use crate::data::{Dataset, Tensor};
use crate::engine::{Engine, Session, Step};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::model::lowering::{Lowered, Owner, Wanted};
use crate::plan::{Mode, Plan};
use crate::rules::metrics::{self, Metric};
use crate::train::history::Logs;
use std::ops::Range;

/// A session for a model's program.
pub(crate) struct Runner {
    session: Box<dyn Session>,
    lowered: Lowered,
}

/// The numbers of one batch, for one plan.
pub(crate) struct Batch {
    plan: usize,
    feeds: Vec<Vec<f32>>,
    outputs: Vec<f32>,
    losses: Vec<f32>,
    /// What is added to the mean loss.
    penalty: f64,
}

impl Runner {
    pub fn new(model: &Model, engine: &dyn Engine, wanted: &[Wanted]) -> Result<Self> {
        let lowered = model.lower(wanted)?;
        let mut runner = Runner {
            session: engine.session(lowered.program.clone()),
            lowered,
        };
        runner.upload(model);
        Ok(runner)
    }

    /// The model's weights and optimizer state go to the engine.
    pub fn upload(&mut self, model: &Model) {
        for (i, owner) in self.lowered.owners.iter().enumerate() {
            let variable = crate::plan::Buffer(i as u32);
            match slot(model, *owner) {
                Some(values) => self.session.write(variable, values),
                None => {
                    let start = slot_start(model, *owner);
                    let size = self.lowered.program.variables[i].size;
                    self.session.write(variable, &vec![start; size]);
                }
            }
        }
    }

    /// They come back into the model.
    pub fn download(&self, model: &mut Model) {
        for (i, owner) in self.lowered.owners.iter().enumerate() {
            let variable = crate::plan::Buffer(i as u32);
            let weight = &mut model.layers[owner.layer].weights[owner.weight];
            match owner.slot {
                None => self.session.read(variable, &mut weight.values),
                Some(n) => {
                    let size = weight.values.len();
                    let values = slot_mut(model, *owner, n);
                    values.resize(size, 0.0);
                    self.session.read(variable, values);
                }
            }
        }
    }

    /// The weights become what is kept in that slot; those without it stay.
    pub fn take_slot(&mut self, slot: usize) {
        let owners = &self.lowered.owners;
        for (i, owner) in owners.iter().enumerate() {
            let weight = owners
                .iter()
                .position(|o| (o.layer, o.weight, o.slot) == (owner.layer, owner.weight, None));
            if let (Some(weight), true) = (weight, owner.slot == Some(slot)) {
                let mut values = vec![0.0; self.lowered.program.variables[i].size];
                let buffer = |i: usize| crate::plan::Buffer(i as u32);
                self.session.read(buffer(i), &mut values);
                self.session.write(buffer(weight), &values);
            }
        }
    }

    /// The plan for a mode.
    pub fn plan(&self, mode: Mode) -> Result<(usize, &Plan)> {
        let plans = self.lowered.program.plans.iter().enumerate();
        let mut of_mode = plans.filter(|(_, p)| p.mode == mode);
        of_mode
            .next()
            .ok_or_else(|| Error::Internal(format!("no plan for {mode:?}")))
    }

    /// Room for a batch of a mode's plan.
    pub fn batch(&self, mode: Mode) -> Result<Batch> {
        let (number, plan) = self.plan(mode)?;
        let mut feeds = Vec::new();
        for info in &plan.buffers {
            if let crate::plan::Role::Feed(n) = info.role {
                debug_assert_eq!(n, feeds.len());
                feeds.push(vec![0.0; info.size.of(plan.rows)]);
            }
        }
        let outputs: usize = plan.outputs.iter().map(|(_, s)| s.size()).sum();
        let positions = plan.losses.map_or(0, |(_, positions)| positions);
        Ok(Batch {
            plan: number,
            feeds,
            outputs: vec![0.0; outputs * plan.rows],
            losses: vec![0.0; positions * plan.rows],
            penalty: 0.0,
        })
    }

    /// Gathers the given rows, runs the plan on them, and fetches its results.
    pub fn run(
        &mut self,
        batch: &mut Batch,
        tensors: &[&Tensor],
        rows: &[u32],
        step: &Step,
        with_outputs: bool,
    ) -> Result<()> {
        for tensor in tensors {
            tensor.check_rows(rows)?;
        }
        let fill = |feed: usize, range: Range<usize>, to: &mut [f32]| {
            tensors[feed].copy_rows(&rows[range], to);
        };
        self.session
            .run(batch.plan, rows.len(), &mut batch.feeds, &fill, step);
        let plan = &self.lowered.program.plans[batch.plan];
        if let Some((losses, positions)) = plan.losses {
            let n = rows.len() * positions;
            self.session
                .fetch(batch.plan, losses, &mut batch.losses[..n]);
        }
        batch.penalty = 0.0;
        for &(buffer, by_row) in &plan.penalties {
            let mut penalty = [0.0];
            self.session.fetch(batch.plan, buffer, &mut penalty);
            let share = if by_row { rows.len() as f64 } else { 1.0 };
            batch.penalty += f64::from(penalty[0]) / share;
        }
        if with_outputs {
            let mut start = 0;
            for (buffer, shape) in &plan.outputs {
                let n = shape.size() * rows.len();
                let values = &mut batch.outputs[start..start + n];
                self.session.fetch(batch.plan, *buffer, values);
                start += shape.size() * plan.rows;
            }
        }
        Ok(())
    }
}

impl Batch {
    /// The first output's numbers for the rows that were run.
    pub fn output(&self, rows: usize, size: usize) -> &[f32] {
        &self.outputs[..rows * size]
    }
}

/// A batch's inputs, targets and weights, in the order of a plan's feeds.
pub(crate) fn tensors(data: &Dataset, with_targets: bool) -> Vec<&Tensor> {
    let mut all: Vec<&Tensor> = data.inputs().iter().collect();
    if with_targets {
        all.extend(data.targets());
        all.extend(data.sample_weight());
    }
    all
}

fn slot(model: &Model, owner: Owner) -> Option<&[f32]> {
    let values = match owner.slot {
        None => &model.layers[owner.layer].weights[owner.weight].values,
        Some(n) => {
            let slots = model.state.slots.get(owner.layer)?.get(owner.weight)?;
            slots.get(n).filter(|values| !values.is_empty())?
        }
    };
    Some(values)
}

/// What a slot starts at.
fn slot_start(model: &Model, owner: Owner) -> f32 {
    let optimizer = model.compiled.as_ref().map(|c| &c.optimizer);
    match (optimizer, owner.slot) {
        (Some(optimizer), Some(slot)) => optimizer.slot_start(slot),
        _ => 0.0,
    }
}

fn slot_mut(model: &mut Model, owner: Owner, n: usize) -> &mut Vec<f32> {
    fn at<T: Default>(list: &mut Vec<T>, i: usize) -> &mut T {
        if list.len() <= i {
            list.resize_with(i + 1, T::default);
        }
        &mut list[i]
    }
    let layer = at(&mut model.state.slots, owner.layer);
    at(at(layer, owner.weight), n)
}

/// A metric of the batches so far.
struct Meter {
    name: String,
    metric: Metric,
    /// Whether rows count by their weights.
    weighted: bool,
    gathered: Vec<f64>,
}

/// The loss and the metrics of the batches so far.
pub(crate) struct Meters {
    loss: f64,
    rows: f64,
    metrics: Vec<Meter>,
    width: usize,
    target_width: usize,
    size: usize,
}

impl Meters {
    pub fn new(model: &Model) -> Result<Self> {
        let compiled = model.compiled()?;
        let shapes = model.output_shapes()?;
        let [output] = &shapes[..] else {
            return Err(Error::NotReady {
                problem: "only models with one output can be trained".into(),
            });
        };
        let width = output.last();
        let target_width = match compiled.loss.targets() {
            crate::rules::losses::Targets::ClassNumbers => 1,
            crate::rules::losses::Targets::LikeOutputs => width,
        };
        let reported = compiled.reported().into_iter();
        let resolved = reported.map(|(name, metric, weighted)| {
            let metric = metric.resolve(&compiled.loss, width);
            let gathered = metric.start(width);
            Meter {
                name,
                metric,
                weighted,
                gathered,
            }
        });
        Ok(Meters {
            loss: 0.0,
            rows: 0.0,
            metrics: resolved.collect(),
            width,
            target_width,
            size: output.size(),
        })
    }

    /// Whether batches must come with their outputs.
    pub fn need_outputs(&self) -> bool {
        !self.metrics.is_empty()
    }

    pub fn reset(&mut self) {
        self.loss = 0.0;
        self.rows = 0.0;
        for meter in &mut self.metrics {
            meter.gathered.fill(0.0);
        }
    }

    /// Adds a batch of `rows` rows with `inputs` inputs.
    pub fn add(&mut self, batch: &Batch, rows: usize, inputs: usize) {
        let positions = self.size / self.width.max(1);
        let losses = &batch.losses[..rows * positions];
        self.loss += losses.iter().map(|&l| f64::from(l)).sum::<f64>() / positions as f64;
        self.loss += batch.penalty * rows as f64;
        self.rows += rows as f64;
        let targets = &batch.feeds[inputs][..rows * positions * self.target_width];
        let outputs = batch.output(rows, self.size);
        let weights = batch.feeds.get(inputs + 1).map_or(&[][..], |w| &w[..rows]);
        for meter in &mut self.metrics {
            let batch = metrics::Batch {
                targets,
                outputs,
                width: self.width,
                target_width: self.target_width,
                weights: if meter.weighted { weights } else { &[] },
            };
            meter.metric.add(batch, &mut meter.gathered);
        }
    }

    /// The mean loss so far.
    pub fn loss(&self) -> f64 {
        self.loss / self.rows
    }

    /// The metrics so far, by name.
    pub fn metrics(&self) -> impl Iterator<Item = (&str, f64)> {
        let result = |meter: &Meter| meter.metric.result(&meter.gathered);
        self.metrics
            .iter()
            .map(move |meter| (meter.name.as_str(), result(meter)))
    }

    /// Loss and metrics under their names.
    pub fn report(&self) -> Logs {
        let mut logs = Logs::default();
        logs.push("loss", self.loss());
        for (name, value) in self.metrics() {
            logs.push(name, value);
        }
        logs
    }
}
