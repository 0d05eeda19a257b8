//! The data and the model of a configuration, before losses and optimizer.

use crate::base::registry::Value;
use crate::data::{RunData, Schema, Summary, Target};
use crate::error::{Error, Result};
use crate::experiment::config::{Config, PerOutput, Source, problem_at, with_vocabularies};
use crate::experiment::event::Progress;
use crate::experiment::model_file::{self, Start};
use crate::experiment::reuse;
use crate::model::{Model, Recipe, Reuse, TargetOutput, Task};
use crate::rules::losses::Loss;
use std::path::Path;

/// Data and model, before the training configuration.
pub struct Prepared {
    /// The model, built.
    pub model: Model,
    /// The rows.
    pub data: RunData,
    /// The purpose of each output, if the model stands behind the columns of a table.
    pub output_losses: Vec<TargetOutput>,
    /// The recipe that made it, if any.
    pub recipe: Option<Recipe>,
    /// The model files that it starts from.
    pub starts: Vec<Start>,
    /// The tables of its layers, and its outputs' names if it is no chain; empty if it is a file's.
    pub layers: (Vec<Value>, Option<Vec<String>>),
    /// Lines about the layers that are reused.
    pub about: Vec<String>,
}

/// Opens the data, and makes the model with its weights, frozen as the configuration says.
pub fn prepare(config: &Config, base: &Path, progress: &Progress<'_>) -> Result<Prepared> {
    if let Source::File(path) = &config.model.source {
        return prepare_saved(config, base, path, progress);
    }
    let mut data = config.open(base, None, progress)?;
    let options = &config.data.columns;
    let mut output_losses = Vec::new();
    let table = data.schema().zip(data.summary());
    let recipe = match &config.model.source {
        Source::Recipe(named) => Some(named.of(data.train_rows(), table.is_some())?),
        _ => None,
    };
    let (mut reuse, mut starts) = (Reuse::default(), Vec::new());
    if let Source::Layers(layers) = &config.model.source {
        (reuse.saved, starts) = reuse::load("model.layers", layers, base, progress)?;
    }
    let mut model = match (&config.model.source, &recipe, table) {
        (_, Some(recipe), Some((schema, train))) => {
            output_losses = config.target_outputs(schema, train, None)?;
            recipe.table_layers(schema, train, options, &output_losses, config.seed)?
        }
        (_, Some(recipe), None) => {
            let task = Task::of(data.targets(), config.one_loss());
            let task = task.map_err(of_loss)?;
            recipe.network(&data.train.sample().inputs()[0], task, config.seed)?
        }
        (Source::Layers(layers), _, Some((schema, train))) if config.is_chain(layers) => {
            let loss = config.chain_loss(schema, layers)?;
            output_losses = config.target_outputs(schema, train, loss.as_ref())?;
            let layers = with_vocabularies("model.layers", layers, base)?;
            let seed = config.seed;
            let chain =
                Model::from_layers_of("model.layers", &layers, None, seed, &[], &mut reuse)?;
            let behind = chain.behind_table(schema, train, options, &output_losses);
            let (model, names) = behind.map_err(|error| reuse.explain(error))?;
            reuse.rename(&names);
            model
        }
        (Source::Layers(layers), ..) => {
            let outputs = config.model.outputs.as_deref();
            let columns = table.map(|(schema, _)| Model::table_inputs(schema));
            let columns = columns.unwrap_or_default();
            let layers = with_vocabularies("model.layers", layers, base)?;
            if !starts.is_empty() {
                reuse.rows = Some(data.train.sample().clone());
            }
            let (at, seed) = ("model.layers", config.seed);
            let model = Model::from_layers_of(at, &layers, outputs, seed, &columns, &mut reuse);
            model.map_err(|error| reuse.explain(error))?
        }
        _ => return Err(Error::Internal("a model's file".into())),
    };
    if data.schema().is_some() {
        let inputs = model.inputs.iter().map(|input| input.name.as_str());
        data = data.keep_inputs(&inputs.collect::<Vec<_>>())?;
        model.facts_mut().schema = data.schema().cloned();
    }
    model.facts_mut().pictures = data.pictures().cloned();
    let built = model.build_for(data.train.sample());
    built.map_err(|error| reuse.explain(error))?;
    freeze(&mut model, config)?;
    if let (Some((layer, path)), Some(_)) = (reuse.frozen(&model), &config.pretrain) {
        let problem = format!(
            "it would train the first layers, and `{layer}` of {path} is frozen: leave one of the \
             two out, or pretrain with `trainable = true`"
        );
        return Err(problem_at("pretrain", &problem));
    }
    let (layers, outputs) = model.to_layers();
    Ok(Prepared {
        starts,
        layers: (reuse.tables(layers), outputs),
        about: reuse.describe(&model),
        model,
        data,
        output_losses,
        recipe,
    })
}

