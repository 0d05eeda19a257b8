//! Models of tables: one input for each column, so that they eat raw rows.
//!
//! `scored` turns outputs back into a table's columns. To be trained, `behind` puts a network behind
//! the columns: `preprocessing` stands between them, `target_output` is what a target asks of the
//! network's end.

#[cfg(feature = "train")]
mod behind;
mod class_scores;
#[cfg(any(feature = "arrow", feature = "polars"))]
mod frames;
#[cfg(feature = "train")]
mod preprocessing;
mod scored;
#[cfg(feature = "train")]
mod target_output;

pub use scored::{Scored, ScoredCells, ScoredColumn};
pub(crate) use scored::{id_columns, numbers};
#[cfg(feature = "train")]
pub(crate) use target_output::TargetOutput;

use super::dtype::Dtype;
use super::feeds;
use super::graph::{Input, Model};
use crate::base::shape::Shape;
use crate::base::shown::list;
use crate::data::{
    DATE_PARTS, DATETIME_PARTS, Dataset, Feature, Kind, NumberFormat, Schema, Tabular, Target,
};
use crate::error::{Error, Result};
use std::collections::{HashMap, HashSet};

impl Model {
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
