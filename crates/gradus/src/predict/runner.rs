//! A model on an engine: transfer of weights, and single batches.

use super::device::Device;
use crate::base::memory;
use crate::data::Tensor;
use crate::engine::{Fill, Session, Step};
use crate::error::{Error, Result};
use crate::model::feeds::{FeedRole, FeedSource};
use crate::model::lowering::{Lowered, Owner, PlanSpec};
use crate::model::mixup::Mixup;
use crate::model::observed::ObservedLayer;
use crate::model::{Model, Weight};
use crate::plan::{Mode, Plan};
use crate::rules::fake_quantization::round_weights;
use crate::rules::optimizers::AVERAGE;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// A session for a model's program.
pub(crate) struct Runner {
    session: Box<dyn Session>,
    lowered: Arc<Lowered>,
}

/// Writes rows of a source of feeds. Any thread may call it, for any rows.
type Gather<'a> = dyn Fn(FeedSource, Range<usize>, &mut [f32]) + Sync + 'a;

/// The results of one batch, for one plan.
pub(crate) struct Batch {
    plan: usize,
    feeds: Vec<Vec<f32>>,
    /// The role of each feed.
    roles: Vec<FeedRole>,
    /// Values of each output.
    outputs: Vec<Vec<f32>>,
    /// Losses of each trained output.
    pub losses: Vec<Vec<f32>>,
    /// Penalty added to the mean loss.
    pub penalty: f64,
}

impl Runner {
    pub fn new(model: &Model, device: &Device, specs: &[PlanSpec]) -> Result<Self> {
        let lowered = model.lower(specs)?;
        check_room(&lowered)?;
        let mut runner = Runner {
            session: device.compile(lowered.program.clone())?,
            lowered: Arc::new(lowered),
        };
        runner.upload(model);
        Ok(runner)
    }

    /// A single-threaded session with shared weights, which neither can change any more. Only for
    /// programs that don't train.
    pub fn share(&mut self) -> Self {
        Runner {
            session: self.session.share(),
            lowered: Arc::clone(&self.lowered),
        }
    }

    /// Uploads the model's weights and optimizer state to the engine.
    pub fn upload(&mut self, model: &Model) {
        for (i, owner) in self.lowered.owners.iter().enumerate() {
            let variable = crate::plan::Buffer(i as u32);
            match slot(model, *owner) {
                Some(values) if let Some(channels) = self.rounds(model, *owner) => {
                    let mut rounded = vec![0.0; values.len()];
                    round_weights(values, channels, &mut rounded);
                    self.session.write(variable, &rounded);
                }
                Some(values) => self.session.write(variable, values),
                None if let Some(weight) = averaged(model, *owner) => {
                    self.session.write(variable, &weight.values);
                }
                None => {
                    let start = slot_start(model, *owner);
                    let size = self.lowered.program.variables[i].size;
                    self.session.write(variable, &vec![start; size]);
                }
            }
        }
    }

    /// The output channels of a kernel that is to be rounded before it is uploaded.
    fn rounds(&self, model: &Model, owner: Owner) -> Option<usize> {
        match owner {
            Owner::Weight {
                layer,
                weight: 0,
                slot: None,
            } if self.lowered.rounded[layer] => Some(model.layers[layer].kernel_channels()),
            _ => None,
        }
    }

    /// Downloads them into the model. Not of a program that does not train, whose kernels may be rounded.
    pub fn download(&self, model: &mut Model) {
        for (i, owner) in self.lowered.owners.iter().enumerate() {
            let variable = crate::plan::Buffer(i as u32);
            match *owner {
                Owner::Weight {
                    layer,
                    weight,
                    slot,
                } => {
                    let own = &mut model.layers[layer].weights[weight];
                    match slot {
                        None => self.session.read(variable, &mut own.values),
                        Some(n) => {
                            let size = own.values.len();
                            let values = slot_mut(model, (layer, weight, n));
                            values.resize(size, 0.0);
                            self.session.read(variable, values);
                        }
                    }
                }
                Owner::Range(layer) => {
                    if let Some(range) = &mut model.layers[layer].input_range {
                        self.session.read(variable, range);
                    }
                }
            }
        }
    }

    /// True if all weights are finite, and no optimizer value or learned range is NaN.
    pub fn is_finite(&self) -> bool {
        let variables = &self.lowered.program.variables;
        let most = variables.iter().map(|v| v.size).max().unwrap_or(0);
        let mut values = vec![0.0; most];
        self.lowered.owners.iter().enumerate().all(|(i, owner)| {
            let values = &mut values[..variables[i].size];
            self.session.read(crate::plan::Buffer(i as u32), values);
            // As integers, infinity's bits are above all finite ones, and NaN's above these.
            let bits = values.iter().map(|x| x.abs().to_bits());
            let most = bits.fold(0, u32::max);
            match owner {
                Owner::Weight { slot: None, .. } => most < f32::INFINITY.to_bits(),
                _ => most <= f32::INFINITY.to_bits(),
            }
        })
    }

