//! `Batches`: the order in which an epoch visits the rows.

use crate::base::random::{Key, Stream};
use crate::error::{Error, Result};

/// The rows of an epoch in their order, cut into batches.
///
/// The order is a function of the seed and the epoch alone: neither the epochs
/// before it nor the number of threads change it.
///
/// ```
/// use gradus::Batches;
/// let mut batches = Batches::new(10, 4, true, 42)?;
/// batches.start_epoch(0);
/// let sizes: Vec<usize> = batches.iter().map(<[u32]>::len).collect();
/// assert_eq!(sizes, [4, 4, 2]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Batches {
    order: Vec<u32>,
    batch_size: usize,
    shuffle: bool,
    seed: u64,
}

impl Batches {
    /// Batches of `batch_size` of the rows `0..rows`, in a new random order
    /// each epoch if `shuffle`, in their own order otherwise.
    pub fn new(rows: usize, batch_size: usize, shuffle: bool, seed: u64) -> Result<Self> {
        if batch_size == 0 {
            return Err(Error::invalid("batch_size", 0, "a whole number above 0"));
        }
        let count = u32::try_from(rows)
            .map_err(|_| Error::invalid("data", format!("{rows} rows"), "fewer than 2^32"))?;
        Ok(Batches {
            order: (0..count).collect(),
            batch_size,
            shuffle,
            seed,
        })
    }

    /// Puts the rows into the order of an epoch, counted from 0. It allocates
    /// nothing.
    pub fn start_epoch(&mut self, epoch: u64) {
        if !self.shuffle {
            return;
        }
        for (place, row) in self.order.iter_mut().zip(0..) {
            *place = row;
        }
        let key = Key::new(self.seed, Stream::Shuffle, epoch);
        key.sequence().shuffle(&mut self.order);
    }

    /// The epoch's batches; the last one may be shorter.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u32]> {
        self.order.chunks(self.batch_size)
    }

    /// The n-th batch of the epoch, counted from 0, or nothing past the last.
    pub fn get(&self, n: usize) -> Option<&[u32]> {
        let start = n.checked_mul(self.batch_size)?;
        let rest = self.order.get(start..)?;
        (!rest.is_empty()).then(|| &rest[..self.batch_size.min(rest.len())])
    }

    /// Number of batches in an epoch.
    pub fn count(&self) -> usize {
        self.order.len().div_ceil(self.batch_size)
    }

    /// Number of rows in a full batch.
    pub fn batch_size(&self) -> usize {
        self.batch_size
    }

    /// Number of rows in an epoch.
    pub fn rows(&self) -> usize {
        self.order.len()
    }
}
