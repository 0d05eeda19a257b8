//! The order of an epoch over streamed rows.

use crate::base::memory::Memory;
use crate::base::random::{Key, Sequence, Stream};
use crate::error::{Error, Result};
use std::ops::Range;

/// The partition of rows: a window is whole blocks, a block whole batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    /// Total number of rows.
    pub rows: usize,
    /// Rows per block, contiguous in the source.
    pub block: usize,
    /// Blocks per window.
    pub blocks: usize,
}

/// Blocks of memory reserved for reading and decoding.
const SPARE: u64 = 4;

impl Cut {
    /// Least memory in blocks: two windows of one block, and the spare.
    pub const LEAST: u64 = SPARE + 2;

    /// Windows as large as `memory` allows, of `rows` that take `row` bytes each, for
    /// batches of so many rows.
    pub fn new(rows: usize, row: u64, memory: u64, batch: usize) -> Result<Self> {
        /// Bytes of a block, which is read at once: more would not be read faster, and would leave
        /// the second-level cache before they are copied into the window.
        const BLOCK: u64 = 250_000;
        /// Blocks in the memory: fewer would shuffle worse.
        const PARTS: u64 = 64;
        let batch = batch as u64;
        let block = ((memory / PARTS).min(BLOCK) / row).max(1);
        let block = block.next_multiple_of(batch);
        let bytes = block.saturating_mul(row);
        let blocks = memory.saturating_sub(bytes.saturating_mul(SPARE)) / bytes.saturating_mul(2);
        if blocks == 0 {
            let least = bytes.saturating_mul(Self::LEAST);
            let expected = format!(
                "at least {}: batches of {batch} rows of {} are read ahead while one is used",
                Memory::at_least(least),
                Memory::from(row)
            );
            return Err(Error::invalid("memory", Memory::from(memory), expected));
        }
        let needed = (rows as u64).div_ceil(block);
        // Windows count their rows in 32 bits.
        let most = u64::from(u32::MAX) / block;
        Ok(Cut {
            rows,
            block: block as usize,
            blocks: blocks.min(needed).min(most.max(1)) as usize,
        })
    }

    /// Number of windows.
    pub fn windows(&self) -> usize {
        self.rows.div_ceil(self.block).div_ceil(self.blocks)
    }

    /// Rows per window, except the last.
    pub fn window(&self) -> usize {
        self.block * self.blocks
    }
}

/// The rows of each window of an epoch, and their order.
#[derive(Clone, Debug)]
pub(super) struct Order {
    cut: Cut,
    /// First row of the first block.
    first: usize,
    /// The blocks in their order.
    blocks: Vec<u32>,
    shuffled: Option<Key>,
}

impl Order {
    /// The order of an epoch, shuffled by the seed if there is one.
    pub fn new(cut: Cut, seed: Option<u64>, epoch: u64) -> Self {
        let count = cut.rows.div_ceil(cut.block);
        let mut order = Order {
            cut,
            first: 0,
            blocks: (0..count as u32).collect(),
            shuffled: seed.map(|seed| Key::new(seed, Stream::Shuffle, epoch)),
        };
        if let Some(key) = order.shuffled {
            let mut random = key.sequence();
            order.first = random.below(cut.rows);
            // The short block comes last: anywhere else it would cut a batch.
            let whole = cut.rows / cut.block;
            random.shuffle(&mut order.blocks[..whole]);
        }
        order
    }

    /// The rows of a window, as contiguous ranges in the order of visits, unless they are shuffled.
    /// Ranges of shuffled windows ascend: nearby parts of a file are read faster.
    pub fn ranges(&self, window: usize) -> Vec<Range<usize>> {
        let rows = self.cut.rows;
        let start = window * self.cut.blocks;
        let end = (start + self.cut.blocks).min(self.blocks.len());
        let mut ranges = Vec::new();
        for &block in &self.blocks[start..end] {
            // Counted from the first block, wrapping around the end.
            let from = block as usize * self.cut.block;
            let to = (from + self.cut.block).min(rows);
            let (from, to) = (from + self.first, to + self.first);
            if from < rows {
                ranges.push(from..to.min(rows));
            }
            if to > rows {
                ranges.push(from.max(rows) - rows..to - rows);
            }
        }
        if self.shuffled.is_some() {
            ranges.sort_unstable_by_key(|range| range.start);
        }
        ranges.dedup_by(|next, before| {
            let together = before.end == next.start;
            if together {
                before.end = next.end;
            }
            together
        });
        ranges
    }

    /// The order of a window's rows, as indices within it.
    pub fn shuffle(&self, window: usize, rows: usize, order: &mut Vec<u32>) {
        order.clear();
        order.extend(0..rows as u32);
        if let Some(key) = self.shuffled {
            let mut random: Sequence = key.part(window as u64).sequence();
            random.shuffle(order);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CUT: Cut = Cut {
        rows: 103,
        block: 8,
        blocks: 4,
    };

    /// The rows of an epoch in their order.
    fn visited(seed: Option<u64>, epoch: u64) -> Vec<usize> {
        let order = Order::new(CUT, seed, epoch);
        let mut rows = Vec::new();
        let mut places = Vec::new();
        for window in 0..CUT.windows() {
            let of_window: Vec<usize> = order.ranges(window).into_iter().flatten().collect();
            let last = window + 1 == CUT.windows();
            assert!(last || of_window.len() == CUT.window());
            order.shuffle(window, of_window.len(), &mut places);
            rows.extend(places.iter().map(|&place| of_window[place as usize]));
        }
        rows
    }

    #[test]
    fn an_epoch_visits_every_row_once() {
        let all: Vec<usize> = (0..CUT.rows).collect();
        assert_eq!(visited(None, 3), all);
        for epoch in 0..50 {
            let mut rows = visited(Some(1), epoch);
            assert_eq!(rows, visited(Some(1), epoch));
            assert_ne!(rows, visited(Some(1), epoch + 1));
            assert_ne!(rows, visited(Some(2), epoch));
            rows.sort_unstable();
            assert_eq!(rows, all, "epoch {epoch}");
        }
    }

    #[test]
    fn every_row_comes_everywhere() {
        // The mean position of each row over many epochs is the middle.
        let epochs = 4000;
        let mut sums = vec![0; CUT.rows];
        for epoch in 0..epochs {
            for (place, row) in visited(Some(7), epoch).into_iter().enumerate() {
                sums[row] += place;
            }
        }
        let middle = (CUT.rows - 1) as f64 / 2.0;
        for sum in sums {
            let mean = sum as f64 / epochs as f64;
            // Six standard deviations of the mean of that many uniform positions.
            let deviation = CUT.rows as f64 / 12_f64.sqrt() / (epochs as f64).sqrt();
            assert!((mean - middle).abs() < 6.0 * deviation, "{mean}");
        }
    }
}
