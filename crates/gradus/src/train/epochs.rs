//! Epochs: steps, validation, and the callbacks between them.

use super::callbacks::{Callback, Training};
use super::evaluate::{self, Evaluation, ROWS};
use super::feeder::{Feeder, Order};
use super::fit::Fit;
use super::history::{Epoch, History, Logs};
use super::precision::Precision;
use super::steps::Steps;
use crate::data::Data;
use crate::engine::{Engine, Step};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::model::lowering::Wanted;
use crate::plan::Mode;
use crate::rules::optimizers::{AVERAGE, LearningRate};
use crate::rules::schedules::{self, Schedule, Setting};
use std::time::Instant;

/// A training, from its first epoch to its last.
pub(super) struct Epochs<'a> {
    training: Training<'a>,
    steps: Steps,
    evaluation: Option<Evaluation>,
    schedule: Option<Schedule>,
    callbacks: Vec<Box<dyn Callback>>,
    /// The epoch to end before.
    end: usize,
}

impl<'a> Epochs<'a> {
    /// Lowers the model, and makes room for everything that a step needs.
    pub fn new(
        model: &'a mut Model,
        engine: &'a dyn Engine,
        train: &Data,
        held_out: Option<&Data>,
        options: Fit,
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
        let feeder = Feeder::new(model, train, order, &options.class_weight)?;
        let mut wanted = vec![Wanted {
            mode: Mode::Train,
            rows: batch_size.min(train.rows().unwrap_or(batch_size)),
            weighted: sample.sample_weight().is_some() || !options.class_weight.is_empty(),
            mixed: options.mixup.is_some(),
            bfloat16: options.precision == Precision::MixedBfloat16,
        }];
        wanted.extend(held_out.map(|held_out| evaluate::wanted(held_out, ROWS.max(batch_size))));
        let training = Training::new(model, engine, wanted, learning_rate)?;
        let Training { model, runner, .. } = &training;
        let evaluation = held_out.map(|held_out| Evaluation::new(model, runner, held_out));
        Ok(Epochs {
            evaluation: evaluation.transpose()?,
            steps: Steps::new(model, runner, feeder)?.mixing(options.mixup, batch_size),
            training,
            schedule,
            callbacks: options.callbacks,
            end: options.epochs,
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
            let Some(logs) = self.epoch(epoch)? else {
                break;
            };
            let seconds = start.elapsed().as_secs_f64();
            history.epochs.push(Epoch {
                epoch,
                logs,
                seconds,
            });
            if self.training.stop {
                break;
            }
        }
        // Before the callbacks: the best weights take the averages' place, as in Keras.
        self.take_averages()?;
        for callback in &mut self.callbacks {
            callback.on_train_end(&mut self.training)?;
        }
        Ok(history)
    }

    /// One epoch and its validation; nothing if there are no rows for it.
    fn epoch(&mut self, epoch: usize) -> Result<Option<Logs>> {
        self.steps.start_epoch(epoch);
        if !self.steps.reach(0)? {
            return Ok(None);
        }
        for callback in &mut self.callbacks {
            callback.on_epoch_begin(epoch, &mut self.training)?;
        }
        self.steps.meters.reset();
        let mut used = self.training.learning_rate;
        for number in 0..self.steps.count() {
            if number > 0 && !self.steps.reach(number)? {
                // A generator has ended: as in Keras, so does the training.
                self.training.stop = true;
                break;
            }
            used = self.step(epoch, number)?;
            if self.training.stop {
                break;
            }
        }
        let mut logs = self.steps.meters.report();
        self.validate(&mut logs)?;
        logs.push("learning_rate", used);
        for callback in &mut self.callbacks {
            callback.on_epoch_end(epoch, &logs, &mut self.training)?;
        }
        Ok(Some(logs))
    }

    /// Measures loss and metrics on the rows that were held out.
    fn validate(&mut self, logs: &mut Logs) -> Result<()> {
        let Some(evaluation) = &mut self.evaluation else {
            return Ok(());
        };
        for callback in &mut self.callbacks {
            callback.on_test_begin(&mut self.training)?;
        }
        let step = Step {
            seed: self.training.model.seed,
            iteration: self.training.model.state.iteration,
            ..Step::default()
        };
        let measured = evaluation.run(&mut self.training.runner, &step)?.report();
        for callback in &mut self.callbacks {
            callback.on_test_end(&measured, &mut self.training)?;
        }
        for (name, value) in measured.iter() {
            logs.push(format!("val_{name}"), value);
        }
        Ok(())
    }

    /// One step; gives its learning rate.
    fn step(&mut self, epoch: usize, batch: usize) -> Result<f64> {
        let progress = self.steps.progress(epoch, self.end, batch);
        for callback in &mut self.callbacks {
            callback.on_train_batch_begin(&progress, &mut self.training)?;
        }
        let setting = self.setting(epoch, batch);
        self.steps.take(&mut self.training, batch, setting)?;
        let progress = self.steps.progress(epoch, self.end, batch);
        for callback in &mut self.callbacks {
            callback.on_train_batch_end(&progress, &mut self.training)?;
        }
        Ok(setting.rate)
    }

    /// What the schedule asks for, or the rate as it is.
    fn setting(&self, epoch: usize, batch: usize) -> Setting {
        let batches = self.steps.count();
        let progress = schedules::Progress {
            iteration: self.training.model.state.iteration,
            step: (epoch * batches + batch) as u64,
            total: (self.end * batches) as u64,
            per_epoch: batches as u64,
        };
        match &self.schedule {
            Some(schedule) => schedule.at(progress),
            None => self.training.learning_rate.into(),
        }
    }

    /// With `use_ema`, the weights become their averages.
    fn take_averages(&mut self) -> Result<()> {
        let slots = self.training.model.compiled()?.optimizer()?.slots();
        let average = slots.iter().position(|&slot| slot == AVERAGE);
        if let (Some(average), true) = (average, self.training.model.state.iteration > 0) {
            self.training.runner.take_slot(average);
        }
        Ok(())
    }

    /// Everything goes back into the model.
    pub fn finish(mut self) {
        self.training.download();
    }
}

/// The optimizer's own rate (no number where it is a schedule), and the schedule
/// that sets it, given here or there.
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
