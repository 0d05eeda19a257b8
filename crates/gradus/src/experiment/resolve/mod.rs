//! From a configuration to a run: data opened, model built, every default settled.

mod auto;
mod resolved;
mod target;

pub use auto::{FoundRate, SuggestedRates};

use super::config::{
    Callbacks, Config, PerOutput, PretrainConfig, Source, excluded, problem_at, read_training,
    to_text, with_vocabularies,
};
use super::event::Progress;
use super::model_file;
use crate::base::registry::Value;
use crate::data::checks::{Finding, Severity, Where};
use crate::data::{Dataset, Opened, ScaleName, Schema, Summary, Target};
use crate::error::{Error, Result, join};
use crate::model::{Compiled, Goal, Model, Recipe, TableGoal, Task};
use crate::rules::losses::Loss;
use crate::rules::optimizers::LearningRate;
use crate::rules::schedules::Schedule;
use crate::train::{EarlyStopping, OnNan, Precision};
use std::path::Path;

/// Everything that a training needs.
pub struct Run {
    pub data: Opened,
    /// Built and compiled.
    pub model: Model,
    pub epochs: usize,
    pub initial_epoch: usize,
    pub batch_size: usize,
    pub shuffle: bool,
    pub schedule: Option<Schedule>,
    pub class_weight: Vec<(usize, f64)>,
    pub mixup: Option<f64>,
    pub precision: Precision,
    pub on_nan: OnNan,
    pub callbacks: Callbacks,
    /// The pretraining, and the rows for it.
    pub pretrain: Option<(PretrainConfig, Dataset)>,
    /// True if the weights are those of their initializers.
    pub fresh: bool,
    /// Suspicious things about the rows and the schedule.
    pub findings: Vec<Finding>,
    /// The rate that the learning-rate finder has set.
    pub found: Option<FoundRate>,
    /// The use of the rows and what the model predicts, as text of some lines.
    pub rows: String,
    /// The whole configuration, which repeats the run.
    pub text: String,
    /// SPEC of the rows that were not trained on, if it is short.
    pub test_spec: Option<String>,
}

/// The model alone, its weights made for the data's shapes.
pub fn model_of(config: &Config, base: &Path, progress: &Progress<'_>) -> Result<Model> {
    if let Source::File(path) = &config.model.source {
        let mut model = model_file::load(&base.join(path), progress)?;
        freeze(&mut model, config)?;
        return Ok(model);
    }
    Ok(prepare(config, base, progress)?.model)
}

