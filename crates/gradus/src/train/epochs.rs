//! Epochs: steps, validation, and the callbacks between them.

use super::batch_loader::{BatchLoader, Order};
use super::blow_up::{self, Moment, OnNan};
use super::callbacks::{Callback, Training};
use super::evaluate::{self, Evaluation, ROWS};
use super::features;
use super::fit::Fit;
use super::health::{Health, HealthSample, HealthView, Sampling};
use super::history::{Epoch, History, Logs};
use super::position::Position;
use super::precision::Precision;
use super::steps::{Observed, Steps};
use crate::base::ranks::{self, Collective};
use crate::data::Data;
use crate::engine::Step;
use crate::error::{Error, Result, visible};
use crate::model::Model;
use crate::model::lowering::PlanSpec;
use crate::plan::Mode;
use crate::rules::optimizers::{AVERAGE, LearningRate};
use crate::rules::schedules::{self, Schedule, StepParameters};
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A training, from its first epoch to its last.
pub(super) struct Epochs<'a> {
    training: Training<'a>,
    steps: Steps,
    evaluation: Option<Evaluation>,
    schedule: Option<Schedule>,
    /// The rows whose features may be kept.
    rows: Option<features::Rows>,
    /// True if features were looked for with the layers that are frozen now.
    looked: bool,
    callbacks: Vec<Box<dyn Callback + 'a>>,
    /// The part of the first epoch that is done already.
    done: Position,
    /// Exclusive end of the epochs.
    end: usize,
    /// The steps at which health is sampled; `None` without.
    sampling: Option<Sampling>,
    /// The samples so far.
    health: Health,
    /// True if a line is printed after each epoch.
    verbose: bool,
    /// The error, once training has broken.
    blow_up: Option<Error>,
    /// True if the epoch is completed, as a callback has asked for.
    in_order: bool,
    /// The ranks that train together, if there are several.
    ranks: Option<Arc<dyn Collective>>,
    /// Steps taken before the epoch, and its start time.
    began: (u64, Instant),
}

impl<'a> Epochs<'a> {
    /// Lowers the model, and allocates everything that a step needs.
    pub fn new(
        model: &'a mut Model,
        train: &Data,
        held_out: Option<&Data>,
        options: Fit<'a>,
    ) -> Result<Self> {
        let (learning_rate, schedule) = rate(model, options.schedule)?;
        let sample = train.sample();
        let batch_size = match train {
            Data::Generator(_) => sample.rows(),
            _ => options.batch_size,
        };
        let order = Order {
            batch_size,
            shuffle: options.shuffle,
            seed: model.seed,
            epochs: (options.initial_epoch, options.epochs),
            steps_per_epoch: options.steps_per_epoch,
        };
        let loader = BatchLoader::new(model, train, order, &options.class_weight)?;
        let most = batch_size.min(train.rows().unwrap_or(batch_size));
        let train_spec = PlanSpec {
            mode: Mode::Train,
            rows: most,
            weighted: sample.sample_weight().is_some() || !options.class_weight.is_empty(),
            mixed: options.mixup.is_some(),
            bfloat16: options.precision == Precision::MixedBfloat16,
            observed: false,
            from_features: false,
        };
        let sampling = Sampling::new(options.health_every, model.layers.len());
        let observed = PlanSpec {
            observed: true,
            ..train_spec
        };
        let mut specs = vec![train_spec];
        specs.extend(sampling.map(|_| observed));
        specs.extend(held_out.map(|held_out| evaluate::plan_spec(held_out, ROWS.max(batch_size))));
        let mut training = Training::new(model, options.device, specs, learning_rate)?;
        training.guarded = options.on_nan == OnNan::Stop;
        let Training { model, runner, .. } = &training;
        let evaluation = held_out.map(|held_out| Evaluation::new(model, runner, held_out));
        let steps = Steps::new(model, runner, loader)?.with_mixup(options.mixup, most);
        training.steps = options.epochs.saturating_mul(steps.count());
        let rows = features::Rows::of(train, held_out);
        Ok(Epochs {
            // A mixture of two rows has no features of its own.
            rows: rows.filter(|_| options.mixup.is_none()),
            looked: false,
            evaluation: evaluation.transpose()?,
            steps,
            training,
            schedule,
            callbacks: options.callbacks,
            done: options.position,
            end: options.epochs,
            sampling,
            health: Health::default(),
            verbose: options.verbose,
            blow_up: None,
            in_order: false,
            ranks: options.ranks,
            began: (0, Instant::now()),
        })
    }

