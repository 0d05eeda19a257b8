//! Training: the loop that runs plans over batches, and the steps between.

mod adapt;
mod batch_loader;
mod blow_up;
pub mod callbacks;
mod check;
mod cross_validation;
mod device;
mod epochs;
mod evaluate;
pub(crate) mod feeds;
mod find_learning_rate;
mod fit;
mod gathered;
pub mod health;
mod history;
mod mc;
mod meters;
mod out_of_fold;
mod position;
mod precision;
mod predict;
mod predict_pool;
mod prepare;
mod prepared_rows;
mod pretrain;
mod runner;
mod steps;
mod together;

pub use blow_up::OnNan;
pub use callbacks::{
    Callback, EarlyStopping, GradualUnfreezing, LearningRateScheduler, Pruning, ReduceLROnPlateau,
    TerminateOnNaN, Training,
};
pub use cross_validation::CrossValidation;
#[cfg(test)]
pub(crate) use device::Device;
pub use find_learning_rate::{LearningRateCurve, LearningRateFinder, RatePoint};
pub use fit::Fit;
pub use history::{Epoch, History, Logs};
pub use mc::McPrediction;
pub use out_of_fold::OutOfFold;
pub(crate) use position::Position;
pub use precision::Precision;
pub use predict::Predictor;
pub use prepared_rows::PreparedRows;
pub use pretrain::{Autoencoder, MaskedFeatures, PretrainOptions, Rbm, Siamese};
pub(crate) use pretrain::{Course, Moment, Place, Pretraining, Watch};

#[cfg(test)]
mod mixup_tests;
#[cfg(test)]
mod tests;