impl Config {
    /// Loads the data, builds the model, and settles what was left open.
    /// Relative paths are relative to `base`.
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
            goals,
            mut recipe,
        } = prepare(&self, base, progress)?;
        if let Some(recipe) = &mut recipe {
            // It is known only now how many rows there are, which a table's recipe depends on.
            (self.train, self.callbacks) =
                read_training(&self.given, Some(recipe), !goals.is_empty())?;
            if let Some(size) = self.train.batch_size {
                recipe.batch_size = size;
            }
        }
        let compiled = self.compile(&mut model, recipe.as_ref(), &data, &goals)?;
        let by_schedule = {
            let rate = &compiled.optimizer()?.learning_rate;
            matches!(rate, LearningRate::Schedule(_))
        };
        let mut callbacks = self.callbacks.given.clone();
        let reduces = callbacks.reduce_lr_on_plateau.is_some();
        let thaws_with_rates = callbacks.unfreezing_sets_rate();
        let recipe_rate = recipe.as_ref().filter(|_| {
            let optimizer = self.train.optimizer.is_some() && !self.train.keeps_rate;
            let named = optimizer || self.train.learning_rate.is_some();
            !named && !reduces && !thaws_with_rates
        });
        let schedule = self.train.schedule.clone();
        let schedule = schedule.or_else(|| recipe_rate.map(Recipe::schedule));
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
        let usual = recipe
            .as_ref()
            .map_or((1, 32), |r| (r.epochs, r.batch_size));
        let epochs = self.train.epochs.unwrap_or(usual.0);
        let batch_size = self.train.batch_size.unwrap_or(usual.1);
        if recipe.is_some()
            && data.validation().is_some()
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
        callbacks.check(&model, &measured(&model, data.validation().is_some()))?;
        callbacks.make_absolute(base)?;
        let pretrain = match self.pretrain.clone() {
            Some(pretrain) => {
                let Opened::Memory(loaded) = &data else {
                    let problem = "the data is larger than `data.memory`: pretraining takes rows \
                                   in memory";
                    return Err(problem_at("pretrain", problem));
                };
                let rows = pretrain.load(
                    &loaded.train,
                    (self.data.scale, data.schema()),
                    base,
                    self.seed,
                )?;
                Some((pretrain, rows))
            }
            None => None,
        };
        let class_weight = match self.train.balance_classes {
            true => data
                .targets()
                .balanced_class_weight()
                .map_err(|e| e.under("train"))?,
            false => self.class_weight(&data)?,
        };
        let mut findings = match &data {
            Opened::Memory(loaded) => {
                let of_classes = model.targets_of_classes(&loaded.train)?;
                loaded.findings(&self.data.checks, &of_classes)
            }
            // They are looked at as they are read.
            Opened::Stream(streamed) => {
                // The order of the rows depends on it.
                self.data.memory = Some(streamed.memory);
                Vec::new()
            }
        };
        if let Some(schedule) = &schedule {
            findings.extend(without_momentum(schedule, &compiled));
        }
        let predicts = model.predicts(&data, &self.data.columns)?;
        let mut run = Run {
            rows: format!("{}\n{predicts}", self.data.describe_parts(&data)),
            data,
            model,
            epochs,
            initial_epoch,
            batch_size,
            shuffle: self.train.shuffle,
            schedule,
            class_weight,
            mixup: self.train.mixup,
            precision: self.train.precision,
            on_nan: self.train.on_nan,
            callbacks,
            pretrain,
            fresh: !matches!(self.model.source, Source::File(_)),
            findings,
            found: None,
            text: String::new(),
            test_spec: self.test_spec(),
        };
        if to_train {
            let wrong = run.findings.iter();
            let mut wrong = wrong.filter(|finding| finding.severity == Severity::Error);
            if let Some(finding) = wrong.next() {
                return Err(finding.clone().into_error("data"));
            }
        }
        if self.train.find_rate && to_train {
            let found = run.set_found_rate()?;
            if run.schedule.is_none() && self.train.optimizer.is_none() {
                self.train.learning_rate = Some(found.rate.into());
            }
            run.found = Some(found);
        }
        run.text = to_text(&self.resolved(&run, base)?)?;
        Ok(run)
    }

    /// The loss, if one is named for all outputs.
    fn one_loss(&self) -> Option<&Loss> {
        match &self.train.loss {
            Some(PerOutput::All(loss)) => Some(loss),
            _ => None,
        }
    }

    /// Compiles the model with what `[train]` names, else what its file brought,
    /// else what the recipe says.
    fn compile(
        &self,
        model: &mut Model,
        recipe: Option<&Recipe>,
        data: &Opened,
        goals: &[TableGoal],
    ) -> Result<Compiled> {
        let train = &self.train;
        let of_table = !goals.is_empty();
        let task = match recipe {
            Some(_) if !of_table => {
                let task = Task::of(data.targets(), self.one_loss());
                Some(task.map_err(of_loss)?)
            }
            _ => None,
        };
        let saved = model.compiled.take();
        let missing = |key: &str, what: &str| {
            let problem = format!("missing: name {what}");
            problem_at(&join("train", key), &problem)
        };
        let outputs = model.output_names();
        let losses = match &train.loss {
            Some(loss) => Some(loss.each("train.loss", &outputs)?),
            None => None,
        };
        let weights = match &train.loss_weights {
            Some(weights) => Some(weights.each("train.loss_weights", &outputs)?),
            None => None,
        };
        let metrics = match &train.metrics {
            Some(PerOutput::All(_)) if outputs.len() > 1 => {
                return Err(unassigned("train.metrics", &outputs));
            }
            Some(metrics) => Some(metrics.each("train.metrics", &outputs)?),
            None => None,
        };
        let weighted_metrics = match &train.weighted_metrics {
            Some(PerOutput::All(_)) if outputs.len() > 1 => {
                return Err(unassigned("train.weighted_metrics", &outputs));
            }
            Some(metrics) => Some(metrics.each("train.weighted_metrics", &outputs)?),
            None => None,
        };
        let goal = |output: usize| {
            let saved = saved.as_ref().and_then(|s| s.goals.get(output)?.as_ref());
            // What a column of a table asks for.
            let asked = goals.get(output).map(TableGoal::goal);
            let asked = asked.as_ref();
            let saved = saved.or(asked);
            let loss = match &losses {
                Some(losses) => losses[output].cloned(),
                None => saved
                    .map(|goal| goal.loss.clone())
                    .or_else(|| task.map(|task| task.loss())),
            };
            let weight = match &weights {
                Some(weights) => weights[output].copied(),
                None => saved.map(|goal| goal.weight),
            };
            let metrics = match &metrics {
                Some(metrics) => metrics[output].cloned(),
                None => saved
                    .map(|goal| goal.metrics.clone())
                    .or_else(|| task.map(|t| vec![(t.metric().name().to_owned(), t.metric())])),
            };
            let weighted_metrics = match &weighted_metrics {
                Some(metrics) => metrics[output].cloned(),
                None => saved.map(|goal| goal.weighted_metrics.clone()),
            };
            Some(Goal {
                loss: loss?,
                weighted_metrics: weighted_metrics.unwrap_or_default(),
                weight: weight.unwrap_or(1.0),
                metrics: metrics.unwrap_or_default(),
            })
        };
        let goals: Vec<Option<Goal>> = (0..outputs.len()).map(goal).collect();
        if goals.iter().all(Option::is_none) {
            let what = "a loss, such as \"sparse_categorical_crossentropy\"";
            return Err(missing("loss", what));
        }
        let saved = saved.and_then(|s| s.optimizer);
        let keeps_state = match &train.optimizer {
            Some(named) => saved.as_ref() == Some(named),
            None => saved.is_some(),
        };
        let optimizer = train.optimizer.clone().or(saved);
        let mut optimizer = optimizer
            .or_else(|| match of_table {
                true => recipe.map(Recipe::table_optimizer),
                false => recipe.map(Recipe::optimizer),
            })
            .ok_or_else(|| missing("optimizer", "an optimizer, such as \"nadam\""))?;
        if let Some(rate) = &train.learning_rate {
            optimizer.learning_rate = rate.clone();
        } else if let (LearningRate::Schedule(_), true) =
            (&optimizer.learning_rate, train.find_rate)
        {
            // A saved schedule gives way; this is not used either.
            optimizer.learning_rate = LearningRate::Constant(0.01);
        }
        let compiled = Compiled {
            optimizer: Some(optimizer),
            goals,
        };
        let state = std::mem::take(&mut model.state);
        model
            .compile_with(compiled.clone())
            .map_err(|e| e.under("train"))?;
        if keeps_state {
            model.state = state;
        }
        Ok(compiled)
    }

    /// SPEC of a built-in set's test rows, if they are scaled as SPEC scales them.
    fn test_spec(&self) -> Option<String> {
        let plain = matches!(self.data.scale, None | Some(ScaleName::Unit));
        let name = self.data.dataset.as_ref()?;
        (plain && !name.contains(':')).then(|| format!("{name}:test"))
    }
}

