//! Progress: events of an experiment under way, handed to a callback.

use crate::artifacts::keras::Note;
use crate::data::checks::Finding;
use crate::data::{CopyProgress, OnCopy};
use crate::error::{Error, Result};
use crate::train::callbacks::Progress as EpochProgress;
use crate::train::{Epoch, History};
use std::cell::RefCell;
use std::path::Path;

/// A rate that the learning-rate finder has set.
#[derive(Debug)]
pub struct FoundRate {
    /// The key of the configuration that it is the value of.
    pub key: String,
    /// Value of the rate.
    pub rate: f64,
    /// The rate from which the loss climbs.
    pub turning_point: f64,
}

/// One thing that has happened in an experiment.
///
/// Those of a training come about in the order of this list; of a cross-validation, all of
/// them for each fold.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A fold of a cross-validation begins.
    FoldBegin {
        /// The fold, from 1.
        fold: usize,
        /// The number of folds.
        folds: usize,
    },
    /// A model file has compile settings that gradus does not know; the layers are used
    /// without them.
    ModelNotes {
        /// The file.
        path: &'a Path,
        /// One note for each part that was not read.
        notes: &'a [Note],
    },
    /// A binary copy is being made of a table that is larger than memory.
    CopyTable {
        /// The table.
        table: &'a Path,
        /// The bytes of it that are copied; of a Parquet file, the rows.
        done: u64,
        /// The bytes or rows to copy in all.
        all: u64,
    },
    /// The rows are open and the model is built.
    DataOpened {
        /// The use of the rows and what the model predicts, as text of some lines.
        description: &'a str,
    },
    /// Something about the rows or the configuration is suspicious.
    Warning(&'a Finding),
    /// The learning-rate finder has set the rate.
    LearningRateFound(&'a FoundRate),
    /// An interrupted pretraining resumes from a checkpoint.
    PretrainResumed {
        /// The number of its epochs that are done.
        epochs: usize,
    },
    /// A pretraining begins; its run folder has been made.
    PretrainBegin {
        /// The run folder.
        folder: &'a Path,
    },
    /// A step of a pretraining has been taken.
    PretrainBatchEnd(&'a EpochProgress<'a>),
    /// First layers have been pretrained.
    Pretrained {
        /// The loss of each epoch.
        history: &'a History,
        /// The number of rows.
        rows: usize,
    },
    /// A checkpoint is damaged, and the one before it is taken.
    CheckpointDamaged {
        /// The file of its state.
        path: &'a Path,
        /// The fault that was found.
        problem: &'a Error,
    },
    /// The checkpoint to resume from has weights with NaN or infinite numbers.
    CheckpointNotFinite {
        /// The name of the checkpoint's model file.
        file: &'a str,
        /// The name of the layer.
        layer: &'a str,
        /// The name of its weight.
        weight: &'a str,
    },
    /// The configuration or the data has changed since the run began, which is allowed.
    ChangesAllowed {
        /// One line for each change.
        changes: &'a [String],
    },
    /// The training resumes from a checkpoint.
    Resumed {
        /// The number of epochs that are done.
        epochs: usize,
        /// The number of steps of the next one that are done, too.
        steps: usize,
        /// True if no epoch is left.
        finished: bool,
    },
    /// The run folder cannot be locked: another process may train in it unnoticed.
    NotLocked {
        /// The system's refusal.
        problem: &'a Error,
    },
    /// The training begins; its run folder has been made.
    TrainBegin {
        /// The run folder.
        folder: &'a Path,
    },
    /// A step has been taken.
    BatchEnd(&'a EpochProgress<'a>),
    /// A batch of an epoch's validation is done; the progress is that of the epoch's training.
    ValidationBatchEnd(&'a EpochProgress<'a>),
    /// An epoch and its validation are done.
    EpochEnd {
        /// The epoch's measurements.
        epoch: &'a Epoch,
        /// Exclusive end of the epochs.
        epochs: usize,
    },
    /// A file could not be written: the training goes on, and it is tried again.
    NotWritten {
        /// The kind of file: `checkpoint`, or the name of a callback.
        kind: &'a str,
        /// The system's refusal.
        problem: &'a Error,
    },
    /// The last epoch is done.
    TrainEnd,
}

/// A callback for events.
type Callback<'a> = dyn FnMut(&Event<'_>) -> Result<()> + 'a;

/// The callback that gets the events. An error that it returns ends the experiment.
pub(crate) struct Progress<'a> {
    callback: RefCell<&'a mut Callback<'a>>,
    /// The error of an event that could not return it.
    failed: RefCell<Option<Error>>,
}

impl<'a> Progress<'a> {
    pub fn new(callback: &'a mut Callback<'a>) -> Self {
        Progress {
            callback: RefCell::new(callback),
            failed: RefCell::new(None),
        }
    }

    /// Hands the event to the callback.
    pub fn tell(&self, event: &Event<'_>) -> Result<()> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        (self.callback.borrow_mut())(event)
    }

    /// Runs `open` with a callback for copies, whose progress becomes [`Event::CopyTable`].
    pub fn listening<T>(&self, open: impl FnOnce(OnCopy<'_>) -> Result<T>) -> Result<T> {
        let tell = |progress: CopyProgress<'_>| {
            let CopyProgress { table, done, all } = progress;
            if let Err(error) = self.tell(&Event::CopyTable { table, done, all }) {
                self.failed.replace(Some(error));
            }
        };
        let opened = open(OnCopy::new(&tell))?;
        match self.failed.take() {
            Some(error) => Err(error),
            None => Ok(opened),
        }
    }
}
