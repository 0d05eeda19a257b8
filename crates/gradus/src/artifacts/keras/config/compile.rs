//! `compile_config`: optimizer, loss and metrics.

use crate::artifacts::keras::families::Family;
use crate::artifacts::keras::notes::{NotRead, Note};
use crate::artifacts::keras::objects::{Findings, KerasObject, from_keras, to_keras};
use crate::base::registry::Value;
use crate::error::join;
use crate::model::{Compiled, OutputLoss};
use crate::rules::losses::Loss;
use crate::rules::metrics::Metric;
use crate::rules::optimizers::{LearningRate, Optimizer};
use serde_json::{Map, json};

/// Reads the training configuration of a model with these outputs; `None` if there is none, or no
/// loss. Unknown parts go to `notes`: without an optimizer, the losses and metrics are kept;
/// without a loss, the optimizer.
pub(super) fn read(
    at: &str,
    config: &Map<String, Value>,
    outputs: &[String],
    notes: &mut Vec<Note>,
) -> Option<Compiled> {
    let null = Value::Null;
    let get = |key: &str| config.get(key).unwrap_or(&null);
    if get("loss").is_null() {
        return None;
    }
    let mut findings = Findings::default();
    let optimizer = match get("optimizer") {
        Value::Null => None,
        named => optimizer(&join(at, "optimizer"), named, &mut findings),
    };
    note(NotRead::Optimizer, findings, notes);
    let (mut of_losses, mut of_metrics) = (Findings::default(), Findings::default());
    let losses = by_output(&join(at, "loss"), get("loss"), outputs, &mut of_losses);
    let weights_at = join(at, "loss_weights");
    let weights = by_output(&weights_at, get("loss_weights"), outputs, &mut of_losses);
    // A plain list has the metrics of the single output.
    let single = outputs.len() == 1;
    let mut lists = |key: &str| match get(key) {
        Value::Array(_) if single => vec![get(key)],
        other => by_output(&join(at, key), other, outputs, &mut of_metrics),
    };
    let lists = (lists("metrics"), lists("weighted_metrics"));
    let mut output_losses = Vec::new();
    for (n, output) in outputs.iter().enumerate() {
        let (loss, weight) = (losses[n], weights[n]);
        let of = |at: &str| match single {
            true => at.to_owned(),
            false => join(at, output),
        };
        let mut list =
            |key: &str, value: &Value| self::metrics(&of(&join(at, key)), value, &mut of_metrics);
        let metrics = list("metrics", lists.0[n]);
        let weighted_metrics = list("weighted_metrics", lists.1[n]);
        if loss.is_null() {
            if !(metrics.is_empty() && weighted_metrics.is_empty()) {
                let problem = "metrics of an output without a loss";
                of_metrics.add(&of(&join(at, "metrics")), problem);
            }
            output_losses.push(None);
            continue;
        }
        let weight = match weight {
            Value::Null => 1.0,
            other => other.as_f64().unwrap_or_else(|| {
                let problem = format!("found {other}, expected a number");
                of_losses.add(&of(&weights_at), problem);
                1.0
            }),
        };
        let loss = self::loss(&of(&join(at, "loss")), loss, &mut of_losses);
        output_losses.push(loss.map(|loss| OutputLoss {
            loss,
            weight,
            metrics,
            weighted_metrics,
        }));
    }
    if note(NotRead::Loss, of_losses, notes) {
        // An incomplete sum would be another loss.
        output_losses = vec![None; outputs.len()];
    } else {
        note(NotRead::Metric, of_metrics, notes);
    }
    let anything = optimizer.is_some() || output_losses.iter().any(Option::is_some);
    anything.then_some(Compiled {
        optimizer,
        output_losses,
    })
}

/// Adds a note on the unknown parts of a section; true if there are any.
fn note(part: NotRead, findings: Findings, notes: &mut Vec<Note>) -> bool {
    let problem = findings.line();
    let is_one = problem.is_some();
    notes.extend(problem.map(|problem| Note { part, problem }));
    is_one
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().all(is_empty),
        Value::Object(items) => items.values().all(is_empty),
        other => other.is_null(),
    }
}

/// The value for each output: one for all, a list in the outputs' order, or a table by their names.
fn by_output<'a>(
    at: &str,
    value: &'a Value,
    outputs: &[String],
    findings: &mut Findings,
) -> Vec<&'a Value> {
    match value {
        Value::Array(items) if items.len() == outputs.len() => items.iter().collect(),
        Value::Array(items) => {
            let (found, expected) = (items.len(), outputs.len());
            findings.add(at, format!("found {found} values, expected {expected}"));
            vec![&Value::Null; outputs.len()]
        }
        Value::Object(named) if !named.contains_key("class_name") => {
            for name in named.keys().filter(|name| !outputs.contains(name)) {
                findings.add(at, format!("the model has no output `{name}`"));
            }
            let of = |name| named.get(name).unwrap_or(&Value::Null);
            outputs.iter().map(of).collect()
        }
        one => vec![one; outputs.len()],
    }
}

fn loss(at: &str, value: &Value, findings: &mut Findings) -> Option<Loss> {
    let before = findings.len();
    let value = unwrapped(Family::Loss, value);
    let config = from_keras(at, Family::Loss, &value, findings);
    if findings.len() > before {
        return None;
    }
    let loss = Loss::from_config("", &config);
    loss.map_err(|error| findings.add(at, error)).ok()
}

