//! Rows in memory: split as a configuration says, and scaled by those that are trained on.

use super::arrays::files::read_weights;
use super::arrays::keys::ArrayKeys;
use super::kind::Request;
use crate::data::dataset::Dataset;
use crate::data::run_data::{Facts, RunData};
use crate::data::scale::Scale;
use crate::data::scale_name::ScaleName;
use crate::data::split::{HoldOut, choose};
use crate::data::stream::Data;
use crate::error::Result;

/// Rows in memory, before they are split.
pub(super) struct InMemory<'a> {
    pub rows: Dataset,
    /// The rows that the source itself keeps for the test.
    pub test: Option<Dataset>,
    /// Reads held-out rows of their own files: the key that names them, what it says, and
    /// the rows that they are held out beside.
    pub own: &'a dyn Fn(&'static str, &HoldOut, &Dataset) -> Result<Dataset>,
    /// The scale where the configuration names none.
    pub usual: ScaleName,
    /// The scale that is called `unit`.
    pub unit: Scale,
}

impl InMemory<'_> {
    /// Splits and scales the rows.
    pub fn split(self, request: &Request<'_>) -> Result<RunData> {
        let kept = request.kept;
        let rows = &kept.of_classes(self.rows.clone())?;
        let own_test = self.test.map(|test| kept.of_classes(test)).transpose()?;
        let keys = ArrayKeys {
            data: rows,
            base: request.base,
        };
        let chosen = choose(request.validation, request.test, &keys, request.seed)?;
        let part = |at, how: Option<&HoldOut>, chosen: Option<Vec<usize>>| match (how, chosen) {
            (None, _) => Ok(None),
            (Some(_), Some(chosen)) => rows.select(&chosen).map(Some),
            (Some(how), None) => kept.of_classes((self.own)(at, how, &self.rows)?).map(Some),
        };
        let validation = part("data.validation", request.validation, chosen.validation)?;
        let test = part("data.test", request.test, chosen.test)?;
        let train = rows.select(&kept.to_train(chosen.train)?)?;
        let scales = match request.scale.unwrap_or(self.usual) {
            ScaleName::None => None,
            ScaleName::Unit => Some(vec![self.unit; train.inputs().len()]),
            ScaleName::Standard => Some(train.inputs().iter().map(Scale::standard).collect()),
        };
        let scaled = |data: Dataset| match &scales {
            None => Ok(Data::from(data)),
            Some(scales) => data
                .map_inputs(|input, tensor| tensor.scaled(scales[input].clone()))
                .map(Data::from),
        };
        Ok(RunData {
            train: scaled(train)?,
            validation: validation.map(scaled).transpose()?,
            test: test.or(own_test).map(scaled).transpose()?,
            facts: Facts {
                ends: request.ends(),
                ..Facts::default()
            },
        })
    }
}

/// The rows with the weights of `data.sample_weight`, if it is given.
pub(super) fn weighted(rows: Dataset, request: &Request<'_>) -> Result<Dataset> {
    match request.sample_weight {
        None => Ok(rows),
        Some(path) => read_weights(rows, "data.sample_weight", path, request.base),
    }
}
