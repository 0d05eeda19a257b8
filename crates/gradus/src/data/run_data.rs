//! `RunData`: the rows of a run, and the facts that come with them.

use crate::base::memory::Memory;
use crate::data::dataset::Dataset;
use crate::data::pictures::Pictures;
use crate::data::schema::{LeftOut, Schema, Summary};
use crate::data::stream::{Data, Stream};
use crate::error::Result;
use std::path::PathBuf;

/// The rows of a run, in memory or read from their files meanwhile.
#[derive(Clone, Debug)]
pub struct RunData {
    /// The rows that are trained on.
    pub train: Data,
    /// The rows that are held out to watch the training.
    pub validation: Option<Data>,
    /// The rows that are held out to the end: as `data.test` says, or a built-in set's own.
    pub test: Option<Data>,
    /// The facts that are known of them.
    pub facts: Facts,
}

/// Facts about the rows of a run.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The meaning of a table's columns to a model.
    pub schema: Option<Schema>,
    /// The statistics of a table's training rows.
    pub summary: Option<Summary>,
    /// Columns left out because they are constant or empty in the training rows.
    pub left_out: Vec<LeftOut>,
    /// Notes for the user on how a table's text was read.
    pub notes: Vec<String>,
    /// The preparation of pictures, if it is not the usual one of models.
    pub pictures: Option<Pictures>,
    /// The parts that are held out at an end of the source: `validation`, `test`.
    pub ends: Vec<&'static str>,
    /// The way rows are read that are larger than memory; `None` for rows in memory.
    pub streamed: Option<Streamed>,
}

/// The way rows are read that are larger than the memory they may take.
#[derive(Clone, Debug)]
pub struct Streamed {
    /// The memory that the rows may take.
    pub memory: Memory,
    /// The memory that all of them would take, about.
    pub whole: Memory,
    /// The binary copy of a table that is read.
    pub copy: Option<PathBuf>,
    /// The targets of the training rows, in place of the inputs too, so that counting them
    /// reads no inputs. `None` without targets.
    targets: Option<Stream>,
}

impl Streamed {
    /// Rows that are read within `memory`.
    pub(super) fn new(memory: Memory, whole: Memory, targets: Option<Stream>) -> Self {
        Streamed {
            memory,
            whole,
            copy: None,
            targets,
        }
    }
}

impl RunData {
    /// Rows in memory that are only trained on or measured.
    pub fn of(train: Dataset) -> Self {
        RunData {
            train: train.into(),
            validation: None,
            test: None,
            facts: Facts::default(),
        }
    }

    /// The number of rows that are trained on.
    pub fn train_rows(&self) -> usize {
        self.train.rows().unwrap_or_default()
    }

    /// The targets of all training rows, with arbitrary inputs.
    pub fn targets(&self) -> Data {
        let streamed = self.facts.streamed.as_ref();
        match streamed.and_then(|streamed| streamed.targets.as_ref()) {
            Some(targets) => targets.into(),
            None => self.train.clone(),
        }
    }

    /// The meaning of a table's columns to a model.
    pub fn schema(&self) -> Option<&Schema> {
        self.facts.schema.as_ref()
    }

    /// The statistics of a table's training rows.
    pub fn summary(&self) -> Option<&Summary> {
        self.facts.summary.as_ref()
    }

    /// The preparation of pictures, if it is not the usual one of models.
    pub fn pictures(&self) -> Option<&Pictures> {
        self.facts.pictures.as_ref()
    }

    /// The same rows with only the inputs of these names, for tables that have others.
    pub fn keep_inputs(mut self, names: &[&str]) -> Result<Self> {
        let Some(schema) = &mut self.facts.schema else {
            return Ok(self);
        };
        schema.keep_inputs(names);
        let keep = |data: Data| data.keep_inputs(names);
        Ok(RunData {
            train: keep(self.train)?,
            validation: self.validation.map(keep).transpose()?,
            test: self.test.map(keep).transpose()?,
            facts: self.facts,
        })
    }
}
