//! Rules for a training that is about to begin, one file for each subject.

mod activations;
mod batch_normalization;
mod callbacks;
mod capacity;
mod learning_rate;
mod output;
mod scale;

use super::PlannedTraining;
use crate::data::checks::Finding;

/// Every rule.
pub(super) const RULES: &[fn(&PlannedTraining<'_>) -> Vec<Finding>] = &[
    activations::look,
    output::look,
    batch_normalization::look,
    scale::look,
    learning_rate::look,
    capacity::look,
    callbacks::look,
];