/// Unwraps a function: Keras 2 writes `fn` beside a class' arguments, and named metrics as
/// `MeanMetricWrapper`. An unexpected function stays, and is then refused.
fn unwrapped(family: Family, value: &Value) -> Value {
    let (Some(class), Value::Object(config)) = (value["class_name"].as_str(), &value["config"])
    else {
        return value.clone();
    };
    let is_wrapper = ["LossFunctionWrapper", "MeanMetricWrapper"].contains(&class);
    let own_name = config.get("name").unwrap_or(&Value::Null);
    let function = match config.get("fn") {
        None if is_wrapper => own_name,
        None => return value.clone(),
        Some(function) => function,
    };
    let name = match function {
        Value::Object(object) => match KerasObject::of(object) {
            Ok(KerasObject::Function(name)) => Some(name),
            _ => None,
        },
        plain => plain.as_str(),
    };
    let Some(member) = name.and_then(|name| family.member(name)) else {
        return value.clone();
    };
    if !is_wrapper && member.class != class {
        return value.clone();
    }
    let general = own_name.as_str().unwrap_or_default();
    let by_output = ["accuracy", "acc", "crossentropy", "ce"].contains(&general);
    if family == Family::Metric && by_output && function_ends(name, general) {
        // A general metric name stands for one by the loss.
        return general.into();
    }
    let mut own = value.clone();
    own["class_name"] = member.class.into();
    if let Some(config) = own["config"].as_object_mut() {
        config.remove("fn");
    }
    own
}

/// True if a function is one that a metric of that general name stands for.
fn function_ends(function: Option<&str>, general: &str) -> bool {
    let whole = match general {
        "acc" | "accuracy" => "accuracy",
        _ => "crossentropy",
    };
    function.is_some_and(|function| function.ends_with(whole))
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

/// Shortens Keras' float32 values, 0.0010000000474974513, to 0.001.
pub(crate) fn shortest(rate: f64) -> f64 {
    let single = rate as f32;
    match single.to_string().parse() {
        Ok(short) if f64::from(single) == rate => short,
        _ => rate,
    }
}

/// Every metric with its name in the history.
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
            let item = &unwrapped(Family::Metric, item);
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

/// A metric keeps the user's name: `mae` stays `mae`.
fn metric_name(item: &Value, metric: &Metric) -> String {
    let name = match item {
        Value::String(name) => Some(name.as_str()),
        Value::Object(object) => match KerasObject::of(object) {
            Ok(KerasObject::Function(name)) => Some(name),
            _ => item["config"]["name"].as_str(),
        },
        _ => None,
    };
    name.unwrap_or(metric.name()).to_owned()
}

/// The training configuration in Keras' form. A user's own loss cannot be written; then the model
/// is saved as not compiled. `jit` is true if Keras can compile the model's steps.
pub(super) fn write(compiled: &Compiled, outputs: &[String], jit: bool) -> Value {
    if compiled.is_own() {
        return json!({});
    }
    let optimizer = compiled.optimizer.as_ref().map(write_optimizer);
    let output_losses = || outputs.iter().zip(&compiled.output_losses);
    // Null for an output without a loss.
    let each = |f: &dyn Fn(&OutputLoss) -> Value| -> Value {
        let of = |output_loss: &Option<OutputLoss>| output_loss.as_ref().map_or(Value::Null, f);
        match &compiled.output_losses[..] {
            [one] => of(one),
            _ => Value::Object(
                output_losses()
                    .map(|(name, output_loss)| (name.clone(), of(output_loss)))
                    .collect(),
            ),
        }
    };
    let loss = each(&|output_loss| to_keras(Family::Loss, &alias(&output_loss.loss)));
    let list = |of: fn(&OutputLoss) -> &[(String, Metric)]| {
        let lists = each(&|output_loss| write_metrics(of(output_loss)));
        if is_empty(&lists) { Value::Null } else { lists }
    };
    let metrics = list(|output_loss| &output_loss.metrics);
    let weighted_metrics = list(|output_loss| &output_loss.weighted_metrics);
    let plain = compiled
        .trained()
        .all(|(_, output_loss)| output_loss.weight == 1.0);
    let weights = match (plain, &compiled.output_losses[..]) {
        (true, _) => Value::Null,
        (false, [Some(one)]) => one.weight.into(),
        _ => each(&|output_loss| output_loss.weight.into()),
    };
    let mut written = json!({
        "optimizer": optimizer,
        "loss": loss,
        "loss_weights": weights,
        "metrics": metrics,
        "weighted_metrics": weighted_metrics,
        "run_eagerly": false,
        "steps_per_execution": 1,
        "jit_compile": jit,
    });
    // Keras uses its default if the key is missing, and fails at null.
    if let (None, Some(written)) = (&compiled.optimizer, written.as_object_mut()) {
        written.remove("optimizer");
    }
    written
}

fn write_optimizer(optimizer: &Optimizer) -> Value {
    let mut written = to_keras(Family::Optimizer, &optimizer.to_config());
    // Arguments of a method in Keras and of the optimizer here, and one of gradus' own: neither is
    // in Keras' files.
    if let Some(config) = written["config"].as_object_mut() {
        config.remove("exclude_from_weight_decay");
        config.remove("layer_rates");
    }
    if let LearningRate::Constant(rate) = optimizer.learning_rate {
        // Keras' rate is a float32 variable, and written as such.
        written["config"]["learning_rate"] = f64::from(rate as f32).into();
    }
    written
}

/// A rule in gradus' form: an alias if that is the same.
fn alias(rule: &impl serde::Serialize) -> Value {
    serde_json::to_value(rule).unwrap_or_default()
}

/// The user's own metrics are left out.
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
