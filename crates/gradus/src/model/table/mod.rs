//! Models of tables: one input for each column, so that they eat raw rows.
//!
//! `preprocessing` stands between the columns and a network; `target_output` is what a target asks
//! of the network's end; `scored` turns outputs back into a table's columns.

mod class_scores;
#[cfg(any(feature = "arrow", feature = "polars"))]
mod frames;
mod preprocessing;
mod scored;
mod target_output;

pub use scored::{Scored, ScoredCells, ScoredColumn};
pub(crate) use scored::{id_columns, numbers};
pub(crate) use target_output::TargetOutput;

use preprocessing::preprocess;

use super::dtype::Dtype;
use super::feeds;
use super::functional::{Functional, Symbol};
use super::graph::{Input, LayerEntry, Model, Source};
use super::layers::Normalization;
use super::recipe::Recipe;
use crate::base::shape::Shape;
use crate::base::shown::list;
use crate::data::{
    DATE_PARTS, DATETIME_PARTS, Data, Dataset, Feature, Kind, NumberFormat, RunData, Schema,
    Summary, TableOptions, Tabular, Target,
};
use crate::error::{Error, Result};
use crate::model::Compiled;
use std::collections::{HashMap, HashSet};

impl Recipe {
    /// The network for rows that were [opened](crate::data::DataConfig::open):
    /// [`Recipe::table_model`] for a table of whose columns `columns` was said, else
    /// [`Recipe::model`].
    pub fn model_of(&self, rows: &RunData, columns: &TableOptions) -> Result<Model> {
        match (rows.schema(), rows.summary()) {
            (Some(schema), Some(train)) => self.summed_model(schema, train, columns),
            (Some(schema), None) => self.table_model(schema, &rows.train, columns),
            (None, _) => self.model(rows.train.sample()),
        }
    }

    /// The network for the columns of a table, an output for each target, compiled, to be trained
    /// as [`Fit::recipe`](crate::train::Fit::recipe) says. `train` has the training rows' means,
    /// missing values and vocabularies.
    ///
    /// ```
    /// use gradus::prelude::*;
    /// use gradus::data::{Schema, Table, TableOptions};
    /// # let path = std::env::temp_dir().join(format!("gradus-doc-{}.csv", std::process::id()));
    /// # let rows = (0..40).map(|i| format!("{},{},{}\n", i % 7, ["inland", "bay"][i % 2], i % 7 * 3));
    /// # std::fs::write(&path, format!("rooms,place,price\n{}", rows.collect::<String>())).unwrap();
    /// let options = TableOptions::new().target("price");
    /// let table = Table::read(&path, &options.read_table(&[]))?;
    /// let schema = Schema::of(&table, &options)?;
    /// let (test, train) = schema.dataset(&table, true)?.split_first(10)?;
    ///
    /// let recipe = Recipe::of_table(train.rows()).hidden(&[30]);
    /// let mut model = recipe.table_model(&schema, &train, &options)?;
    /// model.fit(&train, Fit::recipe(&recipe, 3).validation_split(0.2))?;
    /// model.evaluate(&test)?;
    /// let new = schema.rows(&path, false)?; // rows without a price
    /// assert_eq!(model.predict(&new)?.rows(), 40);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn table_model(
        &self,
        schema: &Schema,
        train: impl Into<Data>,
        options: &TableOptions,
    ) -> Result<Model> {
        self.summed_model(schema, &Summary::of(schema, train)?, options)
    }

    fn summed_model(
        &self,
        schema: &Schema,
        train: &Summary,
        options: &TableOptions,
    ) -> Result<Model> {
        let output_losses =
            TargetOutput::of(schema, train, options, &vec![None; schema.targets.len()])?;
        let mut model = self.table_layers(schema, train, options, &output_losses, 0)?;
        model.compile_with(Compiled {
            optimizer: Some(self.table_optimizer()),
            output_losses: output_losses
                .iter()
                .map(|output_loss| Some(output_loss.output_loss()))
                .collect(),
        })?;
        Ok(model)
    }

    /// The same, not compiled, for outputs and losses determined before.
    pub(crate) fn table_layers(
        &self,
        schema: &Schema,
        train: &Summary,
        options: &TableOptions,
        output_losses: &[TargetOutput],
        seed: u64,
    ) -> Result<Model> {
        let hidden = self.hidden_layers();
        let mut behind = Behind::new(schema, train, options, seed, self.limit())?;
        behind.append(&hidden)?;
        let mut outputs = Vec::new();
        for (output_loss, target) in output_losses.iter().zip(&schema.targets) {
            let last = self.last_layer(output_loss.task);
            outputs.push(behind.end(output_loss, target, Some(last.into()))?);
        }
        behind.model(schema, outputs)
    }
}

