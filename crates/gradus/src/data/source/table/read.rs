//! Reading a table: its columns, and their meaning to a model.

use super::super::kind::Request;
use crate::base::shown;
use crate::data::schema::{Schema, TableOptions};
use crate::data::split::SplitBy;
use crate::data::table::{Kind, ReadTable, Table, Tabular};
use crate::error::{Error, Result, join};
use std::collections::HashSet;

/// Reads a table, and says what its columns are, but for a model that knows them already.
pub(super) fn read(request: &Request<'_>, source: &dyn Tabular) -> Result<(Table, Schema)> {
    let options = request.columns;
    // A column that only a split reads need not be a feature.
    let by_time = request
        .held_out()
        .filter_map(|(_, how)| match how.split_by() {
            Some(SplitBy::Time(column)) => Some(column.as_str()),
            _ => None,
        });
    let by_time: Vec<&str> = by_time.collect();
    let Some(known) = request.purpose.schema else {
        let table = Table::read(source, &options.read_table(&by_time))?;
        let schema = Schema::of(&table, options).map_err(|error| error.under("data"))?;
        return Ok((table, schema));
    };
    let mut known = known.clone();
    if known.targets.is_empty() {
        // A file saved by Keras does not record them.
        let mut kinds = options.read_table(&by_time);
        for feature in &known.features {
            kinds.kinds.insert(feature.name.clone(), feature.kind);
            if !feature.format.is_plain() {
                kinds.formats.insert(feature.name.clone(), feature.format);
            }
        }
        let table = Table::read(source, &kinds)?;
        let found = Schema::of(&table, options).map_err(|error| error.under("data"))?;
        let unused = found.features.iter().map(|f| f.name.clone());
        let of_model: HashSet<&String> = known.features.iter().map(|f| &f.name).collect();
        let unused = unused.filter(|name| !of_model.contains(name));
        known.dropped = found.dropped.iter().cloned().chain(unused).collect();
        (known.targets, known.ids) = (found.targets, found.ids);
        return Ok((table, known));
    }
    let of_model: Vec<&String> = known.targets.iter().map(|target| &target.name).collect();
    if !options.target.iter().eq(of_model.iter().copied()) {
        let list = |names: &mut dyn Iterator<Item = &String>| {
            shown::list(names.map(|name| format!("`{name}`")))
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
    let table = known.read_with(source, true, weights_are_numbers(options))?;
    Ok((table, known))
}

/// Notes for the user on how the columns that count were read.
pub(super) fn notes(table: &Table, schema: &Schema, columns: &TableOptions) -> Vec<String> {
    let features = schema.features.iter().map(|feature| &feature.name);
    let targets = schema.targets.iter().map(|target| &target.name);
    let counting = features.chain(targets).chain(&columns.sample_weight);
    let counting: HashSet<&str> = counting.map(String::as_str).collect();
    table.notes(&|name| counting.contains(name))
}

/// The types to read a table by for a model that knows its columns: the column of weights, at
/// which it does not look, is one of numbers.
pub(super) fn weights_are_numbers(options: &TableOptions) -> ReadTable {
    let mut read = ReadTable {
        text: options.text.clone(),
        ..ReadTable::default()
    };
    if let Some(weight) = &options.sample_weight {
        read.kinds.insert(weight.clone(), Kind::Number);
    }
    read
}
