//! The recorder of a training: configured callbacks, progress, run folder and checkpoints in one
//! callback.

use super::checkpoint::{Folder, Snapshot, State, Writer};
use super::config::{Callbacks, CheckpointConfig};
use super::event::{Event, Progress};
use super::lock::Lock;
use super::logs::{Log, logs};
use super::run_folder::{CONFIG, Destination, tidy, write_text};
use super::unwritten::Unwritten;
use crate::error::Result;
use crate::inspect::HealthWatch;
use crate::model::Model;
use crate::train::callbacks::{Callback, Progress as EpochProgress};
use crate::train::health::HealthView;
use crate::train::{Epoch, History, Logs, Training};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// A single callback for all of it, in a fixed order: a checkpoint holds the others' progress.
pub struct Recorder<'a, 'p> {
    /// The configured callbacks.
    pub callbacks: Callbacks,
    /// True of a rank that writes and tells nothing, since the first one does.
    pub follows: bool,
    /// The logs of the run folder, once training has begun.
    pub logs: Vec<Log>,
    /// Looks at the course of the training, once it has begun.
    pub watch: Option<HealthWatch<'a>>,
    /// Gets the events.
    pub progress: &'a Progress<'p>,
    /// The measurements so far.
    pub history: History,
    /// The run folder, once training has begun.
    pub folder: Option<PathBuf>,
    /// The place of a new run's folder.
    pub place: Destination,
    /// The lock of the run folder, once it is there.
    pub lock: Option<Lock>,
    /// The resolved configuration.
    pub config: String,
    /// The way checkpoints are written.
    pub checkpoint: CheckpointConfig,
    /// The number and the state of the checkpoint that is resumed from, if one is.
    pub resumed: Option<(u64, State)>,
    /// The facts that every state of the run has.
    pub facts: State,
    /// The epoch to begin with.
    pub first: usize,
    /// Exclusive end of the epochs.
    pub epochs: usize,
    /// The writer of checkpoints, once training has begun.
    pub checkpoints: Option<Writer>,
    /// Next epoch of the last checkpoint.
    pub written: Option<usize>,
    /// The files that could not be written.
    pub unwritten: Unwritten,
    /// True if the first layers have been pretrained, since the last checkpoint.
    pub pretrained: bool,
    /// The beginning of the epoch.
    pub began: Instant,
    /// The seconds that the epoch had taken before, in a training that was interrupted.
    pub before: f64,
}

impl Callback for Recorder<'_, '_> {
    fn on_train_begin(&mut self, training: &mut Training<'_>) -> Result<()> {
        self.train_begins(training)
    }

    fn on_epoch_begin(&mut self, epoch: usize, t: &mut Training<'_>) -> Result<()> {
        self.began = Instant::now();
        self.each(|c| c.on_epoch_begin(epoch, t))
    }

    fn on_train_batch_begin(&mut self, p: &EpochProgress<'_>, t: &mut Training<'_>) -> Result<()> {
        self.each(|c| c.on_train_batch_begin(p, t))
    }

    fn on_train_batch_end(&mut self, p: &EpochProgress<'_>, t: &mut Training<'_>) -> Result<()> {
        self.each(|c| c.on_train_batch_end(p, t))?;
        let told = self.progress.tell(&Event::BatchEnd(p));
        self.ended_meanwhile()?;
        let due = self.checkpoints.as_ref().is_some_and(Writer::is_due_inside);
        self.checkpoint_inside(due, told, p, t)
    }

    fn on_health(&mut self, health: &HealthView<'_>, t: &mut Training<'_>) -> Result<()> {
        let own = &mut self.history.health;
        health.layers.clone_into(&mut own.layers);
        own.samples.push(health.sample.clone());
        if let Some(watch) = &mut self.watch {
            watch.on_health(health, t)?;
        }
        self.each(|c| c.on_health(health, t))
    }

    fn on_test_begin(&mut self, t: &mut Training<'_>) -> Result<()> {
        self.each(|c| c.on_test_begin(t))
    }

    fn on_test_end(&mut self, logs: &Logs, t: &mut Training<'_>) -> Result<()> {
        self.each(|c| c.on_test_end(logs, t))
    }

    fn on_test_batch_end(&mut self, p: &EpochProgress<'_>, t: &mut Training<'_>) -> Result<()> {
        self.each(|c| c.on_test_batch_end(p, t))?;
        let told = self.progress.tell(&Event::ValidationBatchEnd(p));
        self.checkpoint_inside(false, told, p, t)
    }

    fn on_epoch_end(&mut self, epoch: usize, logs: &Logs, t: &mut Training<'_>) -> Result<()> {
        self.epoch_ends(epoch, logs, t)
    }

