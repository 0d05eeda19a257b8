//! From a configuration to a run: data loaded, model built, every default written down.

use super::model::Source;
use super::text::to_text;
use super::train::PerOutput;
use super::{Config, excluded, problem_at};
use gradus::artifacts::keras::load_keras;
use gradus::config::{Value, join};
use gradus::data::{Loaded, ScaleName};
use gradus::model::{Compiled, Goal, Model, Recipe, Style, Task};
use gradus::rules::losses::Loss;
use gradus::rules::metrics::Metric;
use gradus::rules::optimizers::LearningRate;
use gradus::rules::schedules::Schedule;
use gradus::train::{EarlyStopping, ReduceLROnPlateau};
use gradus::{Error, Result};
use serde_json::{Map, json};
use std::path::Path;

/// Epochs of a recipe that names none.
const RECIPE_EPOCHS: usize = 30;
/// Epochs without improvement that end a recipe's training: half of them, so
/// that 1cycle comes down from its highest rate first.
const RECIPE_PATIENCE: usize = 15;

/// Everything that a training needs.
pub struct Run {
    pub data: Loaded,
    /// Built and compiled.
    pub model: Model,
    pub epochs: usize,
    pub initial_epoch: usize,
    pub batch_size: usize,
    pub shuffle: bool,
    pub schedule: Option<Schedule>,
    pub class_weight: Vec<(usize, f64)>,
    pub early_stopping: Option<EarlyStopping>,
    pub reduce_lr_on_plateau: Option<ReduceLROnPlateau>,
    /// The whole configuration, which repeats the run.
    pub text: String,
    /// SPEC of the rows that were not trained on, if it is short.
    pub test_spec: Option<String>,
}

/// The model alone, its weights made for the data's shapes.
pub fn model_of(config: &Config, base: &Path) -> Result<Model> {
    if let Source::File(_) = config.model.source {
        return build(config, base, None);
    }
    let data = config.data.load(base)?;
    build(config, base, Some(&data))
}

