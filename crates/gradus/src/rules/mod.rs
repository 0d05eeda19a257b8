//! Rules: computations as configuration and formula.
//!
//! Each folder is one family with its registry in `mod.rs`. A formula is plain arithmetic over
//! `Lane`, independent of the engine that runs it.

pub mod activations;
pub(crate) mod augment;
pub mod constraints;
pub(crate) mod fake_quantization;
pub mod initializers;
pub(crate) mod int8;
pub mod losses;
pub(crate) mod mapping;
pub mod metrics;
pub(crate) mod noise;
pub mod optimizers;
pub(crate) mod pairwise;
pub(crate) mod places;
pub mod regularizers;
pub mod schedules;
pub(crate) mod window;

#[cfg(test)]
pub(crate) mod golden;