impl Model {
    /// A model of this chain of layers after the columns of a table, for its one target.
    pub(crate) fn behind_table(
        &self,
        schema: &Schema,
        train: &Summary,
        options: &TableOptions,
        output_losses: &[TargetOutput],
    ) -> Result<(Model, Vec<(String, String)>)> {
        if !self.chain {
            let expected = "a chain, which comes behind the columns; layers of a graph take columns \
                            by `inputs = [\"COLUMN\"]`";
            return Err(Error::invalid(
                "model.layers",
                "a graph of layers",
                expected,
            ));
        }
        let ([output_loss], [target]) = (output_losses, &schema.targets[..]) else {
            let found = format!("{} targets", schema.targets.len());
            let expected = "one for a chain of layers: a recipe makes an output for each, and so \
                            do layers with `inputs` and `model.outputs`";
            return Err(Error::invalid("data.target", found, expected));
        };
        let mut behind = Behind::new(schema, train, options, self.seed, None)?;
        let names = behind.append(&self.layers)?;
        let output = behind.end(output_loss, target, None)?;
        Ok((behind.model(schema, vec![output])?, names))
    }

    /// The inputs that a table's columns can feed.
    pub(crate) fn table_inputs(schema: &Schema) -> Vec<Input> {
        schema.features.iter().map(input).collect()
    }

    /// The roles and encodings of tables' columns. A model trained on a table has them; for another
    /// they are guessed from the inputs: texts are categories, single values are numbers. `None` if
    /// an input is neither.
    pub fn table_schema(&self) -> Option<Schema> {
        if let Some(schema) = &self.facts.schema {
            return Some(self.with_texts(schema.clone()));
        }
        let kind = |input: &Input| match (input.dtype, input.shape.as_ref()?.dims()) {
            (Dtype::String, [] | [1]) => Some(Kind::Category),
            (Dtype::Float32, [] | [1]) => Some(Kind::Number),
            (Dtype::Float32, [parts]) if *parts == DATE_PARTS.len() && self.inputs.len() > 1 => {
                Some(Kind::Date)
            }
            (Dtype::Float32, [parts])
                if *parts == DATETIME_PARTS.len() && self.inputs.len() > 1 =>
            {
                Some(Kind::DateTime)
            }
            _ => None,
        };
        let feature = |input: &Input| {
            Some(Feature {
                name: input.name.clone(),
                input: input.name.clone(),
                kind: kind(input)?,
                format: NumberFormat::PLAIN,
                dates: Default::default(),
                offset: None,
            })
        };
        let features = self.inputs.iter().map(feature).collect::<Option<_>>()?;
        Some(self.with_texts(Schema {
            features,
            ..Schema::default()
        }))
    }

    /// The texts that each input's layers know, in the order of the model's inputs; none for an
    /// input of numbers, or where a layer takes any text.
    pub fn known_texts(&self) -> Vec<Vec<&str>> {
        let known = feeds::known_texts(self).into_iter();
        let known = known.map(|texts| texts.unwrap_or_default());
        known
            .map(|texts| texts.into_iter().map(String::as_str).collect())
            .collect()
    }

    /// The schema with the dictionaries of the model's layers.
    fn with_texts(&self, mut schema: Schema) -> Schema {
        let names = self.inputs.iter().map(|input| input.name.as_str());
        let texts: HashMap<&str, _> = names.zip(feeds::known_texts(self)).collect();
        for feature in &schema.features {
            if let Some(Some(texts)) = texts.get(feature.input.as_str()) {
                schema.known.add(&feature.name, texts.iter().copied());
            }
        }
        schema
    }

    /// The rows of a table as this model takes them, for `evaluate` if `labelled`, else
    /// for `predict`. The columns of the table are found by name.
    ///
    /// An error if the model's inputs are not columns, or not this table's.
    pub fn table_rows(&self, source: impl Tabular, labelled: bool) -> Result<Dataset> {
        match self.table_schema() {
            Some(schema) => schema.rows(source, labelled),
            None => {
                let expected = "arrays, which the model takes: its inputs are no columns";
                Err(Error::invalid("data", source.name(), expected))
            }
        }
    }