    /// Replaces the weights by the values of that slot; weights without it stay.
    pub fn take_slot(&mut self, slot: usize) {
        let owners = self.lowered.owners.iter();
        let buffer = |i: usize| crate::plan::Buffer(i as u32);
        let mut weights = HashMap::new();
        for (i, owner) in owners.enumerate() {
            let Owner::Weight {
                layer,
                weight,
                slot: of,
            } = *owner
            else {
                continue;
            };
            if of.is_none() {
                weights.insert((layer, weight), i);
            }
            // Weights come before their slots.
            if let (Some(&weight), true) = (weights.get(&(layer, weight)), of == Some(slot)) {
                let mut values = vec![0.0; self.lowered.program.variables[i].size];
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

    /// The plan that observes, and its layers; `None` if there is none.
    pub fn observing(&self) -> Option<(usize, &[ObservedLayer])> {
        let plans = self.lowered.observed.iter().enumerate();
        let mut plans = plans.map(|(number, layers)| (number, layers.as_slice()));
        plans.find(|(_, layers)| !layers.is_empty())
    }

    /// Copies a result of the last run of a plan.
    pub fn fetch(&self, plan: usize, result: crate::plan::Buffer, to: &mut [f32]) {
        self.session.fetch(plan, result, to);
    }

    /// Allocates for a batch of a mode's plan.
    pub fn batch(&self, mode: Mode) -> Result<Batch> {
        self.batch_of(self.plan(mode)?.0)
    }

    /// Allocates for a batch of the plan with that number.
    pub fn batch_of(&self, number: usize) -> Result<Batch> {
        let plan = &self.lowered.program.plans[number];
        let of_feeds = plan.buffers.iter().filter_map(|info| match info.role {
            crate::plan::Role::Feed(_) => Some(info.size.of(1)),
            _ => None,
        });
        let of_outputs = plan.outputs.iter().map(|(_, shape)| shape.size());
        let of_row = of_feeds.chain(of_outputs).sum();
        let bytes = memory::bytes(size_of::<f32>(), &[of_row, plan.rows]);
        memory::check("", bytes, |amount| {
            format!(
                "{amount} for inputs and outputs of batches of {} rows",
                plan.rows
            )
        })?;
        let mut feeds = Vec::new();
        for info in &plan.buffers {
            if let crate::plan::Role::Feed(n) = info.role {
                debug_assert_eq!(n, feeds.len());
                feeds.push(vec![0.0; info.size.of(plan.rows)]);
            }
        }
        let outputs = plan.outputs.iter();
        let losses = plan.losses.iter();
        Ok(Batch {
            plan: number,
            feeds,
            roles: self.lowered.feeds[number].clone(),
            outputs: outputs
                .map(|(_, shape)| vec![0.0; shape.size() * plan.rows])
                .collect(),
            losses: losses
                .map(|&(_, positions)| vec![0.0; positions * plan.rows])
                .collect(),
            penalty: 0.0,
        })
    }

    /// Gathers the given rows, runs the plan on them, and fetches its results. The tensors
    /// are in the order of [`feeds::order`](crate::model::feeds::order).
    pub fn run(
        &mut self,
        batch: &mut Batch,
        tensors: &[Tensor],
        rows: &[u32],
        step: &Step,
        with_outputs: bool,
    ) -> Result<()> {
        for tensor in tensors {
            tensor.check_rows(rows)?;
        }
        let gather = |from: FeedSource, range: Range<usize>, to: &mut [f32]| {
            // Nothing else is in a plan without mixtures.
            if let FeedSource::Rows(tensor) = from {
                tensors[tensor].copy_rows(&rows[range], to);
            }
        };
        self.run_gathered(batch, &gather, rows.len(), step, with_outputs)
    }

    /// As [`Runner::run`], on the mixtures of the given rows.
    pub fn run_mixed(
        &mut self,
        batch: &mut Batch,
        mixup: &mut Mixup,
        tensors: &[Tensor],
        rows: &[u32],
        step: &Step,
        with_outputs: bool,
    ) -> Result<()> {
        for tensor in tensors {
            tensor.check_rows(rows)?;
        }
        mixup.draw(rows, step.seed, step.iteration);
        let gather = |from: FeedSource, range: Range<usize>, to: &mut [f32]| {
            mixup.fill(from, tensors, range, to);
        };
        self.run_gathered(batch, &gather, rows.len(), step, with_outputs)
    }

    /// Runs the plan on so many rows, which `gather` writes source by source.
    fn run_gathered(
        &mut self,
        batch: &mut Batch,
        gather: &Gather,
        rows: usize,
        step: &Step,
        with_outputs: bool,
    ) -> Result<()> {
        let lowered = Arc::clone(&self.lowered);
        let sources = &lowered.sources[batch.plan];
        let fill = |feed: usize, range: Range<usize>, to: &mut [f32]| {
            gather(sources[feed], range, to);
        };
        self.run_filled(batch, &fill, rows, step, with_outputs)
    }

    /// Runs the plan on `rows` rows written by `fill`, and fetches its results.
    fn run_filled(
        &mut self,
        batch: &mut Batch,
        fill: &Fill,
        rows: usize,
        step: &Step,
        with_outputs: bool,
    ) -> Result<()> {
        self.start(batch, rows, fill, step);
        if let Some(error) = self.session.failure() {
            return Err(error);
        }
        let plan = &self.lowered.program.plans[batch.plan];
        for (&(losses, positions), values) in plan.losses.iter().zip(&mut batch.losses) {
            let values = &mut values[..rows * positions];
            self.session.fetch(batch.plan, losses, values);
        }
        batch.penalty = 0.0;
        for &(buffer, by_row) in &plan.penalties {
            let mut penalty = [0.0];
            self.session.fetch(batch.plan, buffer, &mut penalty);
            let share = if by_row { rows as f64 } else { 1.0 };
            batch.penalty += f64::from(penalty[0]) / share;
        }
        if with_outputs {
            for ((buffer, shape), values) in plan.outputs.iter().zip(&mut batch.outputs) {
                let values = &mut values[..shape.size() * rows];
                self.session.fetch(batch.plan, *buffer, values);
            }
        }
        Ok(())
    }

    /// Runs the plan on `rows` rows written by `fill`, and fetches nothing.
    pub fn start(&mut self, batch: &mut Batch, rows: usize, fill: &Fill, step: &Step) {
        self.session
            .run(batch.plan, rows, &mut batch.feeds, fill, step);
    }

    /// Copies rows of the plan's n-th output in the last run, as many as fit into `to`.
    pub fn fetch_output(&self, batch: &Batch, number: usize, to: &mut [f32]) {
        let (buffer, _) = self.lowered.program.plans[batch.plan].outputs[number];
        self.session.fetch(batch.plan, buffer, to);
    }
}

impl Batch {
    /// The number of its plan.
    pub fn plan(&self) -> usize {
        self.plan
    }

    /// The numbers of the feed of that role; none in a plan without it.
    pub fn feed(&self, role: FeedRole) -> Option<&[f32]> {
        let number = self.roles.iter().position(|&other| other == role)?;
        self.feeds.get(number).map(Vec::as_slice)
    }

    /// An output's values for the last run's rows.
    pub fn output(&self, number: usize, rows: usize, size: usize) -> &[f32] {
        &self.outputs[number][..rows * size]
    }
}

/// Refuses weights and optimizer slots that do not fit: on the engine, and slots here once more.
fn check_room(lowered: &Lowered) -> Result<()> {
    let owners = lowered.owners.iter().zip(&lowered.program.variables);
    let all =
        owners.map(|(owner, variable)| variable.size * (1 + usize::from(owner.slot().is_some())));
    let bytes = memory::bytes(size_of::<f32>(), &[all.sum()]);
    memory::check("", bytes, |amount| {
        format!("{amount} for the weights and the optimizer's state")
    })
}

fn slot(model: &Model, owner: Owner) -> Option<&[f32]> {
    match owner {
        Owner::Weight {
            layer,
            weight,
            slot: None,
        } => Some(&model.layers[layer].weights[weight].values),
        Owner::Weight {
            layer,
            weight,
            slot: Some(n),
        } => {
            let slots = model.state.slots.get(layer)?.get(weight)?;
            let values = slots.get(n).filter(|values| !values.is_empty())?;
            Some(values)
        }
        Owner::Range(layer) => model.layers[layer]
            .input_range
            .as_ref()
            .map(|range| &range[..]),
    }
}

/// The weight of a moving average, which starts there if training has already begun.
fn averaged(model: &Model, owner: Owner) -> Option<&Weight> {
    let optimizer = model.compiled.as_ref().and_then(|c| c.optimizer.as_ref());
    let name = |slot: usize| optimizer.and_then(|o| o.slots().get(slot).copied());
    match owner {
        Owner::Weight {
            layer,
            weight,
            slot: Some(slot),
        } if name(slot) == Some(AVERAGE) => Some(&model.layers[layer].weights[weight]),
        _ => None,
    }
}

/// The initial value of a slot.
fn slot_start(model: &Model, owner: Owner) -> f32 {
    let optimizer = model.compiled.as_ref().and_then(|c| c.optimizer.as_ref());
    match (optimizer, owner.slot()) {
        (Some(optimizer), Some(slot)) => optimizer.slot_start(slot),
        _ => 0.0,
    }
}

fn slot_mut(model: &mut Model, (layer, weight, n): (usize, usize, usize)) -> &mut Vec<f32> {
    fn at<T: Default>(list: &mut Vec<T>, i: usize) -> &mut T {
        if list.len() <= i {
            list.resize_with(i + 1, T::default);
        }
        &mut list[i]
    }
    let layer = at(&mut model.state.slots, layer);
    at(at(layer, weight), n)
}