/// Data and model, before it is said how it is trained.
struct Prepared {
    model: Model,
    data: Opened,
    /// The purpose of each output, if the model stands behind the columns of a table.
    goals: Vec<TableGoal>,
    /// The recipe that made it, if one did.
    recipe: Option<Recipe>,
}

/// The data, and the model with its weights, frozen as the configuration says.
fn prepare(config: &Config, base: &Path, progress: &Progress<'_>) -> Result<Prepared> {
    if let Source::File(path) = &config.model.source {
        return prepare_saved(config, base, path, progress);
    }
    let data = &config.data;
    let mut data = progress.listening(|told| data.open_telling(base, config.seed, None, told))?;
    let options = &config.data.columns;
    let mut goals = Vec::new();
    let table = data.schema().zip(data.summary());
    let recipe = match &config.model.source {
        Source::Recipe(named) => {
            let rows = data.train().rows().unwrap_or_default();
            Some(named.of(table.map(|_| rows))?)
        }
        _ => None,
    };
    let mut model = match (&config.model.source, &recipe, table) {
        (_, Some(recipe), Some((schema, train))) => {
            goals = config.table_goals(schema, train, None)?;
            recipe.table_layers(schema, train, options, &goals, config.seed)?
        }
        (_, Some(recipe), None) => {
            let task = Task::of(data.targets(), config.one_loss());
            let task = task.map_err(of_loss)?;
            let train = data.train();
            let layers = recipe.layers(&train.sample().inputs()[0], task);
            layers.seed(config.seed).build()?
        }
        (Source::Layers(layers), _, Some((schema, train))) if config.is_chain(layers) => {
            let loss = config.chain_loss(schema, layers)?;
            goals = config.table_goals(schema, train, loss.as_ref())?;
            let layers = with_vocabularies("model.layers", layers, base)?;
            let chain = Model::from_layers("model.layers", &layers, None, config.seed)?;
            chain.behind_table(schema, train, options, &goals)?
        }
        (Source::Layers(layers), ..) => {
            let outputs = config.model.outputs.as_deref();
            let columns = table.map(|(schema, _)| Model::table_inputs(schema));
            let columns = columns.unwrap_or_default();
            let layers = with_vocabularies("model.layers", layers, base)?;
            Model::from_layers_of("model.layers", &layers, outputs, config.seed, &columns)?
        }
        _ => return Err(Error::Internal("a model's file".into())),
    };
    if data.schema().is_some() {
        let inputs = model.inputs.iter().map(|input| input.name.as_str());
        data = data.keep_inputs(&inputs.collect::<Vec<_>>())?;
        model.schema = data.schema().cloned();
    }
    model.pictures = data.pictures().cloned();
    model.build_for(data.train().sample())?;
    freeze(&mut model, config)?;
    Ok(Prepared {
        model,
        data,
        goals,
        recipe,
    })
}

