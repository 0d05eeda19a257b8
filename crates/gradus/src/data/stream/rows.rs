//! `Rows`: a source that can be read in parts; `Stream`: its windows in memory.

use super::order::Cut;
use super::window::{self, Window};
use crate::base::threads::lock;
use crate::data::memory::Memory;
use crate::data::scale::Scale;
use crate::data::split::share;
use crate::data::{Dataset, Tensor};
use crate::error::{Error, Result};
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex};

/// A source of rows that are read when needed: files, a database, a generator.
///
/// ```
/// use gradus::data::{Rows, Stream};
/// use gradus::prelude::*;
/// use std::ops::Range;
///
/// /// The sine of numbers between 0 and 10.
/// struct Sine;
///
/// impl Rows for Sine {
///     fn rows(&self) -> usize {
///         100_000
///     }
///
///     fn read(&mut self, rows: Range<usize>) -> gradus::Result<Dataset> {
///         let x: Vec<f32> = rows.map(|row| row as f32 * 1e-4).collect();
///         let y = x.iter().map(|x| x.sin()).collect();
///         Dataset::new(Tensor::from_f32([1], x)?, Tensor::from_column(y)?)
///     }
/// }
///
/// let mut model = Sequential::new()
///     .add(Dense::new(20).activation(Activation::Tanh))
///     .add(Dense::new(1))
///     .compile(Adam::new(), Loss::MeanSquaredError, &[])?;
/// let rows = Stream::new(Sine)?.memory(1_000_000);
/// let history = model.fit(&rows, Fit::new().batch_size(100))?;
/// assert!(history.last("loss") < Some(0.4));
/// # Ok::<(), gradus::Error>(())
/// ```
pub trait Rows: Send {
    /// Number of rows, which must not change.
    fn rows(&self) -> usize;

    /// Reads the rows of a range that is within bounds. Each call must give exactly that many rows,
    /// with the same inputs, targets and weights in shape, type (bytes, numbers, texts) and scale.
    /// It is called on another thread than the training's, during training.
    ///
    /// An error ends the training, and the model stays as it was before.
    fn read(&mut self, rows: Range<usize>) -> Result<Dataset>;

    /// The row number used in messages. The default is the row itself.
    fn source_row(&self, row: usize) -> usize {
        row
    }

    /// Bytes per row in memory beside its values and text codes: about those of the texts
    /// themselves. The default is 0.
    fn text_bytes(&self) -> u64 {
        0
    }
}

/// Rows that are streamed during training or evaluation, within a memory limit.
///
/// Two windows of rows are in memory: the one in use, and the next one, which a thread reads
/// meanwhile. Without shuffling, the rows are visited as if they were in memory, with the same
/// results to the bit.
///
/// **Shuffling.** An epoch cuts the rows into contiguous blocks of up to 250 kB, from a random row
/// on; each window gets blocks drawn at random from all, and its rows are shuffled. The order is a
/// function of seed, epoch, batch size and memory. It is not uniform over all orders: rows of a
/// block are trained on within one window of each other, in each epoch (in memory the whole epoch
/// may lie between them), and the last, shorter block of an epoch is always in the last window.
/// With many blocks in a window, which is 30 or more unless a batch is larger than a block, a batch
/// has seldom two rows of one block: rows that lie in the file sorted by class are well mixed,
/// though a window's share of each class varies by chance as that of so many blocks, not rows,
/// drawn at random.
///
/// Clones and slices share the source.
#[derive(Clone)]
pub struct Stream {
    source: Arc<Mutex<Box<dyn Rows>>>,
    /// The range of the source's rows.
    pub(super) rows: Range<usize>,
    pub(super) memory: u64,
    /// One scale for each input, or empty.
    pub(super) scales: Arc<Vec<Scale>>,
    /// Indices of the kept inputs, if not all are.
    kept: Option<Arc<Vec<String>>>,
    text_bytes: u64,
    sample: Dataset,
}

/// Representative rows.
const SAMPLE: usize = 32;

impl Stream {
    /// Streams these rows, with 500 MB of them in memory. It reads the first ones; an error if
    /// there are none.
    pub fn new(rows: impl Rows + 'static) -> Result<Self> {
        let mut source: Box<dyn Rows> = Box::new(rows);
        let count = source.rows();
        if count == 0 {
            return Err(Error::invalid("data", "no rows", "at least one"));
        }
        let first = 0..count.min(SAMPLE);
        let sample = source.read(first.clone())?;
        window::as_many(&sample, &first)?;
        Ok(Stream {
            text_bytes: source.text_bytes(),
            kept: None,
            source: Arc::new(Mutex::new(source)),
            rows: 0..count,
            memory: Memory::USUAL.bytes(),
            scales: Arc::default(),
            sample,
        })
    }

    /// Sets the memory limit of the rows, read-ahead included. Default 500 MB. Other memory
    /// (weights, the program) comes on top; so do streamed validation rows, which have a limit of
    /// their own.
    pub fn memory(mut self, bytes: u64) -> Self {
        self.memory = bytes;
        self
    }

    /// The same rows, each input scaled.
    pub fn scaled(mut self, scales: Vec<Scale>) -> Result<Self> {
        self.sample = scaled(self.sample, &scales)?;
        self.scales = Arc::new(scales);
        Ok(self)
    }

