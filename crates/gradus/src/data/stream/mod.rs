//! Rows that are not all in memory: read in windows while the one before is used.
//!
//! The source (`rows`, `npy`) and the order (`order`) are one thing, the way it comes
//! to memory (`window`, `reader`, `windows`; `blocks`) another; a `generator` has no order but
//! its own.

mod blocks;
mod generator;
mod npy;
mod order;
mod pool;
mod reader;
mod rows;
mod window;
mod windows;

pub(crate) use generator::Drawn;
pub use generator::Generator;
pub use npy::NpyRows;
pub use rows::{Rows, Stream};

pub(crate) use reader::Prepare;
pub(crate) use windows::Windows;

use super::{Dataset, Tensor};
use crate::error::{Error, Result};

/// The data of training or evaluation: rows in memory, streamed rows, or batches of a generator. A
/// reference to one of the three converts to it, sharing the rows.
#[derive(Clone, Debug)]
pub enum Data {
    /// All in memory.
    Memory(Dataset),
    /// Streamed block by block.
    Stream(Stream),
    /// Batches from a user's iterator.
    Generator(Generator),
}

impl Data {
    /// Number of rows, if known.
    pub fn rows(&self) -> Option<usize> {
        match self {
            Data::Memory(data) => Some(data.rows()),
            Data::Stream(stream) => Some(stream.rows()),
            Data::Generator(_) => None,
        }
    }

    /// Representative rows, at least one: all, the first of a stream, or a generator's first batch.
    pub fn sample(&self) -> &Dataset {
        match self {
            Data::Memory(data) => data,
            Data::Stream(stream) => stream.sample(),
            Data::Generator(generator) => generator.sample(),
        }
    }

    /// Splits off the last `fraction` of the rows. Those of a stream get an eighth of its memory.
    /// An error for a generator.
    pub(crate) fn split_fraction(self, fraction: f64) -> Result<(Self, Self)> {
        match self {
            Data::Memory(data) => {
                let (rest, last) = data.split_fraction(fraction)?;
                Ok((rest.into(), last.into()))
            }
            Data::Stream(stream) => {
                let (rest, last) = stream.split_fraction(fraction)?;
                Ok((rest.into(), last.into()))
            }
            Data::Generator(_) => {
                let found = format!("{fraction} of a generator's batches");
                let expected = "rows of their own (`validation_data`)";
                Err(Error::invalid("validation_split", found, expected))
            }
        }
    }

    /// The same rows with only the inputs of these names.
    pub(super) fn keep_inputs(self, names: &[&str]) -> Result<Self> {
        match self {
            Data::Memory(data) => data.keep_inputs(names).map(Data::from),
            Data::Stream(stream) => stream.keep_inputs(names).map(Data::from),
            Data::Generator(_) => Err(Error::Internal("named inputs of a generator".into())),
        }
    }

    /// Calls `visit` with all rows, in their order, as many at a time as memory allows. An error
    /// for a generator, whose batches come only once.
    pub(crate) fn each(&self, visit: &mut dyn FnMut(&Dataset) -> Result<()>) -> Result<()> {
        match self {
            Data::Memory(data) => visit(data),
            Data::Stream(stream) => stream.each(visit),
            Data::Generator(generator) => Err(generator.once()),
        }
    }
}

macro_rules! becomes {
    ($($from:ty => $variant:ident),*) => {$(
        impl From<$from> for Data {
            fn from(data: $from) -> Self {
                Data::$variant(data)
            }
        }
        impl From<&$from> for Data {
            fn from(data: &$from) -> Self {
                Data::$variant(data.clone())
            }
        }
    )*};
}

becomes!(Dataset => Memory, Stream => Stream, Generator => Generator);

/// Rows without targets, for predictions.
impl From<Tensor> for Data {
    fn from(inputs: Tensor) -> Self {
        Data::Memory(Dataset::unlabelled(inputs))
    }
}

/// Rows without targets, for predictions.
impl From<&Tensor> for Data {
    fn from(inputs: &Tensor) -> Self {
        inputs.clone().into()
    }
}

impl From<&Data> for Data {
    fn from(data: &Data) -> Self {
        data.clone()
    }
}
