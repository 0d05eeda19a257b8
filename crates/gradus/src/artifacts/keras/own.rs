//! `gradus.json`: the facts about a model for which Keras has no field.

use crate::data::{Pictures, Schema};
use crate::error::{Error, Result};
use crate::model::{InputFacts, Model};
use crate::rules::fake_quantization::UNSET;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
    /// The least and the largest number of the inputs of layers, as quantization-aware training has learned
    /// them; none of a layer without a step yet.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    input_ranges: BTreeMap<String, Option<[f64; 2]>>,
}

/// The entry of this model, if it needs one.
pub(super) fn write(model: &Model) -> Result<Option<String>> {
    let InputFacts {
        schema,
        pictures,
        classes,
    } = model.facts().clone();
    let input_ranges: BTreeMap<String, Option<[f64; 2]>> = model
        .layers
        .iter()
        .filter_map(|layer| Some((layer.name.clone(), layer.fake_quantized()?)))
        .map(|(name, range)| (name, (range[0] <= range[1]).then(|| range.map(f64::from))))
        .collect();
    let has_facts = schema.is_some() || pictures.is_some() || !classes.is_empty();
    if !has_facts && input_ranges.is_empty() {
        return Ok(None);
    }
    let own = Own {
        schema,
        pictures,
        classes,
        input_ranges,
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
    for (name, range) in own.input_ranges {
        let layer = model.layers.iter_mut().find(|layer| layer.name == name);
        let layer = layer.filter(|layer| layer.rule.is_one_product());
        let Some(layer) = layer else {
            return Err(format!(
                "input_ranges: found one of `{name}`, expected a Dense or a convolution of the model"
            ));
        };
        let range = range.map(|range| range.map(|end| end as f32));
        if let Some([min, max]) = range
            && !(min <= 0.0 && 0.0 <= max && (max - min).is_finite())
        {
            return Err(format!(
                "input_ranges: found {min} to {max} of {name}, expected a finite range with 0 in it"
            ));
        }
        layer.input_range = Some(range.unwrap_or(UNSET));
    }
    *model.facts_mut() = InputFacts {
        schema: own.schema,
        pictures: own.pictures,
        classes: names.classes,
    };
    Ok(())
}
