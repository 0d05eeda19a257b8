//! Pretraining: a network's first layers are trained within another model on an auxiliary task,
//! mostly without labels, and then returned to the network.

mod autoencoder;
mod course;
mod encoder;
mod kind;
mod masked;
mod options;
mod preprocessing;
mod rbm;
mod siamese;

pub use autoencoder::Autoencoder;
pub(crate) use course::{Course, Moment, Place, Watch};
pub(crate) use kind::Pretraining;
pub use masked::MaskedFeatures;
pub use options::PretrainOptions;
pub use rbm::Rbm;
pub use siamese::Siamese;
