//! The configuration: from TOML to settings that are checked, and back to text.

mod beside_recipe;
mod callbacks;
mod checkpoint;
mod distributed;
mod document;
mod folds;
pub mod highest_rate;
mod metrics;
mod model;
pub mod number_targets;
mod overrides;
mod per_output;
mod pretrain;
mod pretrain_keys;
mod text;
mod train;
mod train_keys;
mod vocabulary;

pub use callbacks::Callbacks;
pub use checkpoint::CheckpointConfig;
pub use distributed::DistributedConfig;
pub use document::{Document, from_toml};
pub use model::Source;
pub use overrides::Override;
pub use per_output::PerOutput;
pub use pretrain::PretrainConfig;
pub use text::{inline, to_text};
pub use vocabulary::with_vocabularies;

use super::event::Progress;
use crate::base::random::SEED;
use crate::base::registry::{Value, read, table};
use crate::data::{DataConfig, Purpose, RunData, Schema};
use crate::error::{Error, Result};
use crate::model::Recipe;
use callbacks::CallbacksConfig;
use model::ModelConfig;
use schemars::{JsonSchema, SchemaGenerator};
use serde::Deserialize;
use std::path::Path;
use train::TrainConfig;

/// A configuration, read and checked, without opening its files.
#[derive(Clone, Debug)]
pub struct Config {
    /// The seed of all random numbers.
    pub seed: u64,
    /// `[data]`.
    pub data: DataConfig,
    /// `[model]`.
    pub model: ModelConfig,
    /// `[train]`.
    pub train: TrainConfig,
    /// `[callbacks]`.
    pub callbacks: CallbacksConfig,
    /// `[pretrain]`.
    pub pretrain: Option<PretrainConfig>,
    /// `[checkpoint]`.
    pub checkpoint: CheckpointConfig,
    /// `[distributed]`.
    pub distributed: DistributedConfig,
    /// The complete configuration as given.
    pub given: Value,
}

/// Configuration of a training with gradus.
#[derive(Deserialize, JsonSchema)]
#[schemars(title = "gradus configuration")]
struct Raw {
    /// The seed of all random numbers: the same seed gives the same result to the bit.
    #[schemars(with = "Option<u64>", extend("default" = SEED), extend("examples" = [7]))]
    seed: Option<Value>,
    /// The rows: where they are, which are held out, how they are scaled.
    #[schemars(with = "DataConfig", extend("examples" = [{ "dataset": "digits" }]))]
    data: Option<Value>,
    /// The layers to train: listed, of a recipe, or of a saved model.
    #[schemars(with = "model::Raw", extend("examples" = [{ "recipe": "default" }]))]
    model: Option<Value>,
    /// Losses, metrics, optimizer, schedule and epochs. Beside a recipe each key replaces the
    /// recipe's own setting. Default
    /// empty.
    #[schemars(with = "Option<train_keys::Raw>", extend("examples" = [{ "epochs": 20 }]))]
    train: Option<Value>,
    /// Callbacks between the epochs. Default none, or a recipe's early stopping.
    #[schemars(with = "Option<callbacks::Raw>", extend("examples" = [{ "early_stopping": { "patience": 10 } }]))]
    callbacks: Option<Value>,
    /// A task for the first layers before the training, mostly without labels. Default none.
    #[schemars(with = "Option<pretrain_keys::Raw>", extend("examples" = [{ "type": "autoencoder" }]))]
    pretrain: Option<Value>,
    /// When checkpoints are written, from which `--resume` goes on. Default empty.
    #[schemars(with = "Option<checkpoint::Raw>", extend("examples" = [{ "every": "5m" }]))]
    checkpoint: Option<Value>,
    /// The way several processes train together, under `mpirun`. Default empty.
    #[schemars(with = "Option<distributed::Raw>", extend("examples" = [{ "exact": false }]))]
    distributed: Option<Value>,
}

/// The schema of a configuration, with its definitions in the generator.
pub fn schema(generator: &mut SchemaGenerator) -> schemars::Schema {
    Raw::json_schema(generator)
}

