//! Learning from data before any training: what a layer has to see, and what it is told.

use super::Axes;
use crate::base::shape::Shape;
use crate::error::Error;
use std::collections::{BTreeMap, HashMap};

/// Knowledge of data that a layer learns before training.
#[derive(Clone, Debug, PartialEq)]
pub struct Adaptation {
    /// Statistic to be taken of the rows that reach the layer.
    pub to: Adapts,
    /// True if it has learned already: then only `adapt` makes it learn again.
    pub done: bool,
}

/// Statistic of the rows that reach a layer.
#[derive(Clone, Debug, PartialEq)]
pub enum Adapts {
    /// Mean and variance for each place along these axes.
    Moments(Axes),
    /// The count of each text.
    Texts,
    /// The count of each whole number.
    Integers,
    /// All numbers.
    Values,
}

/// Statistic that was asked for.
#[derive(Clone, Debug)]
pub enum Seen {
    /// Mean and variance, and the shape of a row.
    Moments {
        /// The shape of a row.
        shape: Shape,
        /// The means.
        mean: Vec<f32>,
        /// The population variances.
        variance: Vec<f32>,
    },
    /// The count of each text, in the texts' order.
    Texts(BTreeMap<String, u64>),
    /// The count of each whole number.
    Integers(HashMap<i64, u64>),
    /// All numbers, in any order.
    Values(Vec<f32>),
}

/// The error of a layer that is told something else than what it asked for.
pub(super) fn not_asked_for(seen: &Seen) -> Error {
    Error::Internal(format!("a layer was to learn from {seen:?}"))
}

/// Check of the numbers of an input that a layer is applied to.
pub struct InputCheck {
    /// True of a number that the layer takes.
    pub fits: Box<dyn Fn(f32) -> bool>,
    /// Expectation, for the error's text.
    pub expected: &'static str,
}
