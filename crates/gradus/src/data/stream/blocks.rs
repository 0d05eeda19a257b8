//! One pass over a stream, block by block, for predictions.

use super::reader::Reader;
use super::rows::{Stream, scaled};
use crate::data::Dataset;
use crate::error::{Error, Result};
use std::ops::Range;

impl Stream {
    /// Calls `visit` with all rows, in their order and with their ids, block by block: each but the
    /// last has a multiple of `multiple` rows. `more` bytes per row are reserved beside the row
    /// itself. The next block is read meanwhile.
    pub(crate) fn blocks(
        &self,
        multiple: usize,
        more: u64,
        visit: &mut dyn FnMut(&Dataset) -> Result<()>,
    ) -> Result<()> {
        /// Size limit of a block, in bytes, beside its share of the memory.
        const SHARE: u64 = 8;
        const MOST: u64 = 16 << 20;
        let rows = (self.memory / SHARE).min(MOST) / (self.row_bytes() + more);
        let multiple = multiple.max(1);
        let step = (rows as usize / multiple).max(1) * multiple;
        let source = self.clone();
        let mut reader =
            Reader::new(move |rows: Range<usize>, _| scaled(source.read(rows)?, &source.scales))?;
        let rows = |start: usize| start..self.rows().min(start + step);
        let of_source =
            |rows: Range<usize>| self.rows.start + rows.start..self.rows.start + rows.end;
        reader.request(of_source(rows(0)));
        for start in (0..self.rows()).step_by(step) {
            let block = reader.wait()?;
            if start + step < self.rows() {
                reader.request(of_source(rows(start + step)));
            }
            visit(&block).map_err(|error| self.at_source(error, &[rows(start)]))?;
        }
        Ok(())
    }

    /// Converts an error's row number from one within these ranges to the source's.
    pub(super) fn at_source(&self, mut error: Error, ranges: &[Range<usize>]) -> Error {
        if let Error::Data { row: Some(row), .. } = &mut error
            && let Some(of_source) = self.source_row(ranges, *row)
        {
            *row = of_source;
        }
        error
    }
}