    fn on_train_end(&mut self, training: &mut Training<'_>) -> Result<()> {
        self.checkpoint_of_what_broke(training)?;
        self.progress.tell(&Event::TrainEnd)?;
        self.each(|c| c.on_train_end(training))
    }
}

impl Recorder<'_, '_> {
    /// Calls each callback; files that one cannot write end no training.
    fn each(&mut self, mut call: impl FnMut(&mut dyn Callback) -> Result<()>) -> Result<()> {
        for (name, callback) in self.callbacks.each() {
            let called = call(callback);
            self.unwritten.note(name, called, self.progress)?;
        }
        self.each_log(call)
    }

    /// Calls each log.
    fn each_log(&mut self, mut call: impl FnMut(&mut dyn Callback) -> Result<()>) -> Result<()> {
        for (name, log) in &mut self.logs {
            let called = call(&mut **log);
            self.unwritten.note(name, called, self.progress)?;
        }
        Ok(())
    }

    /// Creates the run folder, which the first steps follow: all is checked. A rank that follows makes
    /// none.
    pub fn open(&mut self) -> Result<&Path> {
        if self.follows {
            return Ok(self.folder.get_or_insert_default());
        }
        let folder = match self.folder.take() {
            Some(folder) => folder,
            None => self.place.create()?,
        };
        if self.lock.is_none() {
            self.lock = Some(Lock::take(&folder, self.progress)?);
        }
        if self.checkpoints.is_none() {
            tidy(&folder);
            write_text(&folder.join(CONFIG), &self.config)?;
            let (keep, resumed) = (self.checkpoint.keep(), self.resumed.as_ref());
            let checkpoints = Folder::open(&folder, &self.config, keep, resumed)?;
            self.checkpoints = Some(Writer::new(checkpoints, self.checkpoint.every()));
        }
        Ok(self.folder.insert(folder))
    }

    fn train_begins(&mut self, training: &mut Training<'_>) -> Result<()> {
        self.callbacks
            .each()
            .try_for_each(|(_, c)| c.on_train_begin(training))?;
        self.open()?;
        if let Some((_, state)) = self.resumed.take() {
            self.go_on_from(&state, training)?;
        }
        if let (true, Some(model)) = (self.pretrained, training.snapshot()) {
            let start = State {
                epoch: self.first,
                ..self.facts.clone()
            };
            let now = Instant::now();
            self.checkpoint(start, (true, now), model, training)?;
        }
        let Some(folder) = self.folder.as_ref().filter(|_| !self.follows) else {
            return Ok(());
        };
        self.logs = logs(folder, &self.config, &self.history);
        let progress = self.progress;
        let watch = HealthWatch::new(training.kept(), |finding| {
            progress.tell(&Event::Warning(finding))
        });
        let stops_early = self.callbacks.early_stopping.is_some();
        self.watch = Some(watch.stops_early(stops_early).after(&self.history));
        self.progress.tell(&Event::TrainBegin { folder })?;
        self.each_log(|log| log.on_train_begin(training))
    }

