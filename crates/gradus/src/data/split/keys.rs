//! The keys by which rows are split: classes, categories and times, row by row.

use crate::error::Result;

/// The keys that a split may ask of a source.
pub(in crate::data) trait Keys {
    /// The source's name in messages.
    fn name(&self) -> &str;

    /// The number of rows.
    fn rows(&self) -> usize;

    /// The class of each row by the target.
    fn classes(&self) -> Result<Vec<u32>>;

    /// The category of each row by a column; `None` if it is missing.
    fn codes(&self, column: &str) -> Result<Vec<Option<u32>>>;

    /// The time of each row by a column; NaN if it is missing.
    fn times(&self, column: &str) -> Result<Vec<f64>>;
}