/// A saved model, and data for it: it knows the columns of tables.
fn prepare_saved(
    config: &Config,
    base: &Path,
    path: &str,
    progress: &Progress<'_>,
) -> Result<Prepared> {
    let mut model = model_file::load(&base.join(path), progress)?;
    model.seed = config.seed;
    freeze(&mut model, config)?;
    let schema = model.table_schema();
    if let (Some(table), None) = (&config.data.table, &schema) {
        let expected = "arrays, which the model takes: its inputs are no columns";
        return Err(Error::invalid("data.table", format!("`{table}`"), expected));
    }
    let mut data = config.data.clone();
    data.columns
        .number_targets
        .extend(config.number_targets_of(&model));
    let data =
        progress.listening(|told| data.open_telling(base, config.seed, schema.as_ref(), told))?;
    if let Some(schema) = data.schema() {
        model.schema = Some(schema.clone());
    }
    // Arrays say nothing of what their pictures once were.
    if config.data.images.is_some() || config.data.dataset.is_some() {
        model.pictures = data.pictures().cloned();
    }
    Ok(Prepared {
        model,
        data,
        goals: Vec::new(),
        recipe: None,
    })
}

impl Config {
    /// True if the layers are a plain chain, which comes behind the columns of a table.
    fn is_chain(&self, layers: &[Value]) -> bool {
        self.model.outputs.is_none() && Model::is_chain(layers)
    }

    /// The goals that the targets of a table ask of the model, with the losses that are named,
    /// else `usual` if the layers ask for it.
    fn table_goals(
        &self,
        schema: &Schema,
        train: &Summary,
        usual: Option<&Loss>,
    ) -> Result<Vec<TableGoal>> {
        let names: Vec<String> = schema.targets.iter().map(Target::output).collect();
        let losses = match &self.train.loss {
            Some(losses) => losses.each("train.loss", &names)?,
            None => vec![usual; names.len()],
        };
        TableGoal::of(schema, train, &self.data.columns, &losses)
    }
}

fn freeze(model: &mut Model, config: &Config) -> Result<()> {
    for (pattern, trainable) in &config.model.trainable {
        let frozen = model.set_trainable(pattern, *trainable);
        frozen.map_err(|error| error.under("model.trainable"))?;
    }
    Ok(())
}

/// Metrics of a model with several outputs that do not say whose they are.
fn unassigned(at: &str, outputs: &[String]) -> Error {
    let problem = "say which output each belongs to";
    problem_at(at, &format!("{problem}: {{ {} = [...] }}", outputs[0]))
}

/// The error of a loss that does not go with the targets, at its key.
fn of_loss(error: Error) -> Error {
    match &error {
        Error::Invalid { at, .. } if at == "loss" => error.under("train"),
        _ => error,
    }
}

/// A schedule that moves the momentum of an optimizer that has none.
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

/// The names of everything that an epoch measures.
fn measured(model: &Model, with_validation: bool) -> Vec<String> {
    let mut names = model.measurements();
    if with_validation {
        let validation: Vec<String> = names.iter().map(|name| format!("val_{name}")).collect();
        names.extend(validation);
    }
    names.push("learning_rate".into());
    names
}
