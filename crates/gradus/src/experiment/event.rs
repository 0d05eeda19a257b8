//! Progress: events of an experiment under way, handed to a callback.

use super::resolve::Found;
use crate::artifacts::keras::Note;
use crate::data::checks::Finding;
use crate::data::{Listener, Told};
use crate::error::{Error, Result};
use crate::train::callbacks::Progress as EpochProgress;
use crate::train::{Epoch, History};
use std::cell::RefCell;
use std::path::Path;

/// One thing that has happened in an experiment.
///
/// The events of a training come in the order of this list; of a cross-validation, all of
/// them for each fold.
#[non_exhaustive]
pub enum Event<'a> {
    /// A fold of a cross-validation begins.
    Fold {
        /// The fold, from 1.
        fold: usize,
        /// The number of folds.
        folds: usize,
    },
    /// A binary copy is made of a table that is larger than memory.
    Copying {
        /// The table.
        table: &'a Path,
        /// Bytes of it that are copied; of a Parquet file, rows.
        done: u64,
        /// How many there are.
        all: u64,
    },
    /// A model file has compile settings that gradus does not know; the layers are used
    /// without them.
    NotRead {
        /// The file.
        path: &'a Path,
        /// One note for each part.
        notes: &'a [Note],
    },
    /// The rows have been opened and the model is built: which rows are for what, and what
    /// the model predicts.
    Opened {
        /// As text of some lines.
        description: &'a str,
    },
    /// Something suspicious about the rows or the configuration.
    Warning(&'a Finding),
    /// The learning-rate finder has set the rate.
    RateFound(&'a Found),
    /// First layers have been pretrained.
    Pretrained {
        /// The loss of each epoch.
        history: &'a History,
        /// The number of rows.
        rows: usize,
    },
    /// The checkpoint to resume from has weights with NaN or infinite numbers.
    NotFinite {
        /// The name of the checkpoint's model file.
        file: &'a str,
        /// The layer.
        layer: &'a str,
        /// Its weight.
        weight: &'a str,
    },
    /// The training resumes from a checkpoint.
    Resumed {
        /// The number of epochs that are done.
        epochs: usize,
        /// True if none is left.
        finished: bool,
    },
    /// The training begins, and its run folder has been made.
    Begun {
        /// The run folder.
        folder: &'a Path,
    },
    /// A step has been taken.
    Step(&'a EpochProgress<'a>),
    /// An epoch and its validation are done.
    Epoch {
        /// What was measured.
        epoch: &'a Epoch,
        /// The epoch to end before.
        epochs: usize,
    },
    /// The last epoch is done.
    Ended,
}

/// The callback that gets the events. An error that it returns ends the experiment.
pub(crate) struct Progress<'a> {
    callback: RefCell<&'a mut dyn FnMut(&Event<'_>) -> Result<()>>,
    /// The error of an event that could not return it.
    failed: RefCell<Option<Error>>,
}

impl<'a> Progress<'a> {
    pub fn new(callback: &'a mut dyn FnMut(&Event<'_>) -> Result<()>) -> Self {
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

    /// Runs `open` with a listener whose words become [`Event::Copying`].
    pub fn listening<T>(&self, open: impl FnOnce(Listener<'_>) -> Result<T>) -> Result<T> {
        let tell = |told: Told<'_>| {
            let Told { table, done, all } = told;
            if let Err(error) = self.tell(&Event::Copying { table, done, all }) {
                self.failed.replace(Some(error));
            }
        };
        let opened = open(Listener::new(&tell))?;
        match self.failed.take() {
            Some(error) => Err(error),
            None => Ok(opened),
        }
    }
}
