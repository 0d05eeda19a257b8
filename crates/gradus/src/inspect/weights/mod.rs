//! Rules for the values of a model, one file for each subject.

mod dead_units;
mod moving_statistics;
mod not_finite;
mod state;
mod weight_scale;

use crate::data::checks::Finding;
use crate::model::Model;

/// Every rule.
pub(super) const RULES: &[fn(&Model) -> Vec<Finding>] = &[
    not_finite::look,
    dead_units::look,
    weight_scale::look,
    moving_statistics::look,
    state::look,
];
