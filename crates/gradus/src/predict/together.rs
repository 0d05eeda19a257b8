//! Predictions for the rows of many callers, computed together.

use super::predictor::Predictor;
use super::prepared_rows::PreparedRows;
use crate::data::{Dataset, Tensor};
use crate::error::Result;

impl Predictor {
    /// Checks rows against the model and looks up their texts, which [`Predictor::predict_all`]
    /// does first. An error for rows that the model does not take.
    pub fn prepare(&self, rows: &Dataset) -> Result<PreparedRows> {
        self.prepared.prepare(rows)
    }

    /// Every output for each of the parts, computed as one batch: for many callers with few rows
    /// each. A row's outputs have the same bits alone and in company. Where the model is noisy in
    /// predictions (`MCDropout`), each part is computed by itself, since its noise would depend on
    /// its place.
    ///
    /// ```
    /// use gradus::prelude::*;
    ///
    /// let model = Sequential::new().input([2]).add(Dense::new(3)).build()?;
    /// let predictor = model.predictor()?;
    /// let one = Dataset::unlabelled(Tensor::from_rows(&[[1.0, 2.0]])?);
    /// let two = Dataset::unlabelled(Tensor::from_rows(&[[0.5, 0.1], [3.0, 4.0]])?);
    /// let parts = [predictor.prepare(&one)?, predictor.prepare(&two)?];
    /// let outputs = predictor.predict_together(&parts)?;
    /// assert_eq!(outputs[1], predictor.predict_all(&two)?);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn predict_together(&self, parts: &[PreparedRows]) -> Result<Vec<Vec<Tensor>>> {
        if self.prepared.is_noisy() {
            let alone = parts.iter().map(std::slice::from_ref);
            let each = alone.map(|part| self.prepared.outputs(part, 0));
            return each.collect();
        }
        if parts.is_empty() {
            return Ok(Vec::new());
        }
        let together = self.prepared.outputs(parts, 0)?;
        let mut start = 0;
        let each = parts.iter().map(|part| {
            let here = start..start + part.rows;
            start = here.end;
            together.iter().map(|all| all.slice(here.clone())).collect()
        });
        each.collect()
    }
}