    /// Restores the callbacks' progress.
    fn go_on_from(&mut self, state: &State, training: &mut Training<'_>) -> Result<()> {
        let callbacks = &mut self.callbacks;
        if let (Some(callback), Some(progress)) =
            (&mut callbacks.early_stopping, &state.early_stopping)
        {
            callback.set_progress(progress.clone());
        }
        if let (Some(callback), Some(progress)) = (
            &mut callbacks.reduce_lr_on_plateau,
            &state.reduce_lr_on_plateau,
        ) {
            callback.set_progress(progress.clone());
        }
        if let (Some(callback), Some(progress)) =
            (&mut callbacks.model_checkpoint, &state.model_checkpoint)
        {
            callback.set_progress(progress.clone());
        }
        match (&mut callbacks.csv_logger, state.csv_logger) {
            (Some(logger), Some(size)) if logger.append => logger.cut(size)?,
            // A file that is started anew gets the previous epochs, too.
            (Some(logger), _) if !logger.append => {
                for Epoch { epoch, logs, .. } in &self.history.epochs {
                    logger.on_epoch_end(*epoch, logs, training)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Writes a checkpoint behind a step if one is due, or if the callback that was told of it ends
    /// the training.
    fn checkpoint_inside(
        &mut self,
        due: bool,
        told: Result<()>,
        p: &EpochProgress<'_>,
        training: &Training<'_>,
    ) -> Result<()> {
        let now = Instant::now();
        if (due || told.is_err())
            && let Some(model) = training.snapshot_inside(p)
        {
            let position = State {
                epoch: p.epoch,
                step: p.batch + 1,
                meters: p.sums(),
                seconds: self.seconds(),
                ..self.facts.clone()
            };
            self.checkpoint(position, (told.is_err(), now), model, training)?;
        }
        told
    }

    /// The seconds that the epoch has taken so far.
    fn seconds(&self) -> f64 {
        self.before + self.began.elapsed().as_secs_f64()
    }

    fn epoch_ends(&mut self, epoch: usize, logs: &Logs, training: &mut Training<'_>) -> Result<()> {
        let measured = Epoch {
            epoch,
            logs: logs.clone(),
            seconds: self.seconds(),
        };
        self.before = 0.0;
        let told = self.progress.tell(&Event::EpochEnd {
            epoch: &measured,
            epochs: self.epochs,
        });
        self.history.epochs.push(measured);
        if let (Some(watch), Ok(())) = (&mut self.watch, &told) {
            watch.on_epoch_end(epoch, logs, training)?;
        }
        self.each(|c| c.on_epoch_end(epoch, logs, training))?;
        let last = training.is_stopping() || epoch + 1 >= self.epochs || told.is_err();
        self.ended_meanwhile()?;
        if last || self.checkpoints.as_ref().is_some_and(Writer::is_due) {
            let position = State {
                epoch: epoch + 1,
                stopped: training.is_stopping(),
                ..self.facts.clone()
            };
            let now = Instant::now();
            let model = training.model().clone();
            self.checkpoint(position, (last, now), model, training)?;
        }
        told
    }

    /// A training that ended after its last epoch's end has broken: its state is that of the
    /// epoch's end again, and is saved if the last checkpoint is older.
    fn checkpoint_of_what_broke(&mut self, training: &mut Training<'_>) -> Result<()> {
        let last = self.history.epochs.last().map(|epoch| epoch.epoch);
        match last {
            Some(last) if self.written != Some(last + 1) && last >= self.first => {
                let position = State {
                    epoch: last + 1,
                    ..self.facts.clone()
                };
                let now = Instant::now();
                // The weights may be their averages by now.
                let model = training.kept().clone();
                self.checkpoint(position, (true, now), model, training)
            }
            _ => Ok(()),
        }
    }

    /// Notes the result of a checkpoint that was written in the background.
    pub fn ended_meanwhile(&mut self) -> Result<()> {
        let written = self.checkpoints.as_mut().and_then(Writer::ended_meanwhile);
        match written {
            Some(written) => self.note_checkpoint(written),
            None => Ok(()),
        }
    }

    /// Writes a checkpoint of the training at that position (its epoch, step, meters, …); see
    /// [`Recorder::write`].
    fn checkpoint(
        &mut self,
        position: State,
        (waits, began): (bool, Instant),
        model: Model,
        training: &Training<'_>,
    ) -> Result<()> {
        let callbacks = &self.callbacks;
        let epoch = position.epoch;
        let state = State {
            learning_rate: training.learning_rate(),
            history: self.history.to_csv(),
            samples: self.history.health.samples.len(),
            early_stopping: callbacks
                .early_stopping
                .as_ref()
                .map(|e| e.progress().clone()),
            reduce_lr_on_plateau: callbacks
                .reduce_lr_on_plateau
                .as_ref()
                .map(|r| r.progress().clone()),
            model_checkpoint: callbacks
                .model_checkpoint
                .as_ref()
                .map(|c| c.progress().clone()),
            csv_logger: callbacks
                .csv_logger
                .as_ref()
                .and_then(|logger| logger.size()),
            ..position
        };
        self.written = Some(epoch);
        let (pretrained, health) = (None, self.history.health.clone());
        self.write(
            Snapshot {
                state,
                model,
                pretrained,
                health,
            },
            waits,
            began,
        )
    }

    /// Writes a checkpoint, in the background or, if `waits`, at once; `began` is the time at which
    /// its making began.
    pub fn write(&mut self, snapshot: Snapshot, waits: bool, began: Instant) -> Result<()> {
        let Some(checkpoints) = &mut self.checkpoints else {
            return Ok(());
        };
        let written = match waits {
            true => checkpoints.write(snapshot),
            false => checkpoints.begin(snapshot, began),
        };
        self.note_checkpoint(written)
    }

    fn note_checkpoint(&mut self, written: Result<()>) -> Result<()> {
        if written.is_ok() {
            self.unwritten.forget(CHECKPOINTS);
        }
        self.unwritten.note(CHECKPOINTS, written, self.progress)
    }
}

/// The kind of file that a checkpoint is, in messages.
const CHECKPOINTS: &str = "checkpoint";
