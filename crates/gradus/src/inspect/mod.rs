//! Lints: findings about a model and the way it is to be trained.
//!
//! `training` has the rules of chapter 11 of *Hands-On Machine Learning*, one file for
//! each subject; `weights` looks at the numbers of a model, `activity` at its outputs for some rows;
//! `graph` is how all walk from layer to layer. Both give [`Finding`]s, as the checks of data do.

mod activity;
mod graph;
mod health;
mod training;
mod weights;

pub use activity::Activity;
pub(crate) use activity::sample;
pub(crate) use graph::at;
pub use health::{HealthWatch, InitialHealth};

use crate::data::RunData;
use crate::data::checks::Finding;
use crate::model::Model;
use crate::rules::schedules::Schedule;
use crate::train::{EarlyStopping, ReduceLROnPlateau};

/// A training before its start.
#[derive(Clone, Copy, Debug)]
pub struct PlannedTraining<'a> {
    /// The model, compiled.
    pub model: &'a Model,
    /// The rows.
    pub data: &'a RunData,
    /// Exclusive end of its epochs.
    pub epochs: usize,
    /// Rows of a step.
    pub batch_size: usize,
    /// True if the weights are those of their initializers, not a file's.
    pub fresh: bool,
    /// True if its first layers are pretrained before it.
    pub pretrained: bool,
    /// The schedule that sets the learning rate, if it is none of the optimizer's own.
    pub schedule: Option<&'a Schedule>,
    /// True if the learning-rate finder is to set the rate, or the schedule's highest one.
    pub find_rate: bool,
    /// True if the rows are shuffled before each epoch.
    pub shuffle: bool,
    /// True if rows are mixed.
    pub mixup: bool,
    /// The callback that may stop it early.
    pub early_stopping: Option<&'a EarlyStopping>,
    /// The callback that may lower the learning rate.
    pub reduce_lr_on_plateau: Option<&'a ReduceLROnPlateau>,
}

impl PlannedTraining<'_> {
    /// Looks for what is suspicious about it.
    ///
    /// | name | finds |
    /// | --- | --- |
    /// | `initializer` | an initializer that is not made for the activation; units that begin equal |
    /// | `saturation` | sigmoid or tanh in a deep stack without normalization |
    /// | `selu` | what keeps SELU from normalizing itself: plain dropout, normalization, penalties, skip connections, inputs that are not standardized; `AlphaDropout` without SELU |
    /// | `hidden_softmax` | a softmax before the last layer |
    /// | `linear_stack` | two dense layers, or convolutions, without an activation between them |
    /// | `kernel_size` | a convolution's kernel of which some weights see padding alone |
    /// | `flatten` | a dense layer behind all pixels of an image that holds most of the weights |
    /// | `output` | a last layer that does not go with the loss, or with the classes |
    /// | `batch_normalization` | dropout before it, a bias before it, a place behind the output; batches that are too small for it; a momentum that is too high or too low; axes that Keras cannot load |
    /// | `dropout` | a rate that leaves nothing; a place behind the output |
    /// | `unscaled_inputs` | large numbers, or columns of very different scales, that reach a dense layer |
    /// | `unscaled_target` | a target whose unit makes the loss huge |
    /// | `learning_rate` | a rate that blows up, or moves nothing, also in the course of a schedule |
    /// | `momentum` | Nesterov's step without momentum; a momentum near 1 |
    /// | `clipping` | a limit of gradients that leaves nothing, or never acts |
    /// | `regularizer` | a penalty, decay or norm that leaves no weights; ℓ2 with Adam |
    /// | `order` | sorted rows that are not shuffled |
    /// | `overfitting` | far more weights than rows, and nothing against learning by heart |
    /// | `patience` | callbacks that never come to act |
    /// | `frozen` | nothing that is trained |
    pub fn findings(&self) -> Vec<Finding> {
        in_order(training::RULES.iter().flat_map(|look| look(self)))
    }
}

impl Model {
    /// Looks for what is suspicious about its weights and state.
    ///
    /// | name | finds |
    /// | --- | --- |
    /// | `not_finite` | weights, or numbers of the optimizer, that are NaN or infinite: an error |
    /// | `dead_units` | units whose weights are all 0 |
    /// | `weight_scale` | a kernel far larger or smaller than initializers make them |
    /// | `moving_statistics` | batch normalization that was never trained, or has no variance |
    /// | `compile_state` | no loss, so that it can only predict; nothing that is trained |
    pub fn findings(&self) -> Vec<Finding> {
        in_order(weights::RULES.iter().flat_map(|look| look(self)))
    }
}

/// Layers of which the same is said one by one.
const APART: usize = 3;

/// The gravest first; what is found of more than [`APART`] layers alike is said once, of the first of them and
/// their number.
fn in_order(found: impl Iterator<Item = Finding>) -> Vec<Finding> {
    let mut alike: Vec<Vec<Finding>> = Vec::new();
    for finding in found {
        let same = |group: &&mut Vec<Finding>| {
            let first = &group[0];
            let said = |of: &Finding| (of.check, of.severity, of.found.clone(), of.advice.clone());
            said(first) == said(&finding)
        };
        match alike.iter_mut().find(same) {
            Some(group) => group.push(finding),
            None => alike.push(vec![finding]),
        }
    }
    let mut all: Vec<Finding> = Vec::new();
    for mut group in alike {
        if group.len() > APART {
            let rest = group.len() - 1;
            group.truncate(1);
            let place = &mut group[0].place.source;
            *place = format!("{place} and {rest} others");
        }
        all.append(&mut group);
    }
    all.sort_by_key(|finding| finding.severity);
    all
}
