//! `gradus.json`: what a model has that Keras has no place for.

use crate::data::Schema;
use crate::error::{Error, Result};
use crate::model::Model;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {
    /// What the columns of tables are to the model.
    schema: Schema,
}

/// The entry of this model, if it needs one.
pub(super) fn write(model: &Model) -> Result<Option<String>> {
    let Some(schema) = model.schema.clone() else {
        return Ok(None);
    };
    let text = serde_json::to_string(&Own { schema });
    text.map(Some).map_err(|e| Error::Internal(e.to_string()))
}

/// Takes the entry of a stranger's file into its model, if it fits.
pub(super) fn read(text: &str, model: &mut Model) -> Result<(), String> {
    let own: Own = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let fits = model.check_schema(&own.schema);
    fits.map_err(|error| error.to_string())?;
    model.schema = Some(own.schema);
    Ok(())
}
