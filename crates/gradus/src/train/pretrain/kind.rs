//! A kind of pretraining, on a chain or behind the columns of a table.

use super::course::Course;
use super::preprocessing;
use crate::data::Dataset;
use crate::error::Result;
use crate::model::Model;
use crate::train::History;

/// A kind of pretraining.
pub(crate) trait Pretraining {
    /// Refuses settings that make no sense.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// Pretrains the first layers of a chain on rows for its input.
    fn on_chain(
        &self,
        chain: &mut Model,
        data: &Dataset,
        course: &mut Course<'_>,
    ) -> Result<Vec<History>>;

    /// Pretrains a model's first layers on the rows of `data`: a chain, or one behind a table's
    /// columns.
    fn pretrain_on(
        &self,
        model: &mut Model,
        data: &Dataset,
        course: &mut Course<'_>,
    ) -> Result<Vec<History>> {
        self.check()?;
        let behind = |chain: &mut Model, rows: &Dataset| self.on_chain(chain, rows, course);
        match preprocessing::pretrain_behind(model, data, behind)? {
            Some(histories) => Ok(histories),
            None => self.on_chain(model, data, course),
        }
    }
}
