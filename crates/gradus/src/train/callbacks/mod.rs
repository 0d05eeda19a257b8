//! Callbacks between epochs and batches.

mod early_stopping;
mod gradual_unfreezing;
mod learning_rate_scheduler;
mod pruning;
mod reduce_lr_on_plateau;
mod terminate_on_nan;

use super::health::HealthView;
use super::history::Logs;
use super::meters::Meters;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::model::lowering::PlanSpec;
use crate::predict::device::Device;
use crate::predict::runner::Runner;
use crate::rules::metrics::Better;
use crate::rules::optimizers::{LearningRate, Optimizer};
use std::fmt;

pub use early_stopping::{EarlyStopping, EarlyStoppingProgress};
pub use gradual_unfreezing::{GradualUnfreezing, Layers, Stage};
pub use learning_rate_scheduler::LearningRateScheduler;
pub use pruning::Pruning;
pub use reduce_lr_on_plateau::{ReduceLROnPlateau, ReduceLROnPlateauProgress};
pub use terminate_on_nan::TerminateOnNaN;

/// Keras' hooks. Each does nothing by default.
///
/// An error ends the training at once; [`Error::other`] makes one of a program's own. A callback of one's own is a struct with
/// the hooks that it needs:
///
/// ```
/// use gradus::prelude::*;
///
/// /// Ends the training when it is good enough.
/// struct GoodEnough(f64);
///
/// impl Callback for GoodEnough {
///     fn on_epoch_end(
///         &mut self,
///         epoch: usize,
///         logs: &Logs,
///         training: &mut Training<'_>,
///     ) -> gradus::Result<()> {
///         if logs.get("accuracy").is_some_and(|accuracy| accuracy >= self.0) {
///             println!("good enough after epoch {epoch}");
///             training.stop();
///         }
///         Ok(())
///     }
/// }
///
/// let mut model = Sequential::new()
///     .add(Flatten::new())
///     .add(Dense::new(10).activation(Activation::Softmax))
///     .compile(Nadam::new(), Loss::SparseCategoricalCrossentropy, &[Metric::Accuracy])?;
/// let options = Fit::new().epochs(100).callback(GoodEnough(0.9));
/// let history = model.fit(&data::digits(Split::Train)?, options)?;
/// assert!(history.epochs.len() < 100);
/// # Ok::<(), gradus::Error>(())
/// ```
pub trait Callback {
    /// Before the first epoch.
    fn on_train_begin(&mut self, training: &mut Training<'_>) -> Result<()> {
        let _ = training;
        Ok(())
    }

    /// Before each epoch.
    fn on_epoch_begin(&mut self, epoch: usize, training: &mut Training<'_>) -> Result<()> {
        let _ = (epoch, training);
        Ok(())
    }

    /// Before each step.
    fn on_train_batch_begin(
        &mut self,
        progress: &Progress<'_>,
        training: &mut Training<'_>,
    ) -> Result<()> {
        let _ = (progress, training);
        Ok(())
    }

    /// After each step. Stopping here ends the epoch too.
    fn on_train_batch_end(
        &mut self,
        progress: &Progress<'_>,
        training: &mut Training<'_>,
    ) -> Result<()> {
        let _ = (progress, training);
        Ok(())
    }

    /// After each step at which the health of the layers was sampled, before
    /// [`on_train_batch_end`](Self::on_train_batch_end).
    fn on_health(&mut self, health: &HealthView<'_>, training: &mut Training<'_>) -> Result<()> {
        let _ = (health, training);
        Ok(())
    }

    /// Before each epoch's validation.
    fn on_test_begin(&mut self, training: &mut Training<'_>) -> Result<()> {
        let _ = training;
        Ok(())
    }

    /// After each batch of it; the progress is that of the epoch's training.
    fn on_test_batch_end(
        &mut self,
        progress: &Progress<'_>,
        training: &mut Training<'_>,
    ) -> Result<()> {
        let _ = (progress, training);
        Ok(())
    }

    /// After it, with its results: `loss` and the metrics, without `val_`.
    fn on_test_end(&mut self, logs: &Logs, training: &mut Training<'_>) -> Result<()> {
        let _ = (logs, training);
        Ok(())
    }

    /// After each epoch and its validation.
    fn on_epoch_end(
        &mut self,
        epoch: usize,
        logs: &Logs,
        training: &mut Training<'_>,
    ) -> Result<()> {
        let _ = (epoch, logs, training);
        Ok(())
    }

    /// After the last epoch.
    fn on_train_end(&mut self, training: &mut Training<'_>) -> Result<()> {
        let _ = training;
        Ok(())
    }
}

