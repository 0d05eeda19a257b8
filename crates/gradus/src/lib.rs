//! gradus trains deep neural networks on a CPU: Keras' words, Keras' numbers, Keras' files, in a
//! fraction of the time.
//!
//! A model is built of layers, compiled with an optimizer, a loss and metrics, trained by
//! [`Model::fit`], measured, asked and saved:
//!
//! ```
//! use gradus::prelude::*;
//!
//! # let folder = std::env::temp_dir().join(format!("gradus-first-page-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder).unwrap();
//! // Rows of the program's own: two numbers each, and their sum to predict.
//! let x: Vec<f32> = (0..400).map(|i| (i * 37 % 101) as f32 / 101.0).collect();
//! let y: Vec<f32> = x.chunks(2).map(|row| row[0] + row[1]).collect();
//! let data = Dataset::new(Tensor::from_f32([2], x)?, Tensor::from_column(y)?)?;
//!
//! let mut model = Sequential::new()
//!     .add(Dense::new(16).activation(Activation::Elu).kernel_initializer(Initializer::HeNormal))
//!     .add(Dense::new(1))
//!     .compile(
//!         Adam::new().learning_rate(0.01).clipnorm(1.0),
//!         Loss::MeanSquaredError,
//!         &[Metric::MeanAbsoluteError],
//!     )?;
//! let history = model.fit(&data, Fit::new().epochs(50).validation_split(0.1))?;
//! assert!(history.last("val_mean_absolute_error") < Some(0.1));
//!
//! let sums = model.predict(Tensor::from_f32([2], vec![0.2, 0.3])?)?;
//! assert!((sums.to_f32()[0] - 0.5).abs() < 0.2);
//! model.save(folder.join("sums.keras"))?; // real Keras 3 loads it
//! # std::fs::remove_dir_all(&folder).unwrap();
//! # Ok::<(), gradus::Error>(())
//! ```
//!
//! # Where to look
//!
//! | for | there is |
//! | --- | --- |
//! | a chain of layers, or a graph with several inputs and outputs | [`Sequential`], [`Functional`]; the layers are in [`layers`] |
//! | activations, initializers, losses, metrics, optimizers, schedules, regularizers, constraints | [`rules`] |
//! | a loss or a metric of your own | [`rules::losses::Function`], [`rules::metrics::Function`] |
//! | rows in memory, in files larger than memory, from an iterator | [`Dataset`], [`data::Stream`], [`data::Generator`] |
//! | a table: CSV, Parquet, record batches, frames, or columns of your own | [`data::Table::from_columns`], [`data::DataConfig::load_table`], [`model::Recipe::model_of`], [`Model::score`]: from vectors to scored rows in the first's example |
//! | epochs, batches, callbacks (early stopping, your own) | [`train::Fit`], [`train::Callback`] |
//! | predictions from many threads, of single rows of numbers | [`Model::predictor`] |
//! | a program that only asks models, with fewer dependencies | `default-features = false, features = ["predict"]`: what is here but [`train`], [`experiment`], [`inspect`], [`optimize`], sources of data, ONNX |
//! | uncertainty (Monte Carlo dropout) | [`Model::predict_mc`] |
//! | freezing, reusing layers, pretraining | [`Model::set_trainable`], [`Sequential::add_layers`], [`train::Autoencoder`], [`train::Rbm`] |
//! | a learning rate | [`Model::find_learning_rate`] |
//! | `.keras`, `.h5`, safetensors and `.npz` files | [`Model::load`], [`Model::save`], [`artifacts`] |
//! | what is wrong with data, recipe or weights | [`data::checks`], [`inspect`] |
//! | a configuration file, trained as `gradus train` does | [`experiment::Experiment`] |
//!
//! Errors are one enum, [`Error`]: it says what was found, where, and what would be right. The same
//! seed gives the same bits on any number of threads ([`set_threads`]).

#![deny(unsafe_code)]
// Parts of what remains without training are used by training alone: the linker leaves them out.
#![cfg_attr(not(feature = "train"), allow(dead_code, unused_imports))]

pub mod artifacts;
mod base;
pub mod data;
mod engine;
pub mod error;
#[cfg(feature = "train")]
pub mod experiment;
#[cfg(feature = "train")]
pub mod inspect;
pub mod model;
#[cfg(feature = "train")]
pub mod optimize;
mod plan;
pub mod predict;
pub mod rules;
#[cfg(feature = "train")]
pub mod train;

#[cfg(feature = "train")]
pub use base::ranks;
pub use base::shape::Shape;
pub use base::threads::{set_threads, threads};
pub use data::{Batches, Dataset, Scale, Split, Tensor};
pub use error::{Error, Result};
pub use model::{Dtype, Functional, Model, Sequential, layers};

/// The names that most programs need: `use gradus::prelude::*;`.
pub mod prelude {
    pub use crate::data::{self, Cells, Dataset, Scale, Split, Table, TableOptions, Tensor};
    pub use crate::model::layers::{self, BatchNormalization, Dense, Dropout, Flatten, Layer};
    pub use crate::model::{Functional, Model, OutputLoss, Sequential};
    pub use crate::rules::activations::Activation;
    pub use crate::rules::initializers::Initializer;
    pub use crate::rules::losses::Loss;
    pub use crate::rules::metrics::Metric;
    pub use crate::rules::optimizers::{Adam, AdamW, LearningRate, Nadam, Optimizer, RMSprop, SGD};
    pub use crate::rules::regularizers::{L1, L2};
    pub use crate::rules::schedules::{OneCycle, Schedule};

    #[cfg(feature = "train")]
    pub use crate::{
        artifacts::callbacks::{CSVLogger, ModelCheckpoint, TensorBoard},
        data::{DataConfig, HoldOut, SplitBy},
        model::Recipe,
        train::{
            Callback, EarlyStopping, Fit, GradualUnfreezing, History, LearningRateScheduler, Logs,
            OnNan, ReduceLROnPlateau, Training,
        },
    };
}

/// The README's example.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// The example of a program that asks a trained model.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/deploy.md")]
struct Deploy;

/// The example of several ranks.
#[cfg(doctest)]
#[cfg(feature = "train")]
#[doc = include_str!("../../../docs/several-machines.md")]
struct SeveralMachines;
