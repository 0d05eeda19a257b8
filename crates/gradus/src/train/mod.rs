//! Training: the loop that runs plans over batches, and the steps between.

mod adapt;
mod batch_loader;
mod blow_up;
pub mod callbacks;
mod cross_validation;
mod epochs;
mod evaluate;
mod features;
mod find_learning_rate;
mod fit;
pub mod health;
mod history;
mod meters;
mod out_of_fold;
mod position;
mod precision;
mod prepare;
mod pretrain;
mod quantization_aware;
mod steps;
mod together;

pub use crate::predict::{McPrediction, Predictor, PreparedRows};
pub use blow_up::OnNan;
pub use callbacks::{
    Callback, EarlyStopping, GradualUnfreezing, LearningRateScheduler, Pruning, ReduceLROnPlateau,
    TerminateOnNaN, Training,
};
pub use cross_validation::CrossValidation;
pub use find_learning_rate::{LearningRateCurve, LearningRateFinder, RatePoint};
pub use fit::Fit;
pub use history::{Epoch, History, Logs};
pub use out_of_fold::OutOfFold;
pub(crate) use position::Position;
pub use precision::Precision;
pub use pretrain::{Autoencoder, MaskedFeatures, PretrainOptions, Rbm, Siamese};
pub(crate) use pretrain::{Course, Moment, Place, Pretraining, Watch};
pub use quantization_aware::QuantizationAware;

#[cfg(test)]
mod mixup_tests;
#[cfg(test)]
mod tests;