    /// The same rows with only the inputs of these names.
    pub(in crate::data) fn keep_inputs(mut self, names: &[&str]) -> Result<Self> {
        self.sample = self.sample.keep_inputs(names)?;
        let names = names.iter().map(|&name| name.to_owned());
        self.kept = Some(Arc::new(names.collect()));
        Ok(self)
    }

    /// The scale that gives each column of the inputs mean 0 and population variance 1, found in
    /// two passes over all rows.
    pub fn standard_scales(&self) -> Result<Vec<Scale>> {
        let plain = Stream {
            scales: Arc::default(),
            ..self.clone()
        };
        Scale::standard_of(plain.sample.inputs(), |visit| plain.each(visit))
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The first rows, at least one.
    pub fn sample(&self) -> &Dataset {
        &self.sample
    }

    /// The rows of a range, at least one.
    pub fn slice(&self, rows: Range<usize>) -> Result<Self> {
        if rows.start >= rows.end || rows.end > self.rows() {
            let found = format!("rows {}..{}", rows.start, rows.end);
            let expected = format!("a range within its {} rows, not empty", self.rows());
            return Err(Error::invalid(self.sample.name(), found, expected));
        }
        let mut part = self.clone();
        part.rows = self.rows.start + rows.start..self.rows.start + rows.end;
        let first = part.rows.start..part.rows.end.min(part.rows.start + SAMPLE);
        part.sample = scaled(part.read(first)?, &part.scales)?;
        Ok(part)
    }

    /// Splits off the last `fraction` of the rows, as [`Dataset::split_fraction`]. The first part
    /// gets seven eighths of the memory, the last the rest.
    pub fn split_fraction(&self, fraction: f64) -> Result<(Self, Self)> {
        let stay = self.rows() - share(self.rows(), fraction)?;
        self.split_at(stay).map(|(first, last)| {
            let part = self.memory / 8;
            (first.memory(self.memory - part), last.memory(part))
        })
    }

    /// Splits before that row.
    pub(crate) fn split_at(&self, row: usize) -> Result<(Self, Self)> {
        Ok((self.slice(0..row)?, self.slice(row..self.rows())?))
    }

    /// Some of the rows, as they are in the source.
    pub(in crate::data) fn some(&self, rows: Range<usize>) -> Result<Dataset> {
        self.read(self.rows.start + rows.start..self.rows.start + rows.end)
    }

    /// Reads rows of the source as they are.
    pub(super) fn read(&self, rows: Range<usize>) -> Result<Dataset> {
        let data = lock(&self.source).read(rows.clone())?;
        window::as_many(&data, &rows)?;
        match &self.kept {
            None => Ok(data),
            Some(names) => data.keep_inputs(&names.iter().map(String::as_str).collect::<Vec<_>>()),
        }
    }

    /// Reads a window, block by block, into spare memory; `goes_on` is asked between blocks.
    pub(super) fn window(
        &self,
        ranges: &[Range<usize>],
        block: usize,
        window: &mut Window,
        goes_on: &dyn Fn() -> bool,
    ) -> Result<Dataset> {
        let count = ranges.iter().map(Range::len).sum();
        for range in ranges {
            let end = self.rows.start + range.end;
            for start in (self.rows.start + range.start..end).step_by(block) {
                if !goes_on() {
                    return Err(Error::Internal("nobody wants these rows".into()));
                }
                let rows = start..end.min(start + block);
                window.add(self.read(rows.clone())?, rows.start, count)?;
            }
        }
        scaled(window.finish()?, &self.scales)
    }

    /// The source's row number of a window's row.
    pub(super) fn source_row(&self, ranges: &[Range<usize>], mut row: usize) -> Option<usize> {
        for range in ranges {
            if row < range.len() {
                let row = self.rows.start + range.start + row;
                return Some(lock(&self.source).source_row(row));
            }
            row -= range.len();
        }
        None
    }

    /// Bytes per row in memory, with its bookkeeping.
    pub(super) fn row_bytes(&self) -> u64 {
        /// Its index in the order, and a class's weight.
        const NOTES: usize = 8;
        let data = &self.sample;
        let tensors = data.inputs().iter().chain(data.targets());
        let tensors = tensors.chain(data.sample_weight());
        (tensors.map(Tensor::row_bytes).sum::<usize>() + NOTES) as u64 + self.text_bytes
    }

    /// The largest batch that the memory allows, at least 1.
    pub(crate) fn most_of_batch(&self) -> usize {
        let rows = self.memory / (Cut::LEAST * self.row_bytes());
        usize::try_from(rows).unwrap_or(usize::MAX).max(1)
    }
}

pub(super) fn scaled(data: Dataset, scales: &[Scale]) -> Result<Dataset> {
    if scales.is_empty() {
        return Ok(data);
    }
    if scales.len() != data.inputs().len() {
        let found = format!("{} scales", scales.len());
        let expected = format!("{}, one for each input", data.inputs().len());
        return Err(Error::invalid(data.name(), found, expected));
    }
    data.map_inputs(|input, tensor| tensor.scaled(scales[input].clone()))
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("rows", &self.rows)
            .field("memory", &self.memory)
            .finish_non_exhaustive()
    }
}