    /// Refuses a schema that does not fit this model.
    pub(crate) fn check_schema(&self, schema: &Schema) -> Result<()> {
        schema.check()?;
        let inputs = self.inputs.iter();
        let inputs: HashMap<&str, &Input> = inputs.map(|i| (i.name.as_str(), i)).collect();
        let fits = |feature: &Feature| {
            let wanted = input(feature);
            inputs.get(wanted.name.as_str()).is_some_and(|input| {
                let same = input.shape.is_none() || input.shape == wanted.shape;
                input.dtype == wanted.dtype && same
            })
        };
        if let Some(feature) = schema.features.iter().find(|feature| !fits(feature)) {
            let expected = "an input of the model of that name and shape for each feature";
            return Err(Error::invalid(
                "schema",
                format!("feature `{}`", feature.name),
                expected,
            ));
        }
        if schema.features.len() != self.inputs.len() {
            let found = format!("{} features", schema.features.len());
            let expected = format!("{}, one for each input of the model", self.inputs.len());
            return Err(Error::invalid("schema", found, expected));
        }
        // A single target is for the single output, whatever their names.
        let names = self.output_names();
        let outputs: HashSet<&str> = names.iter().map(String::as_str).collect();
        let known = |target: &Target| outputs.contains(target.output().as_str());
        match schema.targets.iter().find(|target| !known(target)) {
            Some(stranger) if schema.targets.len() > 1 => {
                let found = format!("target `{}`", stranger.name);
                let expected = format!("one of the outputs {}", list(&names));
                Err(Error::invalid("schema", found, expected))
            }
            _ => Ok(()),
        }
    }
}

/// The input of a feature.
fn input(feature: &Feature) -> Input {
    let (shape, dtype): (Shape, Dtype) = match feature.kind {
        Kind::Number | Kind::Boolean => ([1].into(), Dtype::Float32),
        Kind::Date => ([DATE_PARTS.len()].into(), Dtype::Float32),
        Kind::DateTime => ([DATETIME_PARTS.len()].into(), Dtype::Float32),
        Kind::Category => ([1].into(), Dtype::String),
    };
    Input {
        name: feature.input.clone(),
        shape: Some(shape),
        dtype,
    }
}

/// A network after a table's columns, in the making.
struct Behind {
    graph: Functional,
    last: Symbol,
}

impl Behind {
    fn new(
        schema: &Schema,
        train: &Summary,
        options: &TableOptions,
        seed: u64,
        limit: Option<f64>,
    ) -> Result<Self> {
        let mut graph = Functional::new().seed(seed);
        let mut columns = Vec::new();
        for feature in &schema.features {
            let Input { name, shape, dtype } = input(feature);
            columns.push(graph.open_input(&name, shape, dtype));
        }
        let missing = options.missing.unwrap_or_default();
        let last = preprocess(&mut graph, &columns, schema, train, missing, limit)?;
        Ok(Behind { graph, last })
    }

    /// Adds layers, whose names get a number where they are taken. Returns each name, old and new.
    fn append(&mut self, layers: &[LayerEntry]) -> Result<Vec<(String, String)>> {
        let mut names = Vec::new();
        for layer in layers {
            let name = self.graph.free_name(&layer.name);
            names.push((layer.name.clone(), name.clone()));
            let layer = LayerEntry {
                name,
                ..layer.clone()
            };
            let shared = self.graph.define(layer);
            self.last = self.graph.call(shared, self.last)?;
        }
        Ok(names)
    }

    /// The output for a target: a last layer of its own, and its scale.
    fn end(
        &mut self,
        output_loss: &TargetOutput,
        target: &Target,
        last: Option<super::layers::Layer>,
    ) -> Result<Symbol> {
        let name = target.output();
        let mut symbol = self.last;
        let Some((mean, variance)) = output_loss.scale else {
            return match last {
                Some(last) => self.graph.layer_named(&name, last, symbol),
                None => Ok(symbol),
            };
        };
        if let Some(last) = last {
            symbol = self.graph.layer(last, symbol)?;
        }
        let scale = Normalization::new().given([mean], [variance]).invert(true);
        self.graph.layer_named(&name, scale, symbol)
    }

    fn model(self, schema: &Schema, outputs: Vec<Symbol>) -> Result<Model> {
        let mut model = self.graph.model(outputs)?;
        if let Some(Source::Input(n)) = model.outputs.iter().find(|o| matches!(o, Source::Input(_)))
        {
            return Err(Error::Internal(format!("input {n} is an output")));
        }
        model.check_schema(schema)?;
        model.facts.schema = Some(schema.clone());
        Ok(model)
    }
}
