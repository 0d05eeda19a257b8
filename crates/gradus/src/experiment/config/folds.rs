//! The configuration of one fold of a cross-validation.

use super::{Config, problem_at};
use crate::data::{HoldOut, SplitBy};
use crate::error::Result;

impl Config {
    /// Holds out one of so many folds for validation. The rows of a fold are chosen as
    /// `data.validation` chooses its rows; without a word there, at random. Files that
    /// callbacks write are each fold's own.
    pub fn with_fold(&self, fold: usize, folds: usize) -> Result<Config> {
        let mut config = self.clone();
        let by = match &self.data.validation {
            Some(HoldOut::Fold { by, .. }) => by.clone(),
            Some(HoldOut::Fraction { by, .. }) if *by != SplitBy::Last => by.clone(),
            None | Some(HoldOut::Fraction { .. } | HoldOut::First { .. }) => SplitBy::Shuffle,
            Some(HoldOut::Files { .. } | HoldOut::Table { .. } | HoldOut::Images { .. }) => {
                let problem = "rows of their own, and `--folds` exclude each other: with folds, \
                               each row to train on is held out once; put them under `data.test` \
                               to measure every fold's model on them";
                return Err(problem_at("data.validation", problem));
            }
        };
        config.data.validation = Some(HoldOut::Fold { fold, folds, by });
        config
            .callbacks
            .given
            .write_beside(&format!("-fold-{fold}"));
        Ok(config)
    }
}
