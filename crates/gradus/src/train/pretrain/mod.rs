//! Pretraining: another model is built around a network's first layers, trained
//! on an auxiliary task, most often one that needs no labels, and what these layers have learnt goes back.

mod autoencoder;
mod encoder;
mod masked;
mod options;
mod preprocessing;
mod siamese;

pub use autoencoder::Autoencoder;
pub use masked::MaskedFeatures;
pub use options::PretrainOptions;
pub use siamese::Siamese;
