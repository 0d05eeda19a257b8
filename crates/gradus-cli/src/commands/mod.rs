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

use gradus::data::{Data, Dataset, Schema, Takes, load_for, open_for};
use gradus::{Model, Result, Split};

/// The rows that SPEC names, as the model takes them, for predictions: of a built-in
/// set or a run's configuration, those that were not trained on.
fn data_for(model: &Model, spec: &str) -> Result<Dataset> {
    let schema = model.table_schema();
    load_for(spec, Split::Test, takes(model, schema.as_ref(), false))
}

/// As `data_for`, with targets; arrays that are larger than memory stay in their files.
fn labelled_for(model: &Model, spec: &str) -> Result<Data> {
    let schema = model.table_schema();
    open_for(spec, Split::Test, takes(model, schema.as_ref(), true))
}

fn takes<'a>(model: &'a Model, schema: Option<&'a Schema>, labelled: bool) -> Takes<'a> {
    Takes {
        input: model.inputs.first().and_then(|input| input.shape.as_ref()),
        schema,
        pictures: model.pictures.as_ref(),
        unlabelled: !labelled,
    }
}
