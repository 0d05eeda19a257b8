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

use gradus::data::{Dataset, Takes, load_for};
use gradus::{Model, Result, Split};

/// The rows that SPEC names, as the model takes them: of a built-in set or a run's
/// configuration, those that were not trained on.
fn data_for(model: &Model, spec: &str, labelled: bool) -> Result<Dataset> {
    let schema = model.table_schema();
    let takes = Takes {
        input: model.inputs.first().and_then(|input| input.shape.as_ref()),
        schema: schema.as_ref(),
        pictures: model.pictures.as_ref(),
        unlabelled: !labelled,
    };
    load_for(spec, Split::Test, takes)
}