    /// Trains from that epoch on.
    pub fn run(&mut self, first: usize) -> Result<History> {
        let mut history = History::default();
        for callback in &mut self.callbacks {
            callback.on_train_begin(&mut self.training)?;
        }
        for epoch in first..self.end {
            let start = Instant::now();
            let done = std::mem::take(&mut self.done);
            let Some(logs) = self.epoch(epoch, &done)? else {
                break;
            };
            let seconds = done.seconds + start.elapsed().as_secs_f64();
            let measured = Epoch {
                epoch,
                logs,
                seconds,
            };
            if self.verbose {
                // A failure to print must not stop the training.
                let line = measured.line(self.end);
                let _ = writeln!(std::io::stderr(), "{}", visible(&line));
            }
            history.epochs.push(measured);
            if self.training.stop {
                break;
            }
        }
        if self.blow_up.is_some() {
            self.training.roll_back();
        }
        // Before the callbacks: `restore_best_weights` replaces the averages, as in Keras.
        self.take_averages()?;
        for callback in &mut self.callbacks {
            callback.on_train_end(&mut self.training)?;
        }
        history.health = std::mem::take(&mut self.health);
        match self.blow_up.take() {
            Some(error) if !self.in_order => Err(error),
            _ => Ok(history),
        }
    }

    /// One epoch, but for what is `done` of it, and its validation; `None` if there are no rows for
    /// it.
    fn epoch(&mut self, epoch: usize, done: &Position) -> Result<Option<Logs>> {
        self.steps.start_epoch(epoch);
        if done.step == 0 && !self.steps.wait_for(0)? {
            return Ok(None);
        }
        for callback in &mut self.callbacks {
            callback.on_epoch_begin(epoch, &mut self.training)?;
        }
        self.keep_features(epoch)?;
        let mut used = self.go_to(epoch, done)?;
        for number in done.step..self.steps.count() {
            if number > 0 && !self.steps.wait_for(number)? {
                // The generator has ended: as in Keras, so does training.
                self.training.stop = true;
                break;
            }
            used = self.step(epoch, number)?;
            self.guard(epoch, number, used)?;
            if self.training.stop {
                break;
            }
        }
        if self.training.guarded && self.blow_up.is_none() {
            // The state to keep if the next epoch breaks.
            self.training.download();
            if self.training.broken {
                let last = self.steps.count().saturating_sub(1);
                self.breaks(epoch, last, used)?;
            }
        }
        if self.blow_up.is_some() && !self.in_order {
            return Ok(None);
        }
        let mut logs = self.steps.meters.report();
        self.validate(epoch, &mut logs)?;
        logs.push("learning_rate", used);
        for callback in &mut self.callbacks {
            callback.on_epoch_end(epoch, &logs, &mut self.training)?;
        }
        Ok(Some(logs))
    }

    /// Computes the outputs of the frozen layers at the beginning once for all the rows, if that is
    /// worth it, and trains on these.
    fn keep_features(&mut self, epoch: usize) -> Result<()> {
        self.follow_plans(None)?;
        let Some(rows) = self.rows.as_ref().filter(|_| !self.looked) else {
            return Ok(());
        };
        let found = rows.features(&self.training, self.end - epoch)?;
        if let Some(features) = found {
            // The plans are made with the model's weights.
            self.training.download();
            if !self.training.broken {
                self.training.plan(true)?;
                self.follow_plans(Some(&features))?;
            }
        }
        self.looked = true;
        Ok(())
    }

    /// Makes batches for the plans, if callbacks have changed these.
    fn follow_plans(&mut self, features: Option<&features::Features>) -> Result<()> {
        if !std::mem::take(&mut self.training.replanned) {
            return Ok(());
        }
        self.looked = false;
        let runner = &self.training.runner;
        let of_train = features.map(|features| features.train.as_slice());
        self.steps.change_plans(runner, of_train)?;
        if let Some(evaluation) = &mut self.evaluation {
            let held_out = features.and_then(|features| features.held_out.as_deref());
            evaluation.change_plan(runner, held_out)?;
        }
        Ok(())
    }

