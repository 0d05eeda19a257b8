//! gradus trains deep neural networks: Keras' words, Keras' numbers, Keras'
//! files, far faster on a CPU.

pub mod artifacts;
mod base;
pub mod data;
mod engine;
pub mod error;
pub mod model;
mod plan;
pub mod rules;
pub mod train;

pub use base::shape::Shape;
pub use data::{Batches, Dataset, Scale, Split, Tensor};
pub use error::{Error, Result};
