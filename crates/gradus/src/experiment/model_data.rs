//! Rows for a model that is there, as it takes them.

use super::event::{Event, Progress};
use crate::data::{self, Data, Purpose, Split, Unfamiliar, table_of};
use crate::error::Result;
use crate::model::Model;

/// Opens the rows that SPEC names for predictions: of a built-in set or a run's
/// configuration, those that were not trained on. Rows that are larger than memory are read
/// when they are needed.
pub fn data_to_predict(
    model: &Model,
    spec: &str,
    mut progress: impl FnMut(&Event<'_>) -> Result<()>,
) -> Result<Data> {
    open(model, spec, false, &Progress::new(&mut progress))
}

/// Opens the same rows with targets.
pub fn data_to_evaluate(
    model: &Model,
    spec: &str,
    mut progress: impl FnMut(&Event<'_>) -> Result<()>,
) -> Result<Data> {
    open(model, spec, true, &Progress::new(&mut progress))
}

/// Collects the values in the table that SPEC names that the model did not meet in training,
/// none added yet; `None` of other data.
pub fn unfamiliar(model: &Model, spec: &str) -> Result<Option<Unfamiliar>> {
    let (Some((path, _)), Some(schema)) = (table_of(spec)?, model.table_schema()) else {
        return Ok(None);
    };
    let mut unfamiliar = Unfamiliar::new(&schema);
    unfamiliar.add_columns(&schema, &path)?;
    Ok(Some(unfamiliar))
}

fn open(model: &Model, spec: &str, labelled: bool, progress: &Progress<'_>) -> Result<Data> {
    let schema = model.table_schema();
    progress.listening(|on_copy| {
        let purpose = Purpose {
            input: model.inputs.first().and_then(|input| input.shape.as_ref()),
            schema: schema.as_ref(),
            pictures: model.facts().pictures.as_ref(),
            unlabelled: !labelled,
            on_copy,
            ..Purpose::default()
        };
        data::open(spec, Split::Test, purpose)
    })
}
