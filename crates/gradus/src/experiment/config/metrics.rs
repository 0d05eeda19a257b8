//! `metrics` of `[train]`, and the names under which the history has them.

use crate::base::json_schema;
use crate::base::registry::Value;
use crate::error::{Error, Result};
use crate::rules::metrics::Metric;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use std::borrow::Cow;

/// Reads metrics with the names that the history has them under: `mae` stays `mae`.
pub fn read_metrics(at: &str, value: &Value) -> Result<Vec<(String, Metric)>> {
    let Value::Array(items) = value else {
        return Err(Error::invalid(at, value, "a list of metrics"));
    };
    let mut metrics: Vec<(String, Metric)> = Vec::new();
    for (i, item) in items.iter().enumerate() {
        let at = format!("{at}[{i}]");
        let (name, metric) = read_metric(&at, item)?;
        if name == "loss" || metrics.iter().any(|(other, _)| *other == name) {
            let expected = "a name that nothing else has";
            return Err(Error::invalid(&at, format!("`{name}`"), expected));
        }
        metrics.push((name, metric));
    }
    Ok(metrics)
}

fn read_metric(at: &str, value: &Value) -> Result<(String, Metric)> {
    let mut value = value.clone();
    let mut given = match &mut value {
        Value::Object(fields) => fields.remove("name"),
        _ => None,
    };
    let metric = Metric::from_config(at, &value).map_err(|error| match error {
        Error::UnknownName { family: "key", .. } => error.or_known(&["type", "name"]),
        other => other,
    })?;
    if let Value::String(alias) = &value
        && alias != metric.class()
    {
        given = Some(value.clone());
    }
    match given {
        None => Ok((metric.name().to_owned(), metric)),
        Some(Value::String(name)) if !name.is_empty() && !name.contains([',', '\n', '\r', '"']) => {
            Ok((name, metric))
        }
        Some(other) => {
            let expected = "a name without commas or quotes";
            Err(Error::invalid(&format!("{at}.name"), other, expected))
        }
    }
}

/// A metric of a list: its table has `name`, too.
pub struct MetricTable;

/// The keys of every metric.
#[derive(JsonSchema)]
#[allow(dead_code)]
struct Common {
    /// The name in the history. Default the one by which the metric is called.
    #[schemars(length(min = 1), extend("examples" = ["auc_pr"]))]
    name: Option<String>,
}

impl JsonSchema for MetricTable {
    fn schema_name() -> Cow<'static, str> {
        "Metric".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let common = json_schema::properties(Common::json_schema(generator));
        let members = (Metric::MEMBERS, Metric::SCHEMAS);
        json_schema::family(generator, "Metric", "metric", members, &common)
    }
}
