//! gradus trains deep neural networks: Keras' words, Keras' numbers, Keras'
//! files, far faster on a CPU.

pub mod artifacts;
mod base;
pub mod error;
pub mod model;
mod plan;
pub mod rules;

pub use error::{Error, Result};
