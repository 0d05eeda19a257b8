//! The configuration of one fold of a cross-validation.

use super::{Config, problem_at};
use crate::data::{Choice, HeldOut};
use crate::error::Result;

impl Config {
    /// Holds out one of so many folds for validation. The rows of a fold are chosen as
    /// `data.validation` chooses its rows; without a word there, at random. Files that
    /// callbacks write are each fold's own.
    pub fn with_fold(&self, fold: usize, folds: usize) -> Result<Config> {
        let mut config = self.clone();
        let choice = match &self.data.validation {
            Some(HeldOut::Fold { choice, .. }) => choice.clone(),
            Some(HeldOut::Fraction { choice, .. }) if *choice != Choice::Last => choice.clone(),
            None | Some(HeldOut::Fraction { .. } | HeldOut::First { .. }) => Choice::Shuffle,
            Some(HeldOut::Files { .. } | HeldOut::Table { .. } | HeldOut::Images { .. }) => {
                let problem = "rows of their own, and `--folds` exclude each other: with folds, \
                               each row to train on is held out once; put them under `data.test` \
                               to measure every fold's model on them";
                return Err(problem_at("data.validation", problem));
            }
        };
        config.data.validation = Some(HeldOut::Fold {
            fold,
            folds,
            choice,
        });
        config
            .callbacks
            .given
            .write_beside(&format!("-fold-{fold}"));
        Ok(config)
    }
}
