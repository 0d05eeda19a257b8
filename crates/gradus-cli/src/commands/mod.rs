//! One file for each command.

pub mod check;
pub mod convert;
pub mod data;
pub mod evaluate;
pub mod lr_find;
pub mod predict;
mod show_table;
pub mod summary;
pub mod train;

use crate::copies;
use crate::output::message;
use gradus::data::{Data, OnCopy, Purpose, Schema, Unfamiliar, table_of};
use gradus::{Model, Result, Split};
use std::path::Path;

/// The rows that SPEC names, as the model takes them, for predictions: of a built-in
/// set or a run's configuration, those that were not trained on. What is larger than
/// memory is read when it is needed.
fn data_for(model: &Model, spec: &str) -> Result<Data> {
    open(model, spec, false)
}

/// As `data_for`, with targets.
fn labelled_for(model: &Model, spec: &str) -> Result<Data> {
    open(model, spec, true)
}

/// Says that what comes out of a model is worthless, if its weights are not finite.
fn warn_of_nan(model: &Model, path: &Path) {
    if let Some((layer, weight)) = model.not_finite().next() {
        message(&format!(
            "warning: {}: layer {layer}: its {weight} has NaN or infinite numbers: what the model \
             gives is worthless",
            path.display()
        ));
    }
}

/// The values in the rows of a table that SPEC names that the model did not meet in training,
/// none added yet; none of other data.
fn unfamiliar(model: &Model, spec: &str) -> Result<Option<Unfamiliar>> {
    let (Some((path, _)), Some(schema)) = (table_of(spec)?, model.table_schema()) else {
        return Ok(None);
    };
    let mut unfamiliar = Unfamiliar::new(&schema);
    unfamiliar.add_columns(&schema, &path)?;
    Ok(Some(unfamiliar))
}

/// Says what was found, if anything was.
fn say(unfamiliar: Option<Unfamiliar>, source: &str) {
    let lines = unfamiliar.map(|unfamiliar| unfamiliar.lines(source));
    lines.iter().flatten().for_each(|line| message(line));
}

fn open(model: &Model, spec: &str, labelled: bool) -> Result<Data> {
    let (schema, tell) = (model.table_schema(), copies::shown(false));
    let purpose = Purpose {
        on_copy: OnCopy::new(&tell),
        ..purpose(model, schema.as_ref(), labelled)
    };
    gradus::data::open(spec, Split::Test, purpose)
}

fn purpose<'a>(model: &'a Model, schema: Option<&'a Schema>, labelled: bool) -> Purpose<'a> {
    Purpose {
        input: model.inputs.first().and_then(|input| input.shape.as_ref()),
        schema,
        pictures: model.facts().pictures.as_ref(),
        unlabelled: !labelled,
        ..Purpose::default()
    }
}
