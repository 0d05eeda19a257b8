//! gradus trains deep neural networks: Keras' words, Keras' values, Keras' files, far faster on a
//! CPU.

#![deny(unsafe_code)]

pub mod artifacts;
mod base;
pub mod data;
mod engine;
pub mod error;
pub mod experiment;
pub mod inspect;
pub mod model;
mod plan;
pub mod rules;
pub mod train;

pub use base::shape::Shape;
pub use base::threads::{set_threads, threads};
pub use data::{Batches, Dataset, Scale, Split, Tensor};
pub use error::{Error, Result};
pub use model::{Dtype, Functional, Model, Sequential, layers};

/// The names that most programs need: `use gradus::prelude::*;`.
pub mod prelude {
    pub use crate::artifacts::callbacks::{CSVLogger, ModelCheckpoint};
    pub use crate::data::{self, Dataset, Scale, Split, Tensor};
    pub use crate::model::layers::{self, BatchNormalization, Dense, Dropout, Flatten, Layer};
    pub use crate::model::{Functional, Model, OutputLoss, Recipe, Sequential};
    pub use crate::rules::activations::Activation;
    pub use crate::rules::initializers::Initializer;
    pub use crate::rules::losses::Loss;
    pub use crate::rules::metrics::Metric;
    pub use crate::rules::optimizers::{Adam, AdamW, LearningRate, Nadam, Optimizer, RMSprop, SGD};
    pub use crate::rules::schedules::{OneCycle, Schedule};
    pub use crate::train::{Callback, EarlyStopping, Fit, History, OnNan, ReduceLROnPlateau};
}

/// The README's example.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