impl<C: Callback + ?Sized> Callback for &mut C {
    fn on_train_begin(&mut self, training: &mut Training<'_>) -> Result<()> {
        (**self).on_train_begin(training)
    }

    fn on_epoch_begin(&mut self, epoch: usize, training: &mut Training<'_>) -> Result<()> {
        (**self).on_epoch_begin(epoch, training)
    }

    fn on_train_batch_begin(
        &mut self,
        progress: &Progress<'_>,
        training: &mut Training<'_>,
    ) -> Result<()> {
        (**self).on_train_batch_begin(progress, training)
    }

    fn on_train_batch_end(
        &mut self,
        progress: &Progress<'_>,
        training: &mut Training<'_>,
    ) -> Result<()> {
        (**self).on_train_batch_end(progress, training)
    }

    fn on_health(&mut self, health: &HealthView<'_>, training: &mut Training<'_>) -> Result<()> {
        (**self).on_health(health, training)
    }

    fn on_test_begin(&mut self, training: &mut Training<'_>) -> Result<()> {
        (**self).on_test_begin(training)
    }

    fn on_test_batch_end(
        &mut self,
        progress: &Progress<'_>,
        training: &mut Training<'_>,
    ) -> Result<()> {
        (**self).on_test_batch_end(progress, training)
    }

    fn on_test_end(&mut self, logs: &Logs, training: &mut Training<'_>) -> Result<()> {
        (**self).on_test_end(logs, training)
    }

    fn on_epoch_end(
        &mut self,
        epoch: usize,
        logs: &Logs,
        training: &mut Training<'_>,
    ) -> Result<()> {
        (**self).on_epoch_end(epoch, logs, training)
    }

    fn on_train_end(&mut self, training: &mut Training<'_>) -> Result<()> {
        (**self).on_train_end(training)
    }
}

/// The progress of an epoch.
pub struct Progress<'a> {
    /// The epoch, from 0.
    pub epoch: usize,
    /// Exclusive end of the epochs.
    pub epochs: usize,
    /// The current batch, from 0.
    pub batch: usize,
    /// The batches of an epoch.
    pub batches: usize,
    pub(super) meters: &'a Meters,
}

impl fmt::Debug for Progress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress")
            .field("epoch", &self.epoch)
            .field("epochs", &self.epochs)
            .field("batch", &self.batch)
            .field("batches", &self.batches)
            .field("logs", &self.logs())
            .finish()
    }
}

impl Progress<'_> {
    /// The mean loss of the epoch so far; NaN before its first step.
    pub fn loss(&self) -> f64 {
        self.meters.loss()
    }

    /// Loss and metrics of the epoch so far.
    pub fn logs(&self) -> Logs {
        self.meters.report()
    }

    /// The metrics of the epoch so far, by name.
    pub fn metrics(&self) -> impl Iterator<Item = (&str, f64)> {
        self.meters.metrics()
    }

    /// The sums that loss and metrics of the epoch so far are made of.
    pub(crate) fn sums(&self) -> Vec<f64> {
        self.meters.sums()
    }
}

/// A running training, which a callback may inspect and steer.
pub struct Training<'a> {
    pub(super) model: &'a mut Model,
    pub(super) runner: Runner,
    device: Device,
    specs: Vec<PlanSpec>,
    pub(super) learning_rate: f64,
    pub(super) stop: bool,
    /// True if non-finite values are kept out of the model.
    pub(super) guarded: bool,
    /// True if there were some: the model no longer equals the engine's state.
    pub(super) broken: bool,
    /// Steps of the whole training, from epoch 0 on.
    pub(super) steps: usize,
    /// True while the model is not yet what it is to become, so that no epoch is the best one.
    pub(super) unfinished: bool,
    /// The class that the last validation predicted for every row, if there is one such.
    pub(super) one_class: Option<usize>,
    /// True if the plans take kept features in place of the frozen beginning.
    pub(super) from_features: bool,
    /// True if the plans are others than those that batches were made for.
    pub(super) replanned: bool,
    /// Steps taken at the model's state, and the optimizer's scalars then.
    kept: (u64, Vec<f32>),
}

impl<'a> Training<'a> {
    /// The model on the device, with the specified plans.
    pub(super) fn new(
        model: &'a mut Model,
        device: Device,
        specs: Vec<PlanSpec>,
        learning_rate: f64,
    ) -> Result<Self> {
        Ok(Training {
            runner: Runner::new(model, &device, &specs)?,
            kept: (model.state.iteration, model.state.scalars.clone()),
            model,
            device,
            specs,
            learning_rate,
            stop: false,
            guarded: false,
            broken: false,
            steps: 0,
            unfinished: false,
            one_class: None,
            from_features: false,
            replanned: false,
        })
    }

