//! Batches of streamed rows, window by window.

use super::order::{Cut, Order};
use super::reader::{Prepare, Reader, Ready};
use super::rows::Stream;
use super::window::Window;
use crate::data::{Dataset, Tensor};
use crate::error::{Error, Result};
use std::ops::Range;

/// A request to read a window.
struct Job {
    ranges: Vec<Range<usize>>,
    /// A used window, whose memory is recycled.
    spare: Option<Ready>,
}

/// The batches of each epoch over a stream. While a window is used, the next one is read.
pub(crate) struct Windows {
    reader: Reader<Job, Ready>,
    stream: Stream,
    cut: Cut,
    batch: usize,
    /// `None` keeps the rows' own order.
    seed: Option<u64>,
    epoch: u64,
    order: Order,
    /// True if another epoch follows.
    more: bool,
    /// The current window, with its epoch and index.
    now: Option<(u64, usize, Ready)>,
    /// The epoch and index of the window being read.
    coming: Option<(u64, usize)>,
    /// The order of the current window's rows.
    rows: Vec<u32>,
}

impl Stream {
    /// Calls `visit` with all rows, window by window, in their order.
    pub(crate) fn each(&self, visit: &mut dyn FnMut(&Dataset) -> Result<()>) -> Result<()> {
        let mut windows = Windows::new(self, 1, None, Box::new(|_| Ok(Vec::new())))?;
        windows.each(visit)
    }
}

impl Windows {
    /// For batches of `batch` rows, shuffled by the seed if there is one. `prepare` makes the feeds
    /// of a window.
    pub fn new(stream: &Stream, batch: usize, seed: Option<u64>, prepare: Prepare) -> Result<Self> {
        if batch == 0 {
            return Err(Error::invalid("batch_size", 0, "a whole number above 0"));
        }
        let batch = batch.min(stream.rows());
        let cut = Cut::new(stream.rows(), stream.row_bytes(), stream.memory, batch)?;
        Ok(Windows {
            reader: reader(stream.clone(), cut.block, prepare)?,
            stream: stream.clone(),
            cut,
            batch,
            seed,
            epoch: 0,
            order: Order::new(cut, seed, 0),
            more: false,
            now: None,
            coming: None,
            rows: Vec::with_capacity(cut.window().min(cut.rows)),
        })
    }

    /// The batches of an epoch.
    pub fn count(&self) -> usize {
        self.cut.rows.div_ceil(self.batch)
    }

    /// Number of windows in an epoch.
    pub fn windows(&self) -> usize {
        self.cut.windows()
    }

    /// Begins an epoch. `more` is true if another follows.
    pub fn start_epoch(&mut self, epoch: u64, more: bool) {
        self.epoch = epoch;
        self.order = Order::new(self.cut, self.seed, epoch);
        self.more = more;
    }

    /// Waits for the window of the epoch's n-th batch, if it is not there yet.
    pub fn wait_for(&mut self, batch: usize) -> Result<()> {
        let row = batch * self.batch;
        self.reach_window(row / self.cut.window())
    }

    /// The feeds of the current window, and the n-th batch's rows in them.
    pub fn batch(&self, batch: usize) -> Option<(&[Tensor], &[u32])> {
        let (.., ready) = self.now.as_ref()?;
        let start = batch * self.batch % self.cut.window();
        let rows = self.rows.get(start..)?;
        let rows = &rows[..self.batch.min(rows.len())];
        (!rows.is_empty()).then_some((&ready.feeds, rows))
    }

    /// Calls `visit` with the rows of each window.
    pub fn each(&mut self, visit: &mut dyn FnMut(&Dataset) -> Result<()>) -> Result<()> {
        for number in 0..self.windows() {
            self.reach_window(number)?;
            if let Some((.., ready)) = &self.now {
                let ranges = || self.order.ranges(number);
                visit(&ready.data).map_err(|error| self.stream.at_source(error, &ranges()))?;
            }
        }
        Ok(())
    }

    fn reach_window(&mut self, number: usize) -> Result<()> {
        let wanted = (self.epoch, number);
        let there = match &self.now {
            Some((epoch, window, _)) if (*epoch, *window) == wanted => return Ok(()),
            // All rows are there; only their order differs.
            Some(_) => self.cut.windows() == 1 && self.seed.is_none(),
            None => false,
        };
        if there {
            if let Some((epoch, ..)) = &mut self.now {
                *epoch = self.epoch;
            }
            return Ok(());
        }
        let mut spare = self.now.take().map(|(.., ready)| ready);
        if self.coming.is_some_and(|coming| coming != wanted) {
            // Its result and its error are not needed.
            drop(self.reader.wait());
            self.coming = None;
        }
        if self.coming.is_none() {
            self.reader.request(Job {
                ranges: self.order.ranges(number),
                spare: spare.take(),
            });
        }
        self.coming = None;
        let ready = self.reader.wait()?;
        self.order
            .shuffle(number, ready.data.rows(), &mut self.rows);
        self.now = Some((self.epoch, number, ready));
        let next = match number + 1 < self.cut.windows() {
            true => Some((self.epoch, self.order.ranges(number + 1))),
            false if self.more && (self.cut.windows() > 1 || self.seed.is_some()) => {
                let order = Order::new(self.cut, self.seed, self.epoch + 1);
                Some((self.epoch + 1, order.ranges(0)))
            }
            false => None,
        };
        if let Some((epoch, ranges)) = next {
            self.coming = Some((epoch, if epoch == self.epoch { number + 1 } else { 0 }));
            self.reader.request(Job { ranges, spare });
        }
        Ok(())
    }
}

/// Reads windows in blocks of `block` rows, and prepares them.
fn reader(stream: Stream, block: usize, mut prepare: Prepare) -> Result<Reader<Job, Ready>> {
    let mut window = Window::default();
    Reader::new(move |Job { ranges, spare }, goes_on| {
        if let Some(Ready { feeds, data }) = spare {
            drop(feeds);
            window.reuse(data);
        }
        let data = stream.window(&ranges, block, &mut window, goes_on)?;
        let feeds = prepare(&data).map_err(|error| stream.at_source(error, &ranges))?;
        Ok(Ready { feeds, data })
    })
}