    /// Goes to the step after those that are done, whose rows are not read again. Returns the
    /// learning rate of the last of them.
    fn go_to(&mut self, epoch: usize, done: &Position) -> Result<f64> {
        let steps = &mut self.steps;
        steps.meters.reset();
        let taken = self.training.model.state.iteration;
        self.began = (taken.saturating_sub(done.step as u64), Instant::now());
        let Some(last) = done.step.checked_sub(1) else {
            return Ok(self.training.learning_rate);
        };
        if !steps.repeats() || done.step > steps.count() {
            let found = format!("{} steps of an epoch", done.step);
            let expected = format!("at most {}, of rows that are there again", steps.count());
            return Err(Error::invalid("resume", found, expected));
        }
        if !steps.meters.restore(&done.meters) {
            let found = format!("{} sums of loss and metrics", done.meters.len());
            let expected = format!("{}, those of the model's", steps.meters.sums().len());
            return Err(Error::invalid("resume", found, expected));
        }
        Ok(self.parameters(epoch, last, taken.saturating_sub(1)).rate)
    }

    /// Evaluates loss and metrics on the validation rows.
    fn validate(&mut self, epoch: usize, logs: &mut Logs) -> Result<()> {
        if self.evaluation.is_none() {
            return Ok(());
        }
        for callback in &mut self.callbacks {
            callback.on_test_begin(&mut self.training)?;
        }
        let step = Step {
            seed: self.training.model.seed,
            iteration: self.training.model.state.iteration,
            ..Step::default()
        };
        let last = self.steps.count().saturating_sub(1);
        for number in 0.. {
            self.follow_plans(None)?;
            let Some(evaluation) = &mut self.evaluation else {
                break;
            };
            if number == 0 {
                evaluation.begin();
            }
            if !evaluation.take(&mut self.training.runner, &step, number)? {
                break;
            }
            let progress = self.steps.progress(epoch, self.end, last);
            for callback in &mut self.callbacks {
                callback.on_test_batch_end(&progress, &mut self.training)?;
            }
        }
        let Some(evaluation) = &self.evaluation else {
            return Ok(());
        };
        let measured = evaluation.report();
        self.training.one_class = evaluation.one_class();
        for callback in &mut self.callbacks {
            callback.on_test_end(&measured, &mut self.training)?;
        }
        for (name, value) in measured.iter() {
            logs.push(format!("val_{name}"), value);
        }
        Ok(())
    }

    /// One step; returns its learning rate.
    fn step(&mut self, epoch: usize, batch: usize) -> Result<f64> {
        let progress = self.steps.progress(epoch, self.end, batch);
        for callback in &mut self.callbacks {
            callback.on_train_batch_begin(&progress, &mut self.training)?;
        }
        self.follow_plans(None)?;
        let iteration = self.training.model.state.iteration;
        let parameters = self.parameters(epoch, batch, iteration);
        if self.schedule.is_some() && !self.training.learning_rate.is_nan() {
            // The optimizer's rate follows the schedule, as Keras' callbacks set it.
            self.training.learning_rate = parameters.rate;
        }
        self.take(epoch, batch, parameters)?;
        let progress = self.steps.progress(epoch, self.end, batch);
        for callback in &mut self.callbacks {
            match callback.on_train_batch_end(&progress, &mut self.training) {
                Err(error @ Error::BlowUp { .. }) if self.training.guarded => {
                    self.blow_up = Some(error);
                    self.training.stop = true;
                }
                called => called?,
            }
        }
        Ok(parameters.rate)
    }

    /// Takes a step, and samples the health of the layers if it is time.
    fn take(&mut self, epoch: usize, batch: usize, parameters: StepParameters) -> Result<()> {
        let first = epoch.saturating_mul(self.steps.count()) as u64;
        let step = first.saturating_add(batch as u64);
        let training = &mut self.training;
        let Some(sampling) = self.sampling.filter(|sampling| sampling.takes(step)) else {
            return self.steps.take(training, batch, parameters);
        };
        let counting = sampling.is_first(first, step);
        let taken = training.model.state.iteration;
        let Observed { layers, histograms } = self
            .steps
            .take_observed(training, batch, parameters, counting)?;
        let Some((_, observed)) = training.runner.observing() else {
            return Ok(());
        };
        let names = observed
            .iter()
            .map(|of| training.model.layers[of.layer].name.clone());
        self.health.layers = names.collect();
        let sample = HealthSample {
            epoch,
            step: taken,
            layers,
        };
        let view = HealthView {
            layers: &self.health.layers,
            sample: &sample,
            histograms: &histograms,
        };
        for callback in &mut self.callbacks {
            callback.on_health(&view, training)?;
        }
        self.health.samples.push(sample);
        Ok(())
    }