    /// Changes the model by `how`, and lowers the plans anew. Weights stay, and so do the slots of
    /// the variables that are still trained.
    pub(super) fn change(&mut self, how: impl FnOnce(&mut Model) -> Result<()>) -> Result<()> {
        self.download();
        how(self.model)?;
        self.plan(false)
    }

    /// Lowers the plans anew, with or without the frozen beginning. The one that observes the layers
    /// has it always.
    pub(super) fn plan(&mut self, from_features: bool) -> Result<()> {
        for spec in &mut self.specs {
            spec.from_features = from_features && !spec.observed;
        }
        self.runner = Runner::new(self.model, &self.device, &self.specs)?;
        (self.from_features, self.replanned) = (from_features, true);
        Ok(())
    }

    /// True if the outputs of the frozen layers at the model's beginning were computed once for each
    /// row and are kept: see [`Fit`](crate::train::Fit).
    pub fn keeps_features(&self) -> bool {
        self.from_features
    }

    /// From the next step on, zeros of these variables, by layer and name, stay zeros.
    pub(super) fn keep_zeros(&mut self, of: Vec<(String, &'static str)>) -> Result<()> {
        self.change(|model| {
            if let Some(optimizer) = optimizer_mut(model) {
                optimizer.pruned = of;
            }
            Ok(())
        })
    }

    /// Changes the weights by `how`, unless they are guarded and not finite.
    pub(super) fn edit(&mut self, how: impl FnOnce(&mut Model)) -> Result<()> {
        self.download();
        if self.broken {
            return Ok(());
        }
        how(self.model);
        self.upload()
    }

    /// Uploads the model's weights. Features of frozen layers are those of other weights then.
    fn upload(&mut self) -> Result<()> {
        if self.from_features {
            return self.plan(false);
        }
        self.runner.upload(self.model);
        Ok(())
    }

    /// True while the model is not yet what it is to become (pruning has not come to its last
    /// share): no epoch is the best one.
    pub(crate) fn is_unfinished(&self) -> bool {
        self.unfinished
    }

    /// The device, for plans of one's own.
    pub(super) fn device(&self) -> &Device {
        &self.device
    }

    /// Steps taken at the model's state.
    pub(super) fn kept_iteration(&self) -> u64 {
        self.kept.0
    }

    /// Uploads the model's state to the engine again.
    pub(super) fn roll_back(&mut self) {
        let state = &mut self.model.state;
        state.iteration = self.kept.0;
        state.scalars.clone_from(&self.kept.1);
        self.runner.upload(self.model);
        self.broken = false;
    }

    /// Downloads weights, optimizer state and learning rate into the model, unless they are guarded
    /// and not finite.
    pub(super) fn download(&mut self) {
        if self.guarded && !self.runner.is_finite() {
            self.broken = true;
            return;
        }
        self.runner.download(self.model);
        let state = &self.model.state;
        self.kept.0 = state.iteration;
        self.kept.1.clone_from(&state.scalars);
        set_rate(self.model, self.learning_rate);
    }

    /// As [`Training::snapshot`], behind a step; none if that has ended the epoch, or broken the
    /// training.
    pub(crate) fn snapshot_inside(&self, progress: &Progress<'_>) -> Option<Model> {
        match self.stop || self.guarded && !progress.loss().is_finite() {
            true => None,
            false => self.snapshot(),
        }
    }

    /// A copy of the model with the current weights, optimizer state and learning rate; none if
    /// they are guarded and not finite. Unlike [`Training::model`] it may be called inside an epoch:
    /// the state that a broken training goes back to stays as it is.
    pub(crate) fn snapshot(&self) -> Option<Model> {
        if self.guarded && !self.runner.is_finite() {
            return None;
        }
        let mut model = self.model.clone();
        self.runner.download(&mut model);
        set_rate(&mut model, self.learning_rate);
        Some(model)
    }

    /// The model with the current weights, optimizer state and learning rate.
    pub fn model(&mut self) -> &Model {
        self.download();
        self.model
    }

    /// The model as it was when its state was last downloaded: what a broken training is back at.
    pub(crate) fn kept(&self) -> &Model {
        self.model
    }

    /// The current weights, in the order of [`Model::weights`].
    pub fn weights(&mut self) -> Vec<Vec<f32>> {
        self.model().weights().map(|w| w.values.clone()).collect()
    }

    /// Replaces the weights, in the order of [`Model::weights`].
    pub fn set_weights(&mut self, weights: &[Vec<f32>]) -> Result<()> {
        self.download();
        let own = self.model.layers.iter_mut().flat_map(|l| &mut l.weights);
        for (weight, values) in own.zip(weights) {
            weight.set(values)?;
        }
        self.upload()
    }

    /// The current weights, and behind them the ranges that quantization-aware training has learned.
    pub(super) fn values(&mut self) -> Vec<Vec<f32>> {
        self.model().values()
    }

    /// Replaces the weights, and the learned ranges behind them.
    pub(super) fn set_values(&mut self, values: &[Vec<f32>]) -> Result<()> {
        self.download();
        self.model.set_values(values)?;
        self.upload()
    }

    /// Freezes or unfreezes layers from the next step on, as [`Model::set_trainable`]. Variables
    /// trained before and after keep the optimizer's slots; those of others start anew, or from
    /// their state when they were frozen.
    pub fn set_trainable(&mut self, pattern: &str, trainable: bool) -> Result<()> {
        self.change(|model| model.set_trainable(pattern, trainable))
    }

    /// The learning rate, if no schedule sets it.
    pub fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    /// Sets the learning rate of the following steps.
    pub fn set_learning_rate(&mut self, rate: f64) {
        self.learning_rate = rate;
    }

    /// The better direction of a monitored value, for a callback with this mode.
    pub(crate) fn better(&self, mode: Direction, monitor: &str) -> Result<Better> {
        mode.of(monitor, self.model)
    }

    /// The class that the last validation predicted for every row, if there is one such, and the
    /// metrics needed the predictions.
    pub(crate) fn one_class(&self) -> Option<usize> {
        self.one_class
    }

    /// Ends the training after this epoch, or after this step if one is running.
    pub fn stop(&mut self) {
        self.stop = true;
    }

    /// True if a callback has ended the training.
    pub fn is_stopping(&self) -> bool {
        self.stop
    }
}

/// The model's optimizer, if it has one.
pub(super) fn optimizer_mut(model: &mut Model) -> Option<&mut Optimizer> {
    model.compiled.as_mut()?.optimizer.as_mut()
}

/// Sets the rate of the model's optimizer, unless a schedule of its own does.
fn set_rate(model: &mut Model, now: f64) {
    if let Some(optimizer) = optimizer_mut(model)
        && let LearningRate::Constant(rate) = &mut optimizer.learning_rate
    {
        *rate = now;
    }
}

/// The better direction of a monitored value.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The metric's own, whatever its name; smaller for losses.
    #[default]
    Auto,
    /// Smaller is better.
    Min,
    /// Larger is better.
    Max,
}

