//! Rules for a training that is about to begin, one file for each subject.

mod activations;
mod batch_normalization;
mod callbacks;
mod capacity;
mod clipping;
mod dropout;
mod images;
mod initializers;
mod learning_rate;
mod momentum;
mod order;
mod output;
mod regularizers;
mod scale;
mod selu;

use super::PlannedTraining;
use crate::data::checks::Finding;

/// Every rule.
pub(super) const RULES: &[fn(&PlannedTraining<'_>) -> Vec<Finding>] = &[
    initializers::look,
    activations::look,
    selu::look,
    output::look,
    batch_normalization::look,
    dropout::look,
    scale::look,
    learning_rate::look,
    momentum::look,
    clipping::look,
    regularizers::look,
    order::look,
    images::look,
    capacity::look,
    callbacks::look,
];
