//! Training steps, one batch after the other.

use super::batch_loader::BatchLoader;
use super::callbacks::{Progress, Training};
use super::health::{self, LayerHealth, LayerHistograms};
use super::meters::Meters;
use crate::data::Tensor;
use crate::engine::Step;
use crate::error::Result;
use crate::model::mixup::Mixup;
use crate::model::{Model, State};
use crate::plan::Mode;
use crate::predict::runner::{Batch, Runner};
use crate::rules::optimizers::{Clock, Optimizer};
use crate::rules::schedules::StepParameters;

/// The training rows in batches, and the results of their steps.
pub(super) struct Steps {
    optimizer: Optimizer,
    loader: BatchLoader,
    batch: Batch,
    /// The numbers of the plan that observes, if there is one.
    observed: Option<Batch>,
    /// The plan's tensors with the features of the frozen beginning behind them, if it is left out.
    with_features: Option<Vec<Tensor>>,
    mixup: Option<Mixup>,
    /// Results since the last reset.
    pub meters: Meters,
}

impl Steps {
    pub fn new(model: &Model, runner: &Runner, loader: BatchLoader) -> Result<Self> {
        Ok(Steps {
            optimizer: model.compiled()?.optimizer()?.clone(),
            loader,
            batch: runner.batch(Mode::Train)?,
            observed: observed(runner)?,
            with_features: None,
            mixup: None,
            meters: Meters::new(model)?,
        })
    }

    /// Takes the batches of other plans, from features or from none.
    pub fn change_plans(&mut self, runner: &Runner, features: Option<&[Tensor]>) -> Result<()> {
        self.batch = runner.batch(Mode::Train)?;
        self.observed = observed(runner)?;
        self.with_features = self.loader.with_features(features);
        Ok(())
    }

    /// Mixup, if it is enabled.
    pub fn with_mixup(mut self, alpha: Option<f64>, batch_size: usize) -> Self {
        self.mixup = alpha.map(|alpha| Mixup::new(alpha, batch_size));
        self
    }

    /// Steps per epoch.
    pub fn count(&self) -> usize {
        self.loader.count()
    }

    /// Orders the rows for that epoch.
    pub fn start_epoch(&mut self, epoch: usize) {
        self.loader.start_epoch(epoch);
    }

    /// Waits for the rows of a batch of the epoch; false if there are no more.
    pub fn wait_for(&mut self, number: usize) -> Result<bool> {
        self.loader.wait_for(number)
    }

    /// True if an epoch can be repeated.
    pub fn repeats(&self) -> bool {
        !matches!(self.loader, BatchLoader::Drawn { .. })
    }

    /// The tensors and row numbers of a batch of the epoch, which was waited for.
    pub fn rows(&self, number: usize) -> Result<(&[Tensor], &[u32])> {
        self.loader.batch(number)
    }

    /// The progress at that batch of that epoch, for callbacks.
    pub fn progress(&self, epoch: usize, epochs: usize, batch: usize) -> Progress<'_> {
        Progress {
            epoch,
            epochs,
            batch,
            batches: self.count(),
            meters: &self.meters,
        }
    }

    /// Trains on one batch of the epoch, which was waited for, and observes the health of the layers.
    /// With histograms, if they are wanted.
    pub fn take_observed(
        &mut self,
        training: &mut Training<'_>,
        number: usize,
        parameters: StepParameters,
        counting: bool,
    ) -> Result<Observed> {
        let Some(observing) = self.observed.take() else {
            self.take(training, number, parameters)?;
            return Ok(Observed::default());
        };
        let usual = std::mem::replace(&mut self.batch, observing);
        let taken = self.run(training, number, parameters, counting);
        let observing = std::mem::replace(&mut self.batch, usual);
        let plan = observing.plan();
        self.observed = Some(observing);
        let (rows, updates) = taken?;
        let Training { model, runner, .. } = training;
        let layers = runner.observing().map_or(&[][..], |(_, layers)| layers);
        let fetch = |buffer, to: &mut [f32]| runner.fetch(plan, buffer, to);
        let of_layer = |layer| health::health(layer, rows, updates, &fetch);
        let histograms = |layer| health::histograms(layer, model, &fetch);
        Ok(Observed {
            layers: layers.iter().map(of_layer).collect(),
            histograms: match counting {
                true => layers.iter().map(histograms).collect(),
                false => Vec::new(),
            },
        })
    }

    /// Trains on one batch of the epoch, which was waited for.
    pub fn take(
        &mut self,
        training: &mut Training<'_>,
        number: usize,
        parameters: StepParameters,
    ) -> Result<()> {
        self.run(training, number, parameters, false)?;
        Ok(())
    }

    /// One step; returns its rows, and true if it has updated the weights.
    fn run(
        &mut self,
        training: &mut Training<'_>,
        number: usize,
        parameters: StepParameters,
        counting: bool,
    ) -> Result<(usize, bool)> {
        let (tensors, rows) = self.loader.batch(number)?;
        let tensors = self.with_features.as_deref().unwrap_or(tensors);
        let model = &mut *training.model;
        let mut step = next(model.seed, &self.optimizer, &mut model.state, parameters);
        step.counting = counting;
        let (batch, outputs) = (&mut self.batch, self.meters.need_outputs());
        let runner = &mut training.runner;
        match &mut self.mixup {
            Some(mixup) => runner.run_mixed(batch, mixup, tensors, rows, &step, outputs)?,
            None => runner.run(batch, tensors, rows, &step, outputs)?,
        }
        model.state.iteration += 1;
        self.meters.add(batch, rows.len());
        Ok((rows.len(), !step.gathering))
    }
}

/// Allocates for a batch of the plan that observes, if there is one.
fn observed(runner: &Runner) -> Result<Option<Batch>> {
    let plan = runner.observing().map(|(plan, _)| plan);
    plan.map(|plan| runner.batch_of(plan)).transpose()
}

/// The health of the layers at a step, and their histograms, if they were wanted.
#[derive(Default)]
pub(super) struct Observed {
    pub layers: Vec<LayerHealth>,
    pub histograms: Vec<LayerHistograms>,
}

/// The step parameters of the next step.
fn next(seed: u64, optimizer: &Optimizer, state: &mut State, parameters: StepParameters) -> Step {
    let gathered = optimizer.gradient_accumulation_steps.unwrap_or(1).max(1);
    // Only schedules and the file count steps of gradient accumulation that don't update.
    let updates = state.iteration / gathered;
    let gathering = !(state.iteration + 1).is_multiple_of(gathered);
    let overwrite = optimizer.ema_overwrite_frequency;
    Step {
        seed,
        iteration: state.iteration,
        coefficients: match gathering {
            true => Default::default(),
            false => optimizer.method.coefficients(Clock {
                iteration: updates,
                learning_rate: parameters.rate as f32,
                momentum: parameters.momentum.map(|m| m as f32),
                scalars: &mut state.scalars,
            }),
        },
        gathering,
        gathered: gathered as f32,
        // The average starts at the weights.
        average_momentum: match updates {
            0 => 0.0,
            _ => optimizer.ema_momentum as f32,
        },
        overwrite: overwrite.is_some_and(|n| (updates + 1).is_multiple_of(n)),
        counting: false,
    }
}
