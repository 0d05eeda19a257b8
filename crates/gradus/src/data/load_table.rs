//! From a `[data]` table that names a table file to the rows of a run.

use crate::data::Dataset;
use crate::data::config::{Choice, DataConfig, HeldOut};
use crate::data::hold_out;
use crate::data::load::Loaded;
use crate::data::schema::{Schema, TableKeys, TableOptions};
use crate::data::table::{Kind, ReadTable, Table, with_line};
use crate::error::{Error, Result, join};
use std::path::Path;

/// Reads the table, says what its columns are (but for a model that `known`s them
/// already), and splits its rows.
pub(super) fn load(
    config: &DataConfig,
    path: &Path,
    base: &Path,
    seed: u64,
    known: Option<&Schema>,
) -> Result<Loaded> {
    let loaded = load_rows(config, path, base, seed, known);
    loaded.map_err(|error| with_line(path, error))
}

fn load_rows(
    config: &DataConfig,
    path: &Path,
    base: &Path,
    seed: u64,
    known: Option<&Schema>,
) -> Result<Loaded> {
    let (table, mut schema) = read(config, path, known)?;
    let rows = schema.dataset(&table, true)?;
    let rows = config.columns.weighted(rows, &table);
    let rows = rows.map_err(|error| error.under("data"))?;
    let keys = TableKeys {
        table: &table,
        data: &rows,
    };
    let chosen = hold_out::choose(config, &keys, seed)?;
    let part = |at: &str, how: &Option<HeldOut>, chosen: Option<Vec<usize>>| match (how, chosen) {
        (None, _) => Ok(None),
        (Some(_), Some(chosen)) => rows.select(&chosen).map(Some),
        (Some(HeldOut::Table { table }), None) => {
            own_table(&schema, config, &base.join(table)).map(Some)
        }
        (Some(other), None) => {
            let expected = "a `table`, as the training rows are";
            Err(Error::invalid(at, other, expected))
        }
    };
    let validation = part("data.validation", &config.validation, chosen.validation)?;
    let test = part("data.test", &config.test, chosen.test)?;
    let train = rows.select(&chosen.train)?;
    let left_out = match known {
        None => schema.leave_out(&train),
        Some(_) => Vec::new(),
    };
    let inputs: Vec<String> = schema.features.iter().map(|f| f.input.clone()).collect();
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    let keep = |data: Dataset| data.keep_inputs(&inputs);
    Ok(Loaded {
        train: keep(train)?,
        validation: validation.map(keep).transpose()?,
        test: test.map(keep).transpose()?,
        schema: Some(schema),
        left_out,
    })
}

/// The rows of another table, all of them.
fn own_table(schema: &Schema, config: &DataConfig, path: &Path) -> Result<Dataset> {
    let options = &config.columns;
    let read = || {
        let table = schema.read_with(path, true, weights_are_numbers(options))?;
        let weighted = options.weighted(schema.dataset(&table, true)?, &table);
        weighted.map_err(|error| match error {
            error @ Error::UnknownName { .. } => Error::file(path, error),
            other => other,
        })
    };
    read().map_err(|error| with_line(path, error))
}

/// How the column of weights is read, which the model does not look at.
fn weights_are_numbers(options: &TableOptions) -> ReadTable {
    let mut read = ReadTable::default();
    if let Some(weight) = &options.sample_weight {
        read.kinds.insert(weight.clone(), Kind::Number);
    }
    read
}

fn read(config: &DataConfig, path: &Path, known: Option<&Schema>) -> Result<(Table, Schema)> {
    let options = &config.columns;
    // What a split looks at may be no feature.
    let by_time = [&config.validation, &config.test].into_iter().flatten();
    let by_time = by_time.filter_map(|how| match how.choice() {
        Some(Choice::Time(column)) => Some(column.as_str()),
        _ => None,
    });
    let by_time: Vec<&str> = by_time.collect();
    let Some(known) = known else {
        let table = Table::read(path, &options.read_table(&by_time))?;
        let schema = Schema::of(&table, options).map_err(|error| error.under("data"))?;
        return Ok((table, schema));
    };
    let mut known = known.clone();
    if known.targets.is_empty() {
        // A file that Keras has saved says nothing of them.
        let mut kinds = options.read_table(&by_time);
        for feature in &known.features {
            kinds.kinds.insert(feature.name.clone(), feature.kind);
        }
        let table = Table::read(path, &kinds)?;
        let found = Schema::of(&table, options).map_err(|error| error.under("data"))?;
        let unused = found.features.iter().map(|f| f.name.clone());
        let unused = unused.filter(|name| !known.features.iter().any(|f| f.name == *name));
        known.dropped = found.dropped.iter().cloned().chain(unused).collect();
        (known.targets, known.ids) = (found.targets, found.ids);
        return Ok((table, known));
    }
    let of_model: Vec<&String> = known.targets.iter().map(|target| &target.name).collect();
    if !options.target.iter().eq(of_model.iter().copied()) {
        let list = |names: &mut dyn Iterator<Item = &String>| {
            let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
            names.join(", ")
        };
        let found = list(&mut options.target.iter());
        let expected = format!(
            "{}, which the model predicts",
            list(&mut of_model.into_iter())
        );
        return Err(Error::invalid(&join("data", "target"), found, expected));
    }
    if let Some(weight) = &options.sample_weight
        && !known.columns().any(|column| column == weight)
    {
        known.dropped.push(weight.clone());
    }
    let table = known.read_with(path, true, weights_are_numbers(options))?;
    Ok((table, known))
}
