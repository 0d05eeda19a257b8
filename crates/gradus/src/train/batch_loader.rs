//! The batch loader: the batches of training and evaluation, from rows in memory, streams and
//! generators.

use super::prepare::weigh_classes;
use crate::data::{Batches, Data, Dataset, Drawn, Prepare, Tensor, Windows};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::predict::feeds::tensors;
use crate::predict::{check, feeds};

/// Batches in order, epoch by epoch.
pub(super) enum BatchLoader {
    /// From rows in memory.
    Memory {
        tensors: Vec<Tensor>,
        batches: Batches,
    },
    /// From streamed rows.
    Windows {
        windows: Box<Windows>,
        /// Last epoch, after which nothing is read ahead.
        end: usize,
    },
    /// From a generator.
    Drawn {
        drawn: Box<Drawn>,
        /// Steps per epoch.
        steps: usize,
    },
}

/// The batching and order of rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order {
    pub batch_size: usize,
    pub shuffle: bool,
    pub seed: u64,
    /// First epoch, and exclusive end.
    pub epochs: (usize, usize),
    pub steps_per_epoch: Option<usize>,
}

impl BatchLoader {
    /// Training batches. `class_weight` weights streamed rows; those in memory already have their
    /// weights.
    pub fn new(
        model: &Model,
        data: &Data,
        order: Order,
        class_weight: &[(usize, f64)],
    ) -> Result<Self> {
        let steps = match data {
            Data::Generator(generator) => Some(steps(order, generator.length())?),
            _ => None,
        };
        if let (Some(given), None) = (order.steps_per_epoch, steps) {
            let expected = "none: an epoch visits all rows; it belongs to a generator";
            return Err(Error::invalid("steps_per_epoch", given, expected));
        }
        let Order {
            batch_size,
            shuffle,
            seed,
            epochs: (first, end),
            ..
        } = order;
        match data {
            Data::Memory(data) => Ok(BatchLoader::Memory {
                tensors: tensors(model, data, true)?,
                batches: Batches::new(data.rows(), batch_size, shuffle, seed)?,
            }),
            Data::Stream(stream) => {
                let seed = shuffle.then_some(seed);
                let prepare = prepare(model, class_weight);
                Ok(BatchLoader::Windows {
                    windows: Box::new(Windows::new(stream, batch_size, seed, prepare)?),
                    end,
                })
            }
            Data::Generator(generator) => {
                let steps = steps.unwrap_or_default();
                let all = steps.saturating_mul(end.saturating_sub(first));
                let prepare = prepare(model, class_weight);
                Ok(BatchLoader::Drawn {
                    drawn: Box::new(Drawn::new(generator, all, prepare)?),
                    steps,
                })
            }
        }
    }

    /// Evaluation batches of `batch_size` rows, in their order.
    pub fn measuring(model: &Model, data: &Data, rows: usize) -> Result<Self> {
        let order = Order {
            batch_size: rows,
            shuffle: false,
            seed: 0,
            epochs: (0, 1),
            // A generator determines its own number.
            steps_per_epoch: matches!(data, Data::Generator(_)).then_some(usize::MAX),
        };
        Self::new(model, data, order, &[])
    }

    /// The tensors of rows in memory with features of each row behind them.
    pub fn with_features(&self, features: Option<&[Tensor]>) -> Option<Vec<Tensor>> {
        match self {
            BatchLoader::Memory { tensors, .. } => Some([tensors, features?].concat()),
            BatchLoader::Windows { .. } | BatchLoader::Drawn { .. } => None,
        }
    }

    /// Steps per epoch.
    pub fn count(&self) -> usize {
        match self {
            BatchLoader::Memory { batches, .. } => batches.count(),
            BatchLoader::Windows { windows, .. } => windows.count(),
            BatchLoader::Drawn { steps, .. } => *steps,
        }
    }

    /// Orders the rows for that epoch.
    pub fn start_epoch(&mut self, epoch: usize) {
        match self {
            BatchLoader::Memory { batches, .. } => batches.start_epoch(epoch as u64),
            BatchLoader::Windows { windows, end } => {
                windows.start_epoch(epoch as u64, epoch + 1 < *end);
            }
            BatchLoader::Drawn { .. } => {}
        }
    }

    /// Waits for the n-th batch of the epoch; batches must be requested in order. False if there is
    /// none.
    pub fn wait_for(&mut self, number: usize) -> Result<bool> {
        if number >= self.count() {
            return Ok(false);
        }
        match self {
            BatchLoader::Memory { .. } => Ok(true),
            BatchLoader::Windows { windows, .. } => windows.wait_for(number).map(|()| true),
            BatchLoader::Drawn { drawn, .. } => drawn.advance(),
        }
    }

    /// The tensors and row numbers of the n-th batch, which was waited for.
    pub fn batch(&self, number: usize) -> Result<(&[Tensor], &[u32])> {
        let found = match self {
            BatchLoader::Memory { tensors, batches } => {
                batches.get(number).map(|rows| (tensors.as_slice(), rows))
            }
            BatchLoader::Windows { windows, .. } => windows.batch(number),
            BatchLoader::Drawn { drawn, .. } => drawn.batch(),
        };
        found.ok_or_else(|| Error::Internal(format!("an epoch has no batch {number}")))
    }
}

/// The steps per epoch of a generator.
fn steps(order: Order, length: Option<usize>) -> Result<usize> {
    const KEY: &str = "steps_per_epoch";
    let (first, end) = order.epochs;
    match (order.steps_per_epoch, length) {
        (Some(0), _) => Err(Error::invalid(KEY, 0, "a whole number above 0")),
        (Some(steps), _) => Ok(steps),
        (None, Some(length)) if end.saturating_sub(first) <= 1 => Ok(length),
        (None, _) => {
            let expected = "the steps of an epoch, which a generator does not say";
            Err(Error::invalid(KEY, "nothing", expected))
        }
    }
}

/// Prepares streamed rows: checks them as those in memory are, weights them by class, and orders
/// their tensors as the plan's feeds.
fn prepare(model: &Model, class_weight: &[(usize, f64)]) -> Prepare {
    let (model, class_weight) = (model.outline(), class_weight.to_vec());
    Box::new(move |data: &Dataset| {
        check::labelled(&model, data)?;
        feeds::tensors(&model, &weigh_classes(data.clone(), &class_weight)?, true)
    })
}
