//! `compile_config`: optimizer, loss and metrics.

use crate::artifacts::keras::families::Family;
use crate::artifacts::keras::objects::{Findings, Parts, from_keras, to_keras};
use crate::base::registry::Value;
use crate::error::join;
use crate::model::Compiled;
use crate::rules::losses::Loss;
use crate::rules::metrics::Metric;
use crate::rules::optimizers::{LearningRate, Optimizer};
use serde_json::{Map, json};

/// How Keras was told to train; nothing if it was not, or not with a loss.
pub(super) fn read(
    at: &str,
    config: &Map<String, Value>,
    findings: &mut Findings,
) -> Option<Compiled> {
    let null = Value::Null;
    let get = |key: &str| config.get(key).unwrap_or(&null);
    let loss = only(get("loss"));
    if get("optimizer").is_null() || loss.is_null() {
        return None;
    }
    let no_weights = match get("loss_weights") {
        Value::Array(items) => items.is_empty(),
        other => other.is_null(),
    };
    if !no_weights {
        findings.add(at, "compiled with loss_weights");
    }
    let before = findings.len();
    let optimizer = optimizer(&join(at, "optimizer"), get("optimizer"), findings);
    let loss_at = join(at, "loss");
    let loss = from_keras(&loss_at, Family::Loss, loss, findings);
    let mut list = |key: &str| metrics(&join(at, key), get(key), findings);
    let (metrics, weighted_metrics) = (list("metrics"), list("weighted_metrics"));
    if findings.len() > before {
        return None;
    }
    match Loss::from_config("", &loss) {
        Ok(loss) => Some(Compiled {
            optimizer: optimizer?,
            loss,
            metrics,
            weighted_metrics,
        }),
        Err(error) => {
            findings.add(&loss_at, error);
            None
        }
    }
}

/// The one of a list of one, as Keras stores the loss of a model's one output.
fn only(value: &Value) -> &Value {
    match value {
        Value::Array(items) if items.len() == 1 => &items[0],
        other => other,
    }
}

fn optimizer(at: &str, value: &Value, findings: &mut Findings) -> Option<Optimizer> {
    let before = findings.len();
    let config = from_keras(at, Family::Optimizer, value, findings);
    if findings.len() > before {
        return None;
    }
    match Optimizer::from_config("", &config) {
        Ok(mut optimizer) => {
            if let LearningRate::Constant(rate) = &mut optimizer.learning_rate {
                *rate = shortest(*rate);
            }
            Some(optimizer)
        }
        Err(error) => {
            findings.add(at, error);
            None
        }
    }
}

/// Keras writes the float32 0.001 as 0.0010000000474974513; this is 0.001 again.
pub(crate) fn shortest(rate: f64) -> f64 {
    let single = rate as f32;
    match single.to_string().parse() {
        Ok(short) if f64::from(single) == rate => short,
        _ => rate,
    }
}

/// Every metric with the name that its history goes by.
fn metrics(at: &str, value: &Value, findings: &mut Findings) -> Vec<(String, Metric)> {
    let mut found = Vec::new();
    match value {
        Value::Null => {}
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                found.extend(metrics(&format!("{at}[{i}]"), item, findings));
            }
        }
        item => {
            let before = findings.len();
            let config = from_keras(at, Family::Metric, item, findings);
            if findings.len() == before {
                match Metric::from_config("", &config) {
                    Ok(metric) => found.push((metric_name(item, &metric), metric)),
                    Err(error) => findings.add(at, error),
                }
            }
        }
    }
    found
}

/// A metric is named as the user named it: `mae` stays `mae`.
fn metric_name(item: &Value, metric: &Metric) -> String {
    let name = match item {
        Value::String(name) => Some(name.as_str()),
        Value::Object(object) => match Parts::of(object) {
            Ok(Parts::Function(name)) => Some(name),
            _ => item["config"]["name"].as_str(),
        },
        _ => None,
    };
    name.unwrap_or(metric.name()).to_owned()
}

/// As Keras writes it. A loss of the user's own cannot be written, and nothing
/// can be trained without one: then it is as if the model was not compiled.
pub(super) fn write(compiled: &Compiled) -> Value {
    if compiled.loss.is_own() {
        return json!({});
    }
    let mut optimizer = to_keras(Family::Optimizer, &compiled.optimizer.to_config());
    // A method's argument in Keras, not the optimizer's: its files do not have it.
    if let Some(config) = optimizer["config"].as_object_mut() {
        config.remove("exclude_from_weight_decay");
    }
    if let LearningRate::Constant(rate) = compiled.optimizer.learning_rate {
        // Keras' rate is a float32 variable, and written as what it is.
        optimizer["config"]["learning_rate"] = f64::from(rate as f32).into();
    }
    json!({
        "optimizer": optimizer,
        "loss": to_keras(Family::Loss, &alias(&compiled.loss)),
        "loss_weights": null,
        "metrics": write_metrics(&compiled.metrics),
        "weighted_metrics": write_metrics(&compiled.weighted_metrics),
        "run_eagerly": false,
        "steps_per_execution": 1,
        "jit_compile": true,
    })
}

/// A rule as gradus writes it: an alias where that is the same.
fn alias(rule: &impl serde::Serialize) -> Value {
    serde_json::to_value(rule).unwrap_or_default()
}

/// Those of the user's own are left out.
fn write_metrics(metrics: &[(String, Metric)]) -> Value {
    let known = metrics.iter().filter(|(_, metric)| !metric.is_own());
    let written = known.map(|(name, metric)| write_metric(name, metric));
    match written.collect::<Vec<_>>() {
        none if none.is_empty() => Value::Null,
        written => written.into(),
    }
}

fn write_metric(name: &str, metric: &Metric) -> Value {
    if Metric::from_config("", &name.into()).is_ok_and(|named| named == *metric) {
        return name.into();
    }
    let mut written = to_keras(Family::Metric, &metric.to_config());
    written["config"]["name"] = name.into();
    written
}
