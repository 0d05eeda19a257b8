//! `fit`: epochs of batches, validation and callbacks between them.

use super::callbacks::{Callback, Progress, Training};
use super::check;
use super::evaluate::{Evaluation, ROWS};
use super::feeds::tensors;
use super::history::{Epoch, History, Logs};
use super::meters::Meters;
use super::runner::Runner;
use crate::data::{Batches, Dataset, Tensor};
use crate::engine::{Engine, Step};
use crate::error::{Error, Result};
use crate::model::lowering::Wanted;
use crate::model::{Model, State};
use crate::plan::Mode;
use crate::rules::optimizers::{AVERAGE, Clock, LearningRate, Optimizer};
use crate::rules::schedules::{self, Schedule, Setting};
use std::cell::Cell;
use std::time::Instant;

/// How to train: Keras' arguments of `fit`, with Keras' defaults.
#[derive(Default)]
pub struct Fit {
    epochs: Option<usize>,
    initial_epoch: usize,
    batch_size: Option<usize>,
    in_order: bool,
    validation: Validation,
    schedule: Option<Schedule>,
    class_weight: Vec<(usize, f64)>,
    callbacks: Vec<Box<dyn Callback>>,
}

#[derive(Default)]
enum Validation {
    #[default]
    None,
    Split(f64),
    Data(Box<Dataset>),
}

impl Fit {
    /// One epoch, batches of 32 rows, shuffled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the epoch to end before; with no `initial_epoch`, the number of epochs.
    pub fn epochs(mut self, epochs: usize) -> Self {
        self.epochs = Some(epochs);
        self
    }

    /// Sets the number of the first epoch, for a training that goes on. Default 0.
    pub fn initial_epoch(mut self, epoch: usize) -> Self {
        self.initial_epoch = epoch;
        self
    }

    /// Sets the rows of a batch. Default 32.
    pub fn batch_size(mut self, rows: usize) -> Self {
        self.batch_size = Some(rows);
        self
    }

    /// Whether each epoch takes the rows in a new order. Default yes.
    pub fn shuffle(mut self, shuffle: bool) -> Self {
        self.in_order = !shuffle;
        self
    }

    /// Measures loss and metrics on this data after each epoch.
    pub fn validation_data(mut self, data: Dataset) -> Self {
        self.validation = Validation::Data(Box::new(data));
        self
    }

    /// Holds out the last share of the rows for validation.
    pub fn validation_split(mut self, fraction: f64) -> Self {
        self.validation = Validation::Split(fraction);
        self
    }

    /// Takes the learning rate (and momentum) from a schedule of the whole training.
    pub fn schedule(mut self, schedule: impl Into<Schedule>) -> Self {
        self.schedule = Some(schedule.into());
        self
    }

    /// Weighs the loss of each row by its class; classes that are not named
    /// weigh 1. The validation is not weighed.
    pub fn class_weight(mut self, weights: &[(usize, f64)]) -> Self {
        self.class_weight = weights.to_vec();
        self
    }

    /// Adds something that is called between epochs and batches.
    pub fn callback(mut self, callback: impl Callback + 'static) -> Self {
        self.callbacks.push(Box::new(callback));
        self
    }
}

impl Model {
    /// Trains on `data`, and returns what was measured in each epoch.
    pub fn fit(&mut self, data: &Dataset, options: Fit) -> Result<History> {
        self.fit_on(crate::engine::default().as_ref(), data, options)
    }