impl Direction {
    /// Resolves the direction for that value of the model. A value without one of its own (a count
    /// such as `TruePositives`, the learning rate) is an error that asks for it.
    pub fn of(self, monitor: &str, model: &Model) -> Result<Better> {
        match self {
            Direction::Min => return Ok(Better::Smaller),
            Direction::Max => return Ok(Better::Larger),
            Direction::Auto => {}
        }
        let name = monitor.strip_prefix("val_").unwrap_or(monitor);
        let found = model.measured().into_iter().find(|(n, _)| n == name);
        let is_rate = name == "learning_rate";
        if found.is_none() && !is_rate {
            let of_model = model.measurements();
            let of_rows = of_model.iter().map(|name| format!("val_{name}"));
            let known: Vec<String> = of_model.iter().cloned().chain(of_rows).collect();
            let known = known.iter().map(String::as_str).chain(["learning_rate"]);
            return Err(Error::unknown("monitor", "measurement", monitor, known));
        }
        let better = found.and_then(|(_, better)| better);
        better.ok_or_else(|| {
            let problem = format!(
                "`{monitor}` does not say by itself whether smaller or larger is better: set \
                 `mode` to \"min\" or \"max\""
            );
            let at = "mode".to_owned();
            Error::Config { at, problem }
        })
    }
}

/// True if `now` is better than `best` by more than `min_delta`.
pub(crate) fn improves(better: Better, now: f64, best: Option<f64>, min_delta: f64) -> bool {
    match (best, better) {
        (None, _) => !now.is_nan(),
        (Some(best), Better::Larger) => now - min_delta > best,
        (Some(best), Better::Smaller) => now + min_delta < best,
    }
}

/// The monitored value, or an error that lists the available ones.
pub(crate) fn monitored(logs: &Logs, monitor: &str) -> Result<f64> {
    logs.get(monitor).ok_or_else(|| {
        let of_validation = |name: &str| name.starts_with("val_");
        if of_validation(monitor) && !logs.names().any(of_validation) {
            let found = format!("`{monitor}`, and no validation rows");
            let expected = "validation rows (`Fit::validation_split`, `Fit::validation_data`; in a \
                            configuration `data.validation`), or a measurement of training rows, such as `loss`";
            return Error::invalid("monitor", found, expected);
        }
        Error::unknown("monitor", "measurement", monitor, logs.names())
    })
}
