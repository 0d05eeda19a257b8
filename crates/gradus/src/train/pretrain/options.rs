//! Options that every kind of pretraining has.

use crate::rules::optimizers::{Nadam, Optimizer};

/// Extent of a pretraining, and how the network around the pretrained layers is trained.
#[derive(Clone, Debug)]
pub struct PretrainOptions {
    /// Last layer to pretrain. Default the one before the last Dense layer.
    pub until: Option<String>,
    /// Epochs; in greedy pretraining, of each layer. Default 10.
    pub epochs: usize,
    /// Rows of a batch, or pairs or triplets of rows. Default 32.
    pub batch_size: usize,
    /// Optimizer of the auxiliary network. Default Nadam.
    pub optimizer: Optimizer,
}

impl Default for PretrainOptions {
    fn default() -> Self {
        PretrainOptions {
            until: None,
            epochs: 10,
            batch_size: 32,
            optimizer: Nadam::new().into(),
        }
    }
}

/// Gives a kind of pretraining builder methods for its `options`.
macro_rules! option_setters {
    ($kind:ident) => {
        impl $kind {
            /// Sets the last layer to pretrain.
            pub fn until(mut self, layer: impl Into<String>) -> Self {
                self.options.until = Some(layer.into());
                self
            }

            /// Sets the epochs.
            pub fn epochs(mut self, epochs: usize) -> Self {
                self.options.epochs = epochs;
                self
            }

            /// Sets the rows of a batch, or the pairs or triplets of rows.
            pub fn batch_size(mut self, rows: usize) -> Self {
                self.options.batch_size = rows;
                self
            }

            /// Sets the optimizer.
            pub fn optimizer(
                mut self,
                optimizer: impl Into<crate::rules::optimizers::Optimizer>,
            ) -> Self {
                self.options.optimizer = optimizer.into();
                self
            }
        }
    };
}

pub(super) use option_setters;