impl Config {
    /// Loads the data, builds the model, and settles what was left open.
    /// Relative paths are relative to `base`.
    pub fn resolve(mut self, base: &Path) -> Result<Run> {
        let recipe = self.recipe().cloned();
        if recipe
            .as_ref()
            .is_some_and(|r| r.style == Style::SelfNormalizing)
        {
            self.data.scale.get_or_insert(ScaleName::Standard);
        }
        let data = self.data.load(base)?;
        let mut model = build(&self, base, Some(&data))?;
        let compiled = self.compile(&mut model, recipe.as_ref(), &data)?;
        let by_schedule = matches!(compiled.optimizer.learning_rate, LearningRate::Schedule(_));
        let reduce_lr_on_plateau = self.callbacks.reduce_lr_on_plateau.clone();
        let recipe_rate = recipe.as_ref().filter(|_| {
            let named = self.train.optimizer.is_some() || self.train.learning_rate.is_some();
            !named && reduce_lr_on_plateau.is_none()
        });
        let schedule = self.train.schedule.clone();
        let schedule = schedule.or_else(|| recipe_rate.map(Recipe::schedule));
        for (there, key) in [
            (schedule.is_some(), "train.schedule"),
            (
                reduce_lr_on_plateau.is_some(),
                "callbacks.reduce_lr_on_plateau",
            ),
        ] {
            if by_schedule && there {
                let why =
                    "the model's optimizer has a schedule of its own; name a `train.optimizer`";
                return Err(excluded(key, "model.file", why));
            }
        }
        let early_stopping = match &self.callbacks.early_stopping {
            Some(given) => given.clone(),
            None if recipe.is_some() && data.validation.is_some() => Some(
                EarlyStopping::new("val_loss")
                    .patience(RECIPE_PATIENCE)
                    .restore_best_weights(true),
            ),
            None => None,
        };
        let usual = if recipe.is_some() { RECIPE_EPOCHS } else { 1 };
        let epochs = self.train.epochs.unwrap_or(usual);
        let initial_epoch = self.train.initial_epoch;
        if initial_epoch >= epochs {
            let expected = format!("more than `train.initial_epoch`, which is {initial_epoch}");
            return Err(Error::invalid("train.epochs", epochs, expected));
        }
        let measured = measured(&model, data.validation.is_some());
        if let Some(early_stopping) = &early_stopping {
            check_monitor("early_stopping", &early_stopping.monitor, &measured)?;
        }
        if let Some(reduce) = &reduce_lr_on_plateau {
            check_monitor("reduce_lr_on_plateau", &reduce.monitor, &measured)?;
        }
        let mut run = Run {
            data,
            model,
            epochs,
            initial_epoch,
            batch_size: self.train.batch_size,
            shuffle: self.train.shuffle,
            schedule,
            class_weight: self.train.class_weight.clone(),
            early_stopping,
            reduce_lr_on_plateau,
            text: String::new(),
            test_spec: self.test_spec(),
        };
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

    fn recipe(&self) -> Option<&Recipe> {
        match &self.model.source {
            Source::Recipe(recipe) => Some(recipe),
            _ => None,
        }
    }

    /// Compiles the model with what `[train]` names, else what its file brought,
    /// else what the recipe says.
    fn compile(
        &self,
        model: &mut Model,
        recipe: Option<&Recipe>,
        data: &Loaded,
    ) -> Result<Compiled> {
        let train = &self.train;
        let task = match recipe {
            Some(_) => Some(Task::of(&data.train, self.one_loss())?),
            None => None,
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
        let saved = saved.map(|s| s.optimizer);
        let keeps_state = match &train.optimizer {
            Some(named) => saved.as_ref() == Some(named),
            None => saved.is_some(),
        };
        let optimizer = train.optimizer.clone().or(saved);
        let mut optimizer = optimizer
            .or_else(|| recipe.map(Recipe::optimizer))
            .ok_or_else(|| missing("optimizer", "an optimizer, such as \"nadam\""))?;
        if let Some(rate) = &train.learning_rate {
            optimizer.learning_rate = rate.clone();
        }
        let compiled = Compiled { optimizer, goals };
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

    /// The whole configuration, defaults and all.
    fn resolved(&self, run: &Run, base: &Path) -> Result<Value> {
        let plain = |error: serde_json::Error| Error::Internal(error.to_string());
        let data = serde_json::to_value(self.data.absolute(base)?).map_err(plain)?;
        let mut model = Map::new();
        match &self.model.source {
            Source::File(path) => {
                let path = base.join(path);
                let path = std::path::absolute(&path).map_err(|e| Error::io("find", &path, e))?;
                model.insert("file".into(), path.display().to_string().into());
                let patterns = self.model.trainable.iter().cloned();
                let patterns: Map<_, _> = patterns.map(|(p, t)| (p, t.into())).collect();
                if !patterns.is_empty() {
                    model.insert("trainable".into(), patterns.into());
                }
            }
            _ => {
                let (layers, outputs) = run.model.to_layers();
                model.insert("layers".into(), layers.into());
                if let Some(outputs) = outputs {
                    model.insert("outputs".into(), outputs.into());
                }
            }
        }
        let Some(compiled) = &run.model.compiled else {
            return Err(Error::Internal("the model of a run is not compiled".into()));
        };
        let outputs = run.model.output_names();
        let each = |of: &dyn Fn(&Goal) -> Value| -> Value {
            match &compiled.goals[..] {
                [Some(one)] => of(one),
                _ => {
                    let goals = compiled.trained();
                    let named = goals.map(|(o, goal)| (outputs[o].clone(), of(goal)));
                    Value::Object(named.collect())
                }
            }
        };
        let mut train = json!({
            "loss": each(&|goal| serde_json::to_value(&goal.loss).unwrap_or_default()),
            "metrics": each(&|goal| metrics(&goal.metrics)),
            "weighted_metrics": each(&|goal| metrics(&goal.weighted_metrics)),
            "epochs": run.epochs,
            "initial_epoch": run.initial_epoch,
            "batch_size": run.batch_size,
            "shuffle": run.shuffle,
        });
        if compiled.trained().any(|(_, goal)| goal.weight != 1.0) {
            train["loss_weights"] = each(&|goal| goal.weight.into());
        }
        // A rate beside the file's optimizer keeps the optimizer's state; as
        // part of a named one it would not.
        match (
            &self.model.source,
            &self.train.optimizer,
            &self.train.learning_rate,
        ) {
            (Source::File(_), None, Some(rate)) => {
                train["learning_rate"] = serde_json::to_value(rate).map_err(plain)?;
            }
            _ => train["optimizer"] = compiled.optimizer.to_config(),
        }
        if let Some(schedule) = &run.schedule {
            train["schedule"] = schedule.to_config();
        }
        if !run.class_weight.is_empty() {
            let weights = run.class_weight.iter();
            train["class_weight"] = weights.map(|(c, w)| (c.to_string(), *w)).collect();
        }
        let mut callbacks = Map::new();
        if let Some(early_stopping) = &run.early_stopping {
            let value = serde_json::to_value(early_stopping).map_err(plain)?;
            callbacks.insert("early_stopping".into(), value);
        }
        if let Some(reduce) = &run.reduce_lr_on_plateau {
            let value = serde_json::to_value(reduce).map_err(plain)?;
            callbacks.insert("reduce_lr_on_plateau".into(), value);
        }
        Ok(json!({
            "seed": self.seed,
            "data": data,
            "model": model,
            "train": train,
            "callbacks": callbacks,
        }))
    }
}

/// The model with its weights, frozen as the configuration says.
fn build(config: &Config, base: &Path, data: Option<&Loaded>) -> Result<Model> {
    let mut model = match &config.model.source {
        Source::File(path) => {
            let mut model = load_keras(base.join(path))?;
            model.seed = config.seed;
            freeze(&mut model, config)?;
            return Ok(model);
        }
        Source::Layers(layers) => {
            let outputs = config.model.outputs.as_deref();
            Model::from_layers("model.layers", layers, outputs, config.seed)?
        }
        Source::Recipe(recipe) => {
            let Some(data) = data else {
                return Err(Error::Internal("a recipe without data".into()));
            };
            let task = Task::of(&data.train, config.one_loss())?;
            let layers = recipe.layers(&data.train.inputs()[0], task);
            layers.seed(config.seed).build()?
        }
    };
    if let Some(data) = data {
        model.build_for(&data.train)?;
    }
    freeze(&mut model, config)?;
    Ok(model)
}

fn freeze(model: &mut Model, config: &Config) -> Result<()> {
    for (pattern, trainable) in &config.model.trainable {
        let frozen = model.set_trainable(pattern, *trainable);
        frozen.map_err(|error| error.under("model.trainable"))?;
    }
    Ok(())
}

/// Metrics as a configuration has them.
fn metrics(metrics: &[(String, Metric)]) -> Value {
    let written = metrics.iter().map(|(name, metric)| {
        let mut config = serde_json::to_value(metric).unwrap_or_default();
        let alias = Metric::from_config("", &name.as_str().into());
        if alias.is_ok_and(|alias| alias == *metric) {
            return name.as_str().into();
        }
        if let Value::String(_) = config {
            config = metric.to_config();
        }
        config["name"] = name.as_str().into();
        config
    });
    written.collect()
}

/// Metrics of a model with several outputs that do not say whose they are.
fn unassigned(at: &str, outputs: &[String]) -> Error {
    let problem = "say which output each belongs to";
    problem_at(at, &format!("{problem}: {{ {} = [...] }}", outputs[0]))
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

fn check_monitor(callback: &str, monitor: &str, measured: &[String]) -> Result<()> {
    if measured.iter().any(|name| name == monitor) {
        return Ok(());
    }
    let at = format!("callbacks.{callback}.monitor");
    let known = || measured.iter().map(String::as_str);
    if let Some(name) = monitor.strip_prefix("val_")
        && known().any(|n| n == name)
    {
        let problem = format!("`{monitor}` is measured only with `data.validation`");
        return Err(problem_at(&at, &problem));
    }
    Err(Error::unknown(&at, "measurement", monitor, known()))
}
