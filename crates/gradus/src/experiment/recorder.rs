//! The recorder of a training: configured callbacks, progress, run folder and checkpoints in one
//! callback.

use super::checkpoint::{Folder, Snapshot, State, Writer};
use super::config::{Callbacks, CheckpointConfig};
use super::event::{Event, Progress};
use super::lock::Lock;
use super::run_folder::{CONFIG, Destination, tidy, write_text};
use super::unwritten::Unwritten;
use crate::error::Result;
use crate::train::callbacks::{Callback, Progress as EpochProgress};
use crate::train::{Epoch, History, Logs, Training};
use std::path::PathBuf;
use std::time::Instant;

/// A single callback for all of it, in a fixed order: a checkpoint holds the others' progress.
pub struct Recorder<'a, 'p> {
    /// The configured callbacks.
    pub callbacks: Callbacks,
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
    /// The beginning of the epoch.
    pub began: Instant,
}

impl Callback for Recorder<'_, '_> {
    fn on_train_begin(&mut self, training: &mut Training<'_>) -> Result<()> {
        self.train_begins(training)
    }

    fn on_epoch_begin(&mut self, epoch: usize, t: &mut Training<'_>) -> Result<()> {
        self.began = Instant::now();
        self.each(|c| c.on_epoch_begin(epoch, t))
    }

    fn on_train_batch_end(&mut self, p: &EpochProgress<'_>, t: &mut Training<'_>) -> Result<()> {
        self.each(|c| c.on_train_batch_end(p, t))?;
        self.progress.tell(&Event::BatchEnd(p))
    }

    fn on_epoch_end(&mut self, epoch: usize, logs: &Logs, t: &mut Training<'_>) -> Result<()> {
        self.epoch_ends(epoch, logs, t)
    }

    fn on_train_end(&mut self, training: &mut Training<'_>) -> Result<()> {
        self.progress.tell(&Event::TrainEnd)?;
        self.checkpoint_of_what_broke(training)?;
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
        Ok(())
    }

    /// Creates the run folder only after all checks.
    fn train_begins(&mut self, training: &mut Training<'_>) -> Result<()> {
        self.callbacks
            .each()
            .try_for_each(|(_, c)| c.on_train_begin(training))?;
        let resumed = self.resumed.take();
        if let Some((_, state)) = &resumed {
            self.go_on_from(state, training)?;
        }
        let folder = match &self.folder {
            Some(folder) => folder.clone(),
            None => self.place.create()?,
        };
        if self.lock.is_none() {
            self.lock = Some(Lock::take(&folder, self.progress)?);
        }
        tidy(&folder);
        write_text(&folder.join(CONFIG), &self.config)?;
        let keep = self.checkpoint.keep();
        let checkpoints = Folder::open(&folder, &self.config, keep, resumed.as_ref())?;
        self.checkpoints = Some(Writer::new(checkpoints, self.checkpoint.every()));
        self.progress.tell(&Event::TrainBegin { folder: &folder })?;
        self.folder = Some(folder);
        Ok(())
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

    fn epoch_ends(&mut self, epoch: usize, logs: &Logs, training: &mut Training<'_>) -> Result<()> {
        let measured = Epoch {
            epoch,
            logs: logs.clone(),
            seconds: self.began.elapsed().as_secs_f64(),
        };
        self.progress.tell(&Event::EpochEnd {
            epoch: &measured,
            epochs: self.epochs,
        })?;
        self.history.epochs.push(measured);
        self.each(|c| c.on_epoch_end(epoch, logs, training))?;
        let last = training.is_stopping() || epoch + 1 >= self.epochs;
        self.ended_meanwhile()?;
        if last || self.checkpoints.as_ref().is_some_and(Writer::is_due) {
            let position = State {
                epoch: epoch + 1,
                stopped: training.is_stopping(),
                ..self.facts.clone()
            };
            self.checkpoint(position, last, training)?;
        }
        Ok(())
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
                self.checkpoint(position, true, training)
            }
            _ => Ok(()),
        }
    }

    /// Notes the result of a checkpoint that was written in the background.
    fn ended_meanwhile(&mut self) -> Result<()> {
        let written = self.checkpoints.as_mut().and_then(Writer::ended_meanwhile);
        match written {
            Some(written) => self.note_checkpoint(written),
            None => Ok(()),
        }
    }

    /// Writes a checkpoint of the training at that position (its epoch, step, meters, …), in the
    /// background or, if `waits`, at once.
    pub fn checkpoint(
        &mut self,
        position: State,
        waits: bool,
        training: &mut Training<'_>,
    ) -> Result<()> {
        let began = Instant::now();
        let callbacks = &self.callbacks;
        let epoch = position.epoch;
        let state = State {
            learning_rate: training.learning_rate(),
            history: self.history.to_csv(),
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
        let model = training.model().clone();
        let Some(checkpoints) = &mut self.checkpoints else {
            return Ok(());
        };
        let snapshot = Snapshot { state, model };
        let written = match waits {
            true => checkpoints.write(snapshot),
            false => checkpoints.begin(snapshot, began),
        };
        self.written = Some(epoch);
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
