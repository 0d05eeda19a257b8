//! The recorder of a training: configured callbacks, progress, run folder and checkpoints in one
//! callback.

use super::checkpoint::{State, Writer};
use super::config::Callbacks;
use super::event::{Event, Progress};
use super::run_folder::{CONFIG, Destination, HISTORY, tidy, write_text};
use crate::error::Result;
use crate::train::callbacks::{Callback, Progress as EpochProgress};
use crate::train::{Epoch, History, Logs, Training};
use std::path::PathBuf;
use std::time::{Duration, Instant};

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
    /// The resolved configuration.
    pub config: String,
    /// The progress of the training that is resumed, if one is.
    pub resumed: Option<State>,
    /// The epoch to begin with.
    pub first: usize,
    /// Exclusive end of the epochs.
    pub epochs: usize,
    /// The writer of checkpoints, once training has begun.
    pub checkpoints: Option<Writer>,
    /// The beginning of the epoch.
    pub began: Instant,
    /// The time from which the next checkpoint is due.
    pub due: Instant,
}

impl Callback for Recorder<'_, '_> {
    fn on_train_begin(&mut self, training: &mut Training<'_>) -> Result<()> {
        self.train_begins(training)
    }

    fn on_epoch_begin(&mut self, epoch: usize, t: &mut Training<'_>) -> Result<()> {
        self.began = Instant::now();
        let mut callbacks = self.callbacks.each();
        callbacks.try_for_each(|c| c.on_epoch_begin(epoch, t))
    }

    fn on_train_batch_end(&mut self, p: &EpochProgress<'_>, t: &mut Training<'_>) -> Result<()> {
        let mut callbacks = self.callbacks.each();
        callbacks.try_for_each(|c| c.on_train_batch_end(p, t))?;
        self.progress.tell(&Event::BatchEnd(p))
    }

    fn on_epoch_end(&mut self, epoch: usize, logs: &Logs, t: &mut Training<'_>) -> Result<()> {
        self.epoch_ends(epoch, logs, t)
    }

    fn on_train_end(&mut self, training: &mut Training<'_>) -> Result<()> {
        self.progress.tell(&Event::TrainEnd)?;
        self.checkpoint_of_what_broke(training)?;
        let mut callbacks = self.callbacks.each();
        callbacks.try_for_each(|c| c.on_train_end(training))
    }
}

impl Recorder<'_, '_> {
    /// Creates the run folder only after all checks.
    fn train_begins(&mut self, training: &mut Training<'_>) -> Result<()> {
        self.callbacks
            .each()
            .try_for_each(|c| c.on_train_begin(training))?;
        if let Some(state) = self.resumed.take() {
            self.go_on_from(state, training)?;
        }
        let folder = match &self.folder {
            Some(folder) => folder.clone(),
            None => self.place.create()?,
        };
        tidy(&folder);
        write_text(&folder.join(CONFIG), &self.config)?;
        self.checkpoints = Some(Writer::new(&folder)?);
        self.progress.tell(&Event::TrainBegin { folder: &folder })?;
        self.folder = Some(folder);
        Ok(())
    }

    /// Restores the callbacks' progress.
    fn go_on_from(&mut self, state: State, training: &mut Training<'_>) -> Result<()> {
        let callbacks = &mut self.callbacks;
        if let (Some(callback), Some(progress)) =
            (&mut callbacks.early_stopping, state.early_stopping)
        {
            callback.set_progress(progress);
        }
        if let (Some(callback), Some(progress)) = (
            &mut callbacks.reduce_lr_on_plateau,
            state.reduce_lr_on_plateau,
        ) {
            callback.set_progress(progress);
        }
        if let (Some(callback), Some(progress)) =
            (&mut callbacks.model_checkpoint, state.model_checkpoint)
        {
            callback.set_progress(progress);
        }
        // A file that is started anew gets the previous epochs, too.
        if let Some(logger) = callbacks.csv_logger.as_mut().filter(|l| !l.append) {
            for Epoch { epoch, logs, .. } in &self.history.epochs {
                logger.on_epoch_end(*epoch, logs, training)?;
            }
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
        self.callbacks
            .each()
            .try_for_each(|c| c.on_epoch_end(epoch, logs, training))?;
        let last = training.is_stopping() || epoch + 1 >= self.epochs;
        if last || Instant::now() >= self.due {
            self.checkpoint(epoch, training.is_stopping(), training)?;
        }
        Ok(())
    }

    /// A training that ended after its last epoch's end has broken: its state is that of the
    /// epoch's end again, and is saved if the last checkpoint is older.
    fn checkpoint_of_what_broke(&mut self, training: &mut Training<'_>) -> Result<()> {
        let last = self.history.epochs.last().map(|epoch| epoch.epoch);
        let written = self.checkpoints.as_ref().and_then(|c| c.written);
        match last {
            Some(last) if written != Some(last + 1) && last >= self.first => {
                self.checkpoint(last, false, training)
            }
            _ => Ok(()),
        }
    }

    fn checkpoint(
        &mut self,
        epoch: usize,
        stopped: bool,
        training: &mut Training<'_>,
    ) -> Result<()> {
        let start = Instant::now();
        let (Some(checkpoints), Some(folder)) = (&mut self.checkpoints, &self.folder) else {
            return Ok(());
        };
        let callbacks = &self.callbacks;
        let reduce = callbacks.reduce_lr_on_plateau.as_ref();
        let early_stopping = callbacks.early_stopping.as_ref();
        let model_checkpoint = callbacks.model_checkpoint.as_ref();
        let state = State {
            epoch: epoch + 1,
            stopped,
            learning_rate: training.learning_rate(),
            early_stopping: early_stopping.map(|e| e.progress().clone()),
            reduce_lr_on_plateau: reduce.map(|r| r.progress().clone()),
            model_checkpoint: model_checkpoint.map(|c| c.progress().clone()),
            ..State::default()
        };
        checkpoints.write(state, training.model(), &self.history)?;
        write_text(&folder.join(HISTORY), &self.history.to_csv())?;
        self.due = Instant::now() + pause(start.elapsed());
        Ok(())
    }
}

/// The wait after a checkpoint that took so long: a twentieth of the
/// time is enough for them where epochs take milliseconds.
fn pause(taken: Duration) -> Duration {
    taken * 19
}