/// Loads a saved model, and opens data for it: it knows the columns of tables.
fn prepare_saved(
    config: &Config,
    base: &Path,
    path: &str,
    progress: &Progress<'_>,
) -> Result<Prepared> {
    let (mut model, start) = model_file::load(&base.join(path), progress)?;
    model.seed = config.seed;
    freeze(&mut model, config)?;
    let schema = model.table_schema();
    if let (Some(table), None) = (config.data.table(), &schema) {
        let expected = "arrays, which the model takes: its inputs are no columns";
        return Err(Error::invalid("data.table", format!("`{table}`"), expected));
    }
    let mut rows = config.clone();
    let of_model = config.number_targets_of(&model);
    rows.data.columns.number_targets.extend(of_model);
    let data = rows.open(base, schema.as_ref(), progress)?;
    if let Some(schema) = data.schema() {
        model.facts_mut().schema = Some(schema.clone());
    }
    // Arrays carry no record of their pictures' original form.
    if config.data.is_pictures() {
        model.facts_mut().pictures = data.pictures().cloned();
    }
    Ok(Prepared {
        model,
        data,
        output_losses: Vec::new(),
        recipe: None,
        starts: vec![start],
        layers: Default::default(),
        about: Vec::new(),
    })
}

impl Config {
    /// The loss, if one is given for all outputs.
    pub(super) fn one_loss(&self) -> Option<&Loss> {
        match &self.train.loss {
            Some(PerOutput::All(loss)) => Some(loss),
            _ => None,
        }
    }

    /// True if the layers are a plain chain, which comes behind the columns of a table.
    fn is_chain(&self, layers: &[Value]) -> bool {
        self.model.outputs.is_none() && Model::is_chain(layers)
    }

    /// The output losses for a table's targets, with the losses that are configured, else `usual`
    /// if the layers need it.
    fn target_outputs(
        &self,
        schema: &Schema,
        train: &Summary,
        usual: Option<&Loss>,
    ) -> Result<Vec<TargetOutput>> {
        let names: Vec<String> = schema.targets.iter().map(Target::output).collect();
        let losses = match &self.train.loss {
            Some(losses) => losses.each("train.loss", &names)?,
            None => vec![usual; names.len()],
        };
        TargetOutput::of(schema, train, &self.data.columns, &losses)
    }
}

/// Freezes or thaws the layers that `model.trainable` names.
pub fn freeze(model: &mut Model, config: &Config) -> Result<()> {
    for (pattern, trainable) in &config.model.trainable {
        let frozen = model.set_trainable(pattern, *trainable);
        frozen.map_err(|error| error.under("model.trainable"))?;
    }
    Ok(())
}

/// The error of a loss that does not fit the targets, at its key.
pub fn of_loss(error: Error) -> Error {
    match &error {
        Error::Invalid { at, .. } if at == "loss" => error.under("train"),
        _ => error,
    }
}
