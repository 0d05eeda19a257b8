//! Pretraining: a network's first layers are trained within another model on an auxiliary task,
//! mostly without labels, and then returned to the network.

mod autoencoder;
mod course;
mod encoder;
mod masked;
mod options;
mod preprocessing;
mod siamese;

pub use autoencoder::Autoencoder;
pub(crate) use course::{Course, Moment, Place, Watch};
pub use masked::MaskedFeatures;
pub use options::PretrainOptions;
pub use siamese::Siamese;
