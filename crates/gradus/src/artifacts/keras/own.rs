//! `gradus.json`: the facts about a model for which Keras has no field.

use crate::data::{Pictures, Schema};
use crate::error::{Error, Result};
use crate::model::{InputFacts, Model};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {
    /// The roles and encodings of tables' columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    schema: Option<Schema>,
    /// The preprocessing of pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pictures: Option<Pictures>,
    /// The classes' names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    classes: Vec<String>,
}

/// The entry of this model, if it needs one.
pub(super) fn write(model: &Model) -> Result<Option<String>> {
    let InputFacts {
        schema,
        pictures,
        classes,
    } = model.facts().clone();
    if schema.is_none() && pictures.is_none() && classes.is_empty() {
        return Ok(None);
    }
    let own = Own {
        schema,
        pictures,
        classes,
    };
    let text = serde_json::to_string(&own);
    text.map(Some).map_err(|e| Error::Internal(e.to_string()))
}

/// Reads an untrusted file's entry into its model, if it fits.
pub(super) fn read(text: &str, model: &mut Model) -> Result<(), String> {
    let own: Own = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let under = |what: &str, fits: Result<()>| fits.map_err(|e| e.under(what).to_string());
    if let Some(schema) = &own.schema {
        under("", model.check_schema(schema))?;
    }
    if let Some(pictures) = &own.pictures {
        under("pictures", pictures.check())?;
    }
    let names = Pictures {
        classes: own.classes,
        ..Pictures::default()
    };
    under("classes", names.check())?;
    *model.facts_mut() = InputFacts {
        schema: own.schema,
        pictures: own.pictures,
        classes: names.classes,
    };
    Ok(())
}
