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
use crate::output;
use gradus::data::{Data, Listener, Schema, Takes, open_for};
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
        output::message(&format!(
            "warning: {}: layer {layer}: its {weight} has NaN or infinite numbers: what the model \
             gives is worthless",
            path.display()
        ));
    }
}

fn open(model: &Model, spec: &str, labelled: bool) -> Result<Data> {
    let (schema, tell) = (model.table_schema(), copies::shown(false));
    let takes = Takes {
        listener: Listener::new(&tell),
        ..takes(model, schema.as_ref(), labelled)
    };
    open_for(spec, Split::Test, takes)
}

fn takes<'a>(model: &'a Model, schema: Option<&'a Schema>, labelled: bool) -> Takes<'a> {
    Takes {
        input: model.inputs.first().and_then(|input| input.shape.as_ref()),
        schema,
        pictures: model.pictures.as_ref(),
        unlabelled: !labelled,
        listener: Listener::default(),
    }
}
