//! From a configuration to a run: data opened, model built, every default settled.

mod auto;
mod compile;
mod prepare;
mod resolved;
mod target;

pub use auto::SuggestedRates;

use super::config::{
    Callbacks, CheckpointConfig, Config, PretrainConfig, Source, excluded, problem_at,
    read_training, to_text,
};
use super::event::{FoundRate, Progress};
use super::model_file::{self, Start};
use crate::data::checks::{Finding, Severity, Where};
use crate::data::{Data, Dataset, RunData, ScaleName};
use crate::error::{Error, Result};
use crate::model::{Compiled, Model, Recipe};
use crate::rules::optimizers::LearningRate;
use crate::rules::schedules::Schedule;
use crate::train::{EarlyStopping, OnNan, Precision, QuantizationAware};
use prepare::{Prepared, freeze, prepare};
use std::path::Path;

/// Everything that a training needs.
pub struct Run {
    pub data: RunData,
    /// The built and compiled model.
    pub model: Model,
    pub epochs: usize,
    pub initial_epoch: usize,
    pub batch_size: usize,
    pub shuffle: bool,
    pub schedule: Option<Schedule>,
    pub class_weight: Vec<(usize, f64)>,
    pub mixup: Option<f64>,
    /// The steps between two samples of the layers' health, if they are given.
    pub health_every: Option<usize>,
    pub precision: Precision,
    pub quantization_aware: Option<QuantizationAware>,
    pub on_nan: OnNan,
    pub callbacks: Callbacks,
    pub checkpoint: CheckpointConfig,
    /// True if several processes make the bits of one.
    pub exact: bool,
    /// The pretraining, and the rows for it.
    pub pretrain: Option<(PretrainConfig, Dataset)>,
    /// The model files that it starts from.
    pub starts: Vec<Start>,
    /// True if the weights are those of their initializers.
    pub fresh: bool,
    /// Suspicious things about the rows and the schedule.
    pub findings: Vec<Finding>,
    /// True if the learning-rate finder is to set the rate.
    pub find_rate: bool,
    /// The rate that it has set.
    pub found: Option<FoundRate>,
    /// The use of the rows and what the model predicts, as text of some lines.
    pub rows: String,
    /// The complete configuration, which repeats the run.
    pub text: String,
    /// SPEC of the rows that were not trained on, if it is short.
    pub test_spec: Option<String>,
}

/// Builds only the model, with weights for the data's shapes.
pub fn model_of(config: &Config, base: &Path, progress: &Progress<'_>) -> Result<Model> {
    if let Source::File(path) = &config.model.source {
        let (mut model, _) = model_file::load(&base.join(path), progress)?;
        freeze(&mut model, config)?;
        return Ok(model);
    }
    Ok(prepare(config, base, progress)?.model)
}

impl Config {
    /// Loads the data, builds the model, and fills in the defaults. Relative paths start from
    /// `base`.
    pub fn resolve(self, base: &Path, progress: &Progress<'_>) -> Result<Run> {
        self.settle(base, true, progress)
    }

    /// Resolves for a look alone, as [`Config::resolve`] otherwise: wrong data is no error,
    /// and no learning rate is looked for.
    pub fn look(self, base: &Path, progress: &Progress<'_>) -> Result<Run> {
        self.settle(base, false, progress)
    }

    fn settle(mut self, base: &Path, to_train: bool, progress: &Progress<'_>) -> Result<Run> {
        let Prepared {
            mut model,
            data,
            output_losses,
            mut recipe,
            starts,
            layers,
            about,
        } = prepare(&self, base, progress)?;
        if let Some(recipe) = &mut recipe {
            // Only now the number of rows is known, on which a table's recipe depends.
            (self.train, self.callbacks) =
                read_training(&self.given, Some(recipe), !output_losses.is_empty())?;
            if let Some(size) = self.train.batch_size {
                recipe.batch_size = size;
            }
        }
        let recipe = recipe.as_ref();
        let compiled = self.compile(&mut model, recipe, &data, &output_losses)?;
        let schedule = self.schedule(recipe, &compiled)?;
        let (epochs, batch_size) = recipe.map_or((1, 32), |r| (r.epochs, r.batch_size));
        let epochs = self.train.epochs.unwrap_or(epochs);
        let batch_size = self.train.batch_size.unwrap_or(batch_size);
        let mut callbacks = self.callbacks.given.clone();
        if recipe.is_some()
            && data.validation.is_some()
            && callbacks.early_stopping.is_none()
            && !self.callbacks.never_stop_early
        {
            callbacks.early_stopping = Some(EarlyStopping::recipe(epochs));
        }
        let initial_epoch = self.train.initial_epoch;
        if initial_epoch >= epochs {
            let expected = format!("more than `train.initial_epoch`, which is {initial_epoch}");
            return Err(Error::invalid("train.epochs", epochs, expected));
        }
        callbacks.check(&model, &measured(&model, data.validation.is_some()))?;
        callbacks.make_absolute(base)?;
        let pretrain = self.pretraining(&data, base)?;
        let class_weight = match self.train.balance_classes {
            true => data
                .targets()
                .balanced_class_weight()
                .map_err(|e| e.under("train"))?,
            false => self.class_weight(&data)?,
        };
        let mut findings = match &data.train {
            Data::Memory(train) => {
                let of_classes = model.targets_of_classes(train)?;
                data.findings(&self.data.checks, &of_classes)
            }
            // Streamed rows are checked as they are read.
            _ => {
                // The order of the rows depends on it.
                let streamed = data.facts.streamed.as_ref();
                self.data.memory = streamed.map(|streamed| streamed.memory);
                Vec::new()
            }
        };
        if let Some(schedule) = &schedule {
            findings.extend(without_momentum(schedule, &compiled));
        }
        let predicts = model.predicts(&data, &self.data.columns)?;
        let mut rows = vec![data.describe(&self.data)];
        rows.extend(about);
        rows.push(predicts);
        let mut run = Run {
            rows: rows.join("\n"),
            data,
            model,
            epochs,
            initial_epoch,
            batch_size,
            shuffle: self.train.shuffle,
            schedule,
            class_weight,
            mixup: self.train.mixup,
            health_every: self.train.health_every,
            precision: self.train.precision,
            quantization_aware: self.train.quantization_aware,
            on_nan: self.train.on_nan,
            callbacks,
            checkpoint: self.checkpoint.clone(),
            exact: self.distributed.exact,
            pretrain,
            fresh: starts.is_empty(),
            starts,
            findings,
            find_rate: self.train.find_rate,
            found: None,
            text: String::new(),
            test_spec: self.test_spec(),
        };
        if to_train {
            let mut findings = run.findings.iter();
            if let Some(wrong) = findings.find(|finding| finding.severity == Severity::Error) {
                return Err(wrong.clone().into_error("data"));
            }
            if self.train.find_rate {
                let found = run.set_found_rate()?;
                if run.schedule.is_none() && self.train.optimizer.is_none() {
                    self.train.learning_rate = Some(found.rate.into());
                }
                run.found = Some(found);
            }
        }
        run.text = to_text(&self.resolved(&run, layers, base)?)?;
        Ok(run)
    }

