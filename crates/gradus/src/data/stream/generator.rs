//! `Generator`: batches from a user's iterator.

use super::reader::{Prepare, Reader, Ready};
use super::window::alike;
use crate::base::threads::lock;
use crate::data::{Dataset, Tensor};
use crate::error::{Error, Result};
use std::fmt;
use std::sync::{Arc, Mutex};

/// An iterator of batches, used in its order: Keras' generator.
///
/// [`Fit::steps_per_epoch`] sets the length of an epoch; an iterator of known length needs none for
/// a single epoch. Training ends when it has no more batches. While one batch is trained on,
/// another thread makes the next; two are in memory. No batch may have more rows than the first.
/// Nothing is shuffled, and layers are not adapted to it: adapt `Normalization` layers by
/// [`Model::adapt`] on other rows.
///
/// [`Fit::steps_per_epoch`]: crate::train::Fit::steps_per_epoch
/// [`Model::adapt`]: crate::Model::adapt
///
/// ```
/// use gradus::data::Generator;
/// use gradus::prelude::*;
///
/// // Batches without end, each of 32 rows.
/// let batches = (0..).map(|batch| {
///     let x: Vec<f32> = (0..32).map(|row| ((batch * 32 + row) % 100) as f32 * 0.01).collect();
///     let y = x.iter().map(|x| 3.0 * x - 1.0).collect();
///     Dataset::new(Tensor::from_f32([1], x)?, Tensor::from_column(y)?)
/// });
/// let mut model = Sequential::new()
///     .add(Dense::new(1))
///     .compile(SGD::new().learning_rate(0.1), Loss::MeanSquaredError, &[])?;
/// let fit = Fit::new().epochs(5).steps_per_epoch(100);
/// let history = model.fit(&Generator::new(batches)?, fit)?;
/// assert!(history.last("loss") < Some(0.01));
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone)]
pub struct Generator {
    batches: Arc<Mutex<Batches>>,
    sample: Dataset,
    /// Number of batches, if the iterator knows it.
    length: Option<usize>,
}

type Iter = Box<dyn Iterator<Item = Result<Dataset>> + Send>;

struct Batches {
    /// The first batch, until it is used.
    first: Option<Dataset>,
    rest: Iter,
}

impl Generator {
    /// Wraps an iterator of batches. It takes the first one at once; an error if there is none, or
    /// it has no rows.
    pub fn new<I>(batches: I) -> Result<Self>
    where
        I: IntoIterator<Item = Result<Dataset>>,
        I::IntoIter: Send + 'static,
    {
        let mut rest = batches.into_iter();
        let length = match rest.size_hint() {
            (least, Some(most)) if least == most => Some(most),
            _ => None,
        };
        let first = rest.next().transpose()?;
        let Some(first) = first.filter(|first| first.rows() > 0) else {
            return Err(Error::invalid(
                "data",
                "no batch",
                "at least one, with rows",
            ));
        };
        Ok(Generator {
            sample: first.clone(),
            batches: Arc::new(Mutex::new(Batches {
                first: Some(first),
                rest: Box::new(rest),
            })),
            length,
        })
    }

    /// The first batch.
    pub fn sample(&self) -> &Dataset {
        &self.sample
    }

    /// Total number of batches, if known.
    pub(crate) fn length(&self) -> Option<usize> {
        self.length
    }

    /// The next batch; `None` after the last.
    pub(crate) fn next(&self) -> Result<Option<Dataset>> {
        let mut batches = lock(&self.batches);
        let Some(batch) = batches.first.take().map(Ok).or_else(|| batches.rest.next()) else {
            return Ok(None);
        };
        let batch = batch?;
        alike(&self.sample, &batch, None)?;
        if batch.rows() > self.sample.rows() || batch.rows() == 0 {
            let found = format!("a batch of {} rows", batch.rows());
            let expected = format!("1 to {}, as the first has", self.sample.rows());
            return Err(Error::invalid(batch.name(), found, expected));
        }
        Ok(Some(batch))
    }

    /// The error for uses that need all rows before training.
    pub(super) fn once(&self) -> Error {
        Error::NotReady {
            problem: "a layer has still to learn from data, and the batches of a generator come \
                      only once: call `model.adapt` on other rows first"
                .into(),
        }
    }
}

impl fmt::Debug for Generator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generator")
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

/// The batches of a training, each made while the previous one is used.
pub(crate) struct Drawn {
    reader: Reader<(), Option<Ready>>,
    /// Batches still to be requested; unneeded ones are not taken from the iterator.
    left: usize,
    now: Option<Ready>,
    rows: Vec<u32>,
}

impl Drawn {
    /// The feeds of at most `batches` batches.
    pub fn new(generator: &Generator, batches: usize, mut prepare: Prepare) -> Result<Self> {
        let source = generator.clone();
        let reader = Reader::new(move |(), _| {
            let Some(data) = source.next()? else {
                return Ok(None);
            };
            let feeds = prepare(&data)?;
            Ok(Some(Ready { feeds, data }))
        })?;
        let mut drawn = Drawn {
            reader,
            left: batches,
            now: None,
            rows: (0..generator.sample.rows() as u32).collect(),
        };
        drawn.ask();
        Ok(drawn)
    }

    fn ask(&mut self) {
        if self.left > 0 {
            self.left -= 1;
            self.reader.request(());
        }
    }

    /// Moves to the next batch, if there is one.
    pub fn advance(&mut self) -> Result<bool> {
        self.now = None;
        self.now = self.reader.wait()?;
        self.ask();
        Ok(self.now.is_some())
    }

    /// The feeds of the current batch, and its rows.
    pub fn batch(&self) -> Option<(&[Tensor], &[u32])> {
        let ready = self.now.as_ref()?;
        Some((&ready.feeds, self.rows.get(..ready.data.rows())?))
    }
}
