//! Pretraining: another model is built around a network's first layers, trained
//! on a task that needs no labels, and what these layers have learnt goes back.

mod autoencoder;
mod encoder;
mod masked;

pub use autoencoder::Autoencoder;
pub use masked::MaskedFeatures;
