//! gradus trains deep neural networks: Keras' words, Keras' numbers, Keras'
//! files, far faster on a CPU.

pub mod artifacts;
mod base;
/// Reading configurations: tables of keys and values, such as a TOML file has.
pub mod config {
    pub use crate::base::registry::{Value, read, table};
    pub use crate::error::join;
}
pub mod data;
mod engine;
pub mod error;
pub mod model;
mod plan;
pub mod rules;
pub mod train;

pub use base::shape::Shape;
pub use base::threads::set_threads;
pub use data::{Batches, Dataset, Scale, Split, Tensor};
pub use error::{Error, Result};
