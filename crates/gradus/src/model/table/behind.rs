//! Networks behind a table's columns, to be trained.

use super::preprocessing::preprocess;
use super::{TargetOutput, input};
use crate::data::{Data, RunData, Schema, Summary, TableOptions, Target};
use crate::error::{Error, Result};
use crate::model::functional::{Functional, Symbol};
use crate::model::graph::{Input, LayerEntry, Model, Source};
use crate::model::layers::{Layer, Normalization};
use crate::model::{Compiled, Recipe};

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
        last: Option<Layer>,
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