    /// Checks if the step has broken the training.
    fn guard(&mut self, epoch: usize, batch: usize, rate: f64) -> Result<()> {
        if !self.training.guarded || self.blow_up.is_some() {
            return Ok(());
        }
        if self.steps.meters.loss().is_finite() && !self.training.broken {
            return Ok(());
        }
        self.in_order = self.training.stop;
        self.breaks(epoch, batch, rate)
    }

    /// Ends the training at a step that has broken it, and searches for the origin.
    fn breaks(&mut self, epoch: usize, batch: usize, rate: f64) -> Result<()> {
        self.follow_plans(None)?;
        let place = Moment {
            epoch,
            epochs: self.end,
            step: batch,
            steps: self.steps.count(),
        };
        let loss = self.steps.meters.loss();
        let began = match self.in_order {
            true => None,
            false => self.trace(epoch, batch)?,
        };
        let optimizer = self.training.model.compiled()?.optimizer()?;
        self.blow_up = Some(place.error(loss, began, rate, optimizer));
        self.training.stop = true;
        Ok(())
    }

    /// The origin, found by repeating the steps from the last finite state to this one.
    fn trace(&mut self, epoch: usize, batch: usize) -> Result<Option<String>> {
        let (before, began) = self.began;
        let long = began.elapsed() > TRACED;
        let long = match &self.ranks {
            Some(ranks) => ranks::as_first(&**ranks, long)?,
            None => long,
        };
        if long || !self.steps.repeats() {
            return Ok(None);
        }
        let taken = self.training.kept_iteration().saturating_sub(before) as usize;
        let counts = (self.end, self.steps.count());
        let schedule = &self.schedule;
        let parameters = |training: &Training<'_>, batch: usize| {
            let iteration = training.model.state.iteration;
            let rate = training.learning_rate;
            parameters(schedule.as_ref(), rate, counts, (epoch, batch, iteration))
        };
        let (training, steps) = (&mut self.training, &mut self.steps);
        if !blow_up::replay(
            training,
            steps,
            epoch,
            (taken.min(batch), batch),
            parameters,
        )? {
            return Ok(None);
        }
        let (tensors, rows) = steps.rows(batch)?;
        blow_up::began(training, tensors, rows)
    }

    /// The parameters that the schedule has for a step, the `iteration`-th of all, or the current
    /// rate.
    fn parameters(&self, epoch: usize, batch: usize, iteration: u64) -> StepParameters {
        let counts = (self.end, self.steps.count());
        parameters(
            self.schedule.as_ref(),
            self.training.learning_rate,
            counts,
            (epoch, batch, iteration),
        )
    }

    /// With `use_ema`, replaces the weights by their averages.
    fn take_averages(&mut self) -> Result<()> {
        let slots = self.training.model.compiled()?.optimizer()?.slots();
        let average = slots.iter().position(|&slot| slot == AVERAGE);
        if let (Some(average), true) = (average, self.training.model.state.iteration > 0) {
            self.training.runner.take_slot(average);
        }
        Ok(())
    }

    /// Returns weights and state to the model.
    pub fn finish(mut self) {
        self.training.download();
    }
}

/// Epochs of at least this duration are not repeated in search of the origin.
const TRACED: Duration = Duration::from_secs(300);

/// The step parameters of the schedule at that batch of that epoch, or the current rate.
fn parameters(
    schedule: Option<&Schedule>,
    rate: f64,
    (end, batches): (usize, usize),
    (epoch, batch, iteration): (usize, usize, u64),
) -> StepParameters {
    let progress = schedules::Progress {
        iteration,
        step: epoch.saturating_mul(batches).saturating_add(batch) as u64,
        total: end.saturating_mul(batches) as u64,
        per_epoch: batches as u64,
    };
    match schedule {
        Some(schedule) => schedule.at(progress),
        None => rate.into(),
    }
}

/// The optimizer's own rate (NaN if it is a schedule), and the schedule in effect, the given one or
/// the optimizer's.
fn rate(model: &Model, given: Option<Schedule>) -> Result<(f64, Option<Schedule>)> {
    match (&model.compiled()?.optimizer()?.learning_rate, given) {
        (LearningRate::Constant(rate), given) => Ok((*rate, given)),
        (LearningRate::Schedule(own), None) => Ok((f64::NAN, Some(own.clone()))),
        (LearningRate::Schedule(_), Some(_)) => Err(Error::invalid(
            "schedule",
            "a schedule beside the one in the optimizer's learning_rate",
            "only one of the two",
        )),
    }
}
