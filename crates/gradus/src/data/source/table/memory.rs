//! A table in memory: its columns' meaning, and its rows, split.

use super::super::kind::Request;
use super::keys::TableKeys;
use super::read::{notes, read, weights_are_numbers};
use crate::base::url::join;
use crate::data::dataset::Dataset;
use crate::data::run_data::{Facts, RunData};
use crate::data::schema::{KnownTexts, Schema, Summary};
use crate::data::split::{HoldOut, choose};
use crate::data::table::{Tabular, with_line};
use crate::error::{Error, Result};
use std::path::Path;

/// Reads the table, says what its columns are (but for a model that knows them already), and
/// splits its rows.
pub(in crate::data) fn load_table(request: &Request<'_>, source: &dyn Tabular) -> Result<RunData> {
    let loaded = load(request, source);
    loaded.map_err(|error| with_line(source.name(), error))
}

fn load(request: &Request<'_>, source: &dyn Tabular) -> Result<RunData> {
    let (table, mut schema) = read(request, source)?;
    let mut notes = notes(&table, &schema, request.columns);
    let rows = schema.dataset(&table, true)?;
    let rows = request.columns.weighted(rows, &table);
    let rows = rows.map_err(|error| error.under("data"))?;
    let keys = TableKeys {
        table: &table,
        data: &rows,
    };
    let chosen = choose(request.validation, request.test, &keys, request.seed)?;
    let part = |at, how: Option<&HoldOut>, chosen: Option<Vec<usize>>| match (how, chosen) {
        (None, _) => Ok(None),
        (Some(_), Some(chosen)) => rows.select(&chosen).map(Some),
        (Some(HoldOut::Table { table }), None) => {
            // Another program may number categories differently: they are matched by text.
            let mut schema = schema.clone();
            schema.known = KnownTexts::of(&schema.features, &rows);
            own_table(&schema, request, &join(request.base, table)).map(Some)
        }
        (Some(other), None) => {
            let expected = "a `table`, as the training rows are";
            Err(Error::invalid(at, other, expected))
        }
    };
    let validation = part("data.validation", request.validation, chosen.validation)?;
    let test = part("data.test", request.test, chosen.test)?;
    let train = rows.select(&chosen.train)?;
    let mut summary = Summary::of(&schema, &train)?;
    let mut parts = [Some(train), validation, test];
    let left_out = match request.purpose.schema {
        None => {
            notes.extend(schema.set_offsets(&mut summary));
            for part in &mut parts {
                let data = part.take().map(|data| schema.subtracted(data));
                *part = data.transpose()?;
            }
            schema.leave_out(&summary)?
        }
        Some(_) => Vec::new(),
    };
    let [train, validation, test] = parts;
    let train = train.ok_or_else(|| Error::Internal("rows that are gone".into()))?;
    let inputs: Vec<String> = schema.features.iter().map(|f| f.input.clone()).collect();
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    let run = RunData {
        train: train.into(),
        validation: validation.map(Into::into),
        test: test.map(Into::into),
        facts: Facts {
            schema: Some(schema),
            summary: Some(summary),
            left_out,
            notes,
            ends: request.ends(),
            ..Facts::default()
        },
    };
    run.keep_inputs(&inputs)
}

/// The rows of another table, all of them.
fn own_table(schema: &Schema, request: &Request<'_>, path: &Path) -> Result<Dataset> {
    let options = request.columns;
    let read = || {
        let table = schema.read_with(&path, true, weights_are_numbers(options))?;
        let weighted = options.weighted(schema.dataset(&table, true)?, &table);
        weighted.map_err(|error| match error {
            error @ Error::UnknownName { .. } => Error::file(path, error),
            other => other,
        })
    };
    read().map_err(|error| with_line(path, error))
}