    pub(crate) fn fit_on(
        &mut self,
        engine: &dyn Engine,
        data: &Dataset,
        options: Fit,
    ) -> Result<History> {
        let Fit {
            validation,
            mut callbacks,
            ..
        } = options;
        let (train, validation) = match validation {
            Validation::None => (data.clone(), None),
            Validation::Data(held_out) => (data.clone(), Some(*held_out)),
            Validation::Split(fraction) => {
                let (train, held_out) = data.split_fraction(fraction)?;
                (train, Some(held_out))
            }
        };
        if !self.is_built() {
            self.build_for(&train)?;
        }
        check::labelled(self, &train)?;
        let train = weigh_classes(train, &options.class_weight)?;
        if let Some(held_out) = &validation {
            check::labelled(self, held_out)?;
        }
        self.adapt_on(engine, &train, false)?;
        let compiled = self.compiled()?.clone();
        if let (LearningRate::Schedule(_), Some(_)) =
            (&compiled.optimizer.learning_rate, &options.schedule)
        {
            return Err(Error::invalid(
                "schedule",
                "a schedule beside the one in the optimizer's learning_rate",
                "only one of the two",
            ));
        }

        let epochs = options.epochs.unwrap_or(1);
        let batch_size = options.batch_size.unwrap_or(32);
        let mut batches = Batches::new(train.rows(), batch_size, !options.in_order, self.seed)?;
        let rows = batch_size.min(train.rows());
        let weighted = train.sample_weight().is_some();
        let mut wanted = vec![Wanted {
            mode: Mode::Train,
            rows,
            weighted,
        }];
        if let Some(held_out) = &validation {
            wanted.push(Wanted {
                mode: Mode::Evaluate,
                rows: held_out.rows().min(ROWS.max(batch_size)),
                weighted: held_out.sample_weight().is_some(),
            });
        }
        if self.state.scalars.is_empty() {
            self.state.scalars = compiled.optimizer.method.scalars().to_vec();
        }
        let runner = Runner::new(self, engine, &wanted)?;
        let mut evaluation = match &validation {
            Some(held_out) => Some(Evaluation::new(self, &runner, held_out)?),
            None => None,
        };
        let mut batch = runner.batch(Mode::Train)?;
        let mut meters = Meters::new(self)?;
        let tensors = tensors(self, &train, true)?;
        let mut history = History::default();
        let learning_rate = match compiled.optimizer.learning_rate {
            LearningRate::Constant(rate) => rate,
            LearningRate::Schedule(_) => f64::NAN,
        };
        let mut training = Training {
            model: self,
            runner,
            learning_rate,
            stop: false,
        };

        for callback in &mut callbacks {
            callback.on_train_begin(&mut training)?;
        }
        for epoch in options.initial_epoch..epochs {
            let start = Instant::now();
            for callback in &mut callbacks {
                callback.on_epoch_begin(epoch, &mut training)?;
            }
            batches.start_epoch(epoch as u64);
            meters.reset();
            let mut used = training.learning_rate;
            for number in 0..batches.count() {
                let Some(rows) = batches.get(number) else {
                    break;
                };
                let state = &mut training.model.state;
                let progress = schedules::Progress {
                    iteration: state.iteration,
                    step: (epoch * batches.count() + number) as u64,
                    total: (epochs * batches.count()) as u64,
                    per_epoch: batches.count() as u64,
                };
                let setting = match (&options.schedule, &compiled.optimizer.learning_rate) {
                    (Some(schedule), _) | (None, LearningRate::Schedule(schedule)) => {
                        schedule.at(progress)
                    }
                    _ => training.learning_rate.into(),
                };
                used = setting.rate;
                let step = step(training.model.seed, &compiled.optimizer, state, setting);
                let outputs = meters.need_outputs();
                training
                    .runner
                    .run(&mut batch, &tensors, rows, &step, outputs)?;
                training.model.state.iteration += 1;
                meters.add(&batch, rows.len());
                let progress = Progress {
                    epoch,
                    epochs,
                    batch: number,
                    batches: batches.count(),
                    meters: &meters,
                    stop: Cell::new(false),
                };
                for callback in &mut callbacks {
                    callback.on_train_batch_end(&progress);
                }
                if progress.stop.get() {
                    training.stop();
                    break;
                }
            }
            let mut logs = Logs::default();
            meters.report("", &mut logs);
            if let Some(evaluation) = &mut evaluation {
                let step = Step {
                    seed: training.model.seed,
                    iteration: training.model.state.iteration,
                    ..Step::default()
                };
                evaluation
                    .run(&mut training.runner, &step)?
                    .report("val_", &mut logs);
            }
            logs.push("learning_rate", used);
            for callback in &mut callbacks {
                callback.on_epoch_end(epoch, &logs, &mut training)?;
            }
            let seconds = start.elapsed().as_secs_f64();
            history.epochs.push(Epoch {
                epoch,
                logs,
                seconds,
            });
            if training.stop {
                break;
            }
        }
        // Before the callbacks: the best weights take the averages' place, as in Keras.
        let average = compiled
            .optimizer
            .slots()
            .iter()
            .position(|&s| s == AVERAGE);
        if let (Some(average), true) = (average, training.model.state.iteration > 0) {
            training.runner.take_slot(average);
        }
        for callback in &mut callbacks {
            callback.on_train_end(&mut training)?;
        }
        let Training {
            model,
            runner,
            learning_rate,
            ..
        } = training;
        runner.download(model);
        if let Some(compiled) = &mut model.compiled
            && let LearningRate::Constant(rate) = &mut compiled.optimizer.learning_rate
        {
            *rate = learning_rate;
        }
        Ok(history)
    }
}

/// The data with each row's weight by its class: the number in its target, or
/// the place of the largest of several.
fn weigh_classes(data: Dataset, weights: &[(usize, f64)]) -> Result<Dataset> {
    const KEY: &str = "class_weight";
    if weights.is_empty() {
        return Ok(data);
    }
    if data.sample_weight().is_some() {
        let found = "class weights beside sample weights";
        return Err(Error::invalid(KEY, found, "only one of the two"));
    }
    if let Some((_, weight)) = weights.iter().find(|(_, w)| !(*w >= 0.0 && w.is_finite())) {
        return Err(Error::invalid(KEY, weight, "a number of 0 or more"));
    }
    let [target] = data.targets() else {
        let found = format!("{} targets", data.targets().len());
        return Err(Error::invalid(KEY, found, "one: use sample weights"));
    };
    if target.shape().rank() > 1 {
        let expected = "one class for each row";
        return Err(Error::shape(KEY, target.shape(), expected));
    }
    let class = |row: &[f32]| match row {
        [number] => f64::from(*number).round(),
        row => {
            let larger = |best: usize, i: usize| if row[i] > row[best] { i } else { best };
            (0..row.len()).reduce(larger).unwrap_or(0) as f64
        }
    };
    let weight_of = |row: &[f32]| {
        let class = class(row);
        let found = weights.iter().find(|(c, _)| *c as f64 == class);
        found.map_or(1.0, |&(_, weight)| weight as f32)
    };
    let rows = target.to_f32();
    let weights = rows.chunks(target.size().max(1)).map(weight_of).collect();
    data.with_sample_weight(Tensor::from_column(weights)?)
}

/// What the engine has to know of the next step.
fn step(seed: u64, optimizer: &Optimizer, state: &mut State, setting: Setting) -> Step {
    let gathered = optimizer.gradient_accumulation_steps.unwrap_or(1).max(1);
    // Only the schedules and the file count the steps that only gather.
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
                learning_rate: setting.rate as f32,
                momentum: setting.momentum.map(|m| m as f32),
                scalars: &mut state.scalars,
            }),
        },
        gathering,
        gathered: gathered as f32,
        // The first average is the weights themselves.
        average_momentum: match updates {
            0 => 0.0,
            _ => optimizer.ema_momentum as f32,
        },
        overwrite: overwrite.is_some_and(|n| (updates + 1).is_multiple_of(n)),
    }
}
