//! The order in which an epoch visits rows that are read window by window.

use crate::base::random::{Key, Sequence, Stream};
use crate::data::memory::Memory;
use crate::error::{Error, Result};
use std::ops::Range;

/// How rows are cut: a window is whole blocks, a block whole batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    /// All rows.
    pub rows: usize,
    /// Rows of a block, which are neighbours in the source.
    pub block: usize,
    /// Blocks of a window.
    pub blocks: usize,
}

/// Blocks for which there must be room while one is read and decoded.
const SPARE: u64 = 4;

impl Cut {
    /// The fewest blocks that there must be room for: two windows of one, and the spare.
    pub const LEAST: u64 = SPARE + 2;

    /// Windows as large as `memory` allows, of `rows` that take `row` bytes each, for
    /// batches of so many rows.
    pub fn new(rows: usize, row: u64, memory: u64, batch: usize) -> Result<Self> {
        /// A block is read at once: more bytes would not be read faster, and would leave
        /// the second cache before they are put into the window.
        const BLOCK: u64 = 250_000;
        /// Blocks of a memory: fewer would mix rows less.
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

    /// How many windows there are.
    pub fn windows(&self) -> usize {
        self.rows.div_ceil(self.block).div_ceil(self.blocks)
    }

    /// Rows of every window but the last.
    pub fn window(&self) -> usize {
        self.block * self.blocks
    }
}

/// Which rows each window of an epoch has, and in which order.
#[derive(Clone, Debug)]
pub(super) struct Order {
    cut: Cut,
    /// The row that the first block begins at.
    first: usize,
    /// The blocks, as they follow each other.
    blocks: Vec<u32>,
    shuffled: Option<Key>,
}

impl Order {
    /// Of an epoch, shuffled by that seed if there is one.
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
            // The short block is the last: before it, batches would be cut.
            let whole = cut.rows / cut.block;
            random.shuffle(&mut order.blocks[..whole]);
        }
        order
    }

    /// The rows of a window, as ranges of neighbours that are visited in this order
    /// unless they are shuffled. Those of shuffled windows ascend: what is near in a
    /// file is read faster.
    pub fn ranges(&self, window: usize) -> Vec<Range<usize>> {
        let rows = self.cut.rows;
        let start = window * self.cut.blocks;
        let end = (start + self.cut.blocks).min(self.blocks.len());
        let mut ranges = Vec::new();
        for &block in &self.blocks[start..end] {
            // Counted from the first block, round the end to the beginning.
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

    /// The order of a window's rows, counted in it.
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
        // The mean place of each row over many epochs is the middle.
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
            // Six deviations of a mean of so many uniform places.
            let deviation = CUT.rows as f64 / 12_f64.sqrt() / (epochs as f64).sqrt();
            assert!((mean - middle).abs() < 6.0 * deviation, "{mean}");
        }
    }
}