    /// The schedule that `[train]` names, else the recipe's unless something else sets the
    /// learning rate. One beside a schedule in the optimizer of a model file is an error.
    fn schedule(&self, recipe: Option<&Recipe>, compiled: &Compiled) -> Result<Option<Schedule>> {
        let reduces = self.callbacks.given.reduce_lr_on_plateau.is_some();
        let thaws_with_rates = self.callbacks.given.unfreezing_sets_rate();
        let recipe_rate = recipe.filter(|_| {
            let optimizer = self.train.optimizer.is_some() && !self.train.keeps_rate;
            let named = optimizer || self.train.learning_rate.is_some();
            !named && !reduces && !thaws_with_rates
        });
        let schedule = self.train.schedule.clone();
        let schedule = schedule.or_else(|| recipe_rate.map(Recipe::schedule));
        let rate = &compiled.optimizer()?.learning_rate;
        let by_schedule = matches!(rate, LearningRate::Schedule(_));
        for (there, key) in [
            (schedule.is_some(), "train.schedule"),
            (reduces, "callbacks.reduce_lr_on_plateau"),
            (thaws_with_rates, "callbacks.gradual_unfreezing"),
        ] {
            if by_schedule && there {
                let why =
                    "the model's optimizer has a schedule of its own; name a `train.optimizer`";
                return Err(excluded(key, "model.file", why));
            }
        }
        Ok(schedule)
    }

    /// The pretraining and the rows for it, if the configuration has one.
    fn pretraining(
        &self,
        data: &RunData,
        base: &Path,
    ) -> Result<Option<(PretrainConfig, Dataset)>> {
        let Some(pretrain) = self.pretrain.clone() else {
            return Ok(None);
        };
        let Data::Memory(train) = &data.train else {
            let problem = "the data is larger than `data.memory`: pretraining takes rows in memory";
            return Err(problem_at("pretrain", problem));
        };
        let about = (self.data.scale, data.schema());
        let rows = pretrain.load(train, about, base, self.seed)?;
        Ok(Some((pretrain, rows)))
    }

    /// SPEC of a built-in set's test rows, if it gives them the same scale.
    fn test_spec(&self) -> Option<String> {
        let plain = matches!(self.data.scale, None | Some(ScaleName::Unit));
        self.data.test_spec().filter(|_| plain)
    }
}

/// Refuses a schedule that changes the momentum of an optimizer without one.
fn without_momentum(schedule: &Schedule, compiled: &Compiled) -> Option<Finding> {
    let (optimizer, class) = (compiled.optimizer().ok()?, schedule.class());
    if optimizer.has_momentum() || !schedule.moves_momentum() {
        return None;
    }
    let found = format!(
        "{class} moves the momentum, and the optimizer {} has none",
        optimizer.method.class()
    );
    let advice = "give it one, such as `train.optimizer.momentum = 0.9`, or take one that has";
    let at = Where::of("train.schedule");
    Some(Finding::warning("momentum", at, found, advice))
}

/// The names of all values of an epoch.
fn measured(model: &Model, with_validation: bool) -> Vec<String> {
    let mut names = model.measurements();
    if with_validation {
        let validation: Vec<String> = names.iter().map(|name| format!("val_{name}")).collect();
        names.extend(validation);
    }
    names.push("learning_rate".into());
    names
}
