//! Prediction: a model on an engine, asked once or often, from one thread or many.
//!
//! This folder and what it imports are the whole of gradus without the feature `train`.

pub(crate) mod check;
pub(crate) mod device;
pub(crate) mod feeds;
mod gathered;
mod mc;
mod pool;
mod predictor;
mod prepared_rows;
pub(crate) mod runner;
mod together;

pub use mc::McPrediction;
pub use predictor::Predictor;
pub use prepared_rows::PreparedRows;