impl Config {
    /// Reads it from plain data.
    pub fn from_value(value: &Value) -> Result<Self> {
        let raw: Raw = read("", table("", value)?)?;
        let data = DataConfig::from_value("data", &section(raw.data))?;
        let model = ModelConfig::from_value("model", &section(raw.model))?;
        // Mistakes do not depend on the number of rows. Of the sources, only tables have a target;
        // a built-in set may be a table.
        let of_table = data.table().is_some() || !data.columns.target.is_empty();
        let recipe = match &model.source {
            Source::Recipe(named) => Some(named.of(0, of_table)?),
            _ => None,
        };
        let (train, callbacks) = read_training(value, recipe.as_ref(), of_table)?;
        let mut config = Config {
            seed: match raw.seed {
                None => SEED,
                Some(seed) => seed
                    .as_u64()
                    .ok_or_else(|| Error::invalid("seed", &seed, "a whole number of 0 or more"))?,
            },
            data,
            model,
            train,
            callbacks,
            pretrain: match raw.pretrain {
                Some(table) => Some(PretrainConfig::from_value("pretrain", &table)?),
                None => None,
            },
            checkpoint: CheckpointConfig::from_value("checkpoint", &section(raw.checkpoint))?,
            distributed: DistributedConfig::from_value("distributed", &section(raw.distributed))?,
            given: value.clone(),
        };
        config.refuse_contradictions()?;
        config.data.columns.number_targets = config.number_targets();
        Ok(config)
    }

    /// Opens the rows; a table's columns are those of `schema`, if a model has one.
    pub fn open(
        &self,
        base: &Path,
        schema: Option<&Schema>,
        progress: &Progress<'_>,
    ) -> Result<RunData> {
        progress.listening(|on_copy| {
            let purpose = Purpose {
                schema,
                on_copy,
                ..Purpose::default()
            };
            self.data.open(base, self.seed, purpose)
        })
    }

    /// Refuses keys of different tables that exclude each other.
    fn refuse_contradictions(&self) -> Result<()> {
        if self.pretrain.is_some() && self.train.find_rate {
            let why = "the rate would be found for the weights before the pretraining";
            return Err(excluded("pretrain", "learning_rate = \"auto\"", why));
        }
        if self.callbacks.given.reduce_lr_on_plateau.is_some() {
            let (a, b) = ("callbacks.reduce_lr_on_plateau", self.train.schedule_key());
            if let Some(b) = b {
                return Err(excluded(a, b, "both set the learning rate"));
            }
        }
        if self.callbacks.given.unfreezing_sets_rate()
            && let Some(b) = self.train.schedule_key()
        {
            let a = "callbacks.gradual_unfreezing";
            return Err(excluded(a, b, "both set the learning rate"));
        }
        Ok(())
    }
}

/// Reads `[train]` and `[callbacks]`. With a recipe, their tables replace only the keys that they
/// name.
pub fn read_training(
    given: &Value,
    recipe: Option<&Recipe>,
    of_table: bool,
) -> Result<(TrainConfig, CallbacksConfig)> {
    let mut value = given.clone();
    let keeps_rate = match recipe {
        Some(recipe) => beside_recipe::fill(&mut value, recipe, of_table)?,
        None => false,
    };
    let raw: Raw = read("", table("", &value)?)?;
    let train = TrainConfig {
        keeps_rate,
        ..TrainConfig::from_value("train", &section(raw.train))?
    };
    let callbacks = CallbacksConfig::from_value("callbacks", &section(raw.callbacks))?;
    Ok((train, callbacks))
}

/// A section's table, empty if it is missing.
fn section(value: Option<Value>) -> Value {
    value.unwrap_or_else(|| Value::Object(Default::default()))
}

/// A whole number of at least `least`.
fn whole(at: &str, value: &Value, least: u64) -> Result<usize> {
    let number = value.as_u64().filter(|&n| n >= least);
    number
        .and_then(|n| usize::try_from(n).ok())
        .ok_or_else(|| Error::invalid(at, value, format!("a whole number of {least} or more")))
}

fn truth(at: &str, value: &Value) -> Result<bool> {
    value
        .as_bool()
        .ok_or_else(|| Error::invalid(at, value, "true or false"))
}

fn text_of(at: &str, value: &Value, expected: &str) -> Result<String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        other => Err(Error::invalid(at, other, expected)),
    }
}

pub fn problem_at(at: &str, problem: &str) -> Error {
    Error::Config {
        at: at.to_owned(),
        problem: problem.to_owned(),
    }
}

pub fn excluded(a: &str, b: &str, why: &str) -> Error {
    problem_at("", &format!("`{a}` and `{b}` exclude each other: {why}"))
}
