//! Rows that are ready to be predicted.

use crate::data::Tensor;

/// Rows that a [`Predictor`](super::Predictor) has checked and prepared, to be predicted
/// together with others'.
#[derive(Debug)]
pub struct PreparedRows {
    /// The numbers of each feed of the plan: texts are looked up.
    pub(super) tensors: Vec<Tensor>,
    pub(super) rows: usize,
}

impl PreparedRows {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }
}
