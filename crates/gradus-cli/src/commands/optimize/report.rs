//! The report of `gradus optimize`: a line for each step.

use super::Step;
use super::measure::OnData;
use crate::output::{number, table};
use gradus::error::visible;
use serde_json::{Map, Value, json};
use std::path::Path;

/// The steps in columns, with the layers that each has changed above.
pub fn text(steps: &[Step], out: &Path) -> String {
    let mut text = String::new();
    for step in steps.iter().filter(|step| !step.details.is_empty()) {
        text += &format!("{}\n", step.name);
        for line in &step.details {
            text += &format!("  {line}\n");
        }
    }
    if !text.is_empty() {
        text.push('\n');
    }
    let first = steps
        .first()
        .and_then(|step| step.measured.on_data.as_ref());
    let names: Vec<String> = first
        .and_then(|on_data| on_data.logs.as_ref())
        .map(|logs| logs.names().map(str::to_owned).collect())
        .unwrap_or_default();
    let mut lines = vec![header(first, &names)];
    lines.extend(steps.iter().map(|step| line(step, first, &names)));
    text += &table(&lines);
    if first.is_none() {
        text += "(--data SPEC measures latency, accuracy and the difference of the outputs, too)\n";
    }
    text + &format!("{}\n", visible(&out.to_string_lossy()))
}

fn header(on_data: Option<&OnData>, names: &[String]) -> Vec<String> {
    let mut header: Vec<String> = ["", "bytes", "parameters", "zeros"].map(Into::into).into();
    if let Some(on_data) = on_data {
        header.push("µs, 1 row".into());
        header.push(format!("µs a row of {}", on_data.batch.0));
        header.extend(names.iter().map(|name| visible(name).into_owned()));
        header.push("largest difference".into());
    }
    header
}

fn line(step: &Step, first: Option<&OnData>, names: &[String]) -> Vec<String> {
    let measured = &step.measured;
    let mut line = vec![
        step.name.to_owned(),
        measured.bytes.to_string(),
        measured.parameters.to_string(),
        format!("{:.1}%", 100.0 * measured.zeros),
    ];
    if let (Some(on_data), Some(first)) = (&measured.on_data, first) {
        line.push(format!("{:.1}", on_data.one_row));
        line.push(format!("{:.2}", on_data.batch.1));
        let logs = on_data.logs.as_ref();
        let value = |name: &String| logs.and_then(|logs| logs.get(name));
        line.extend(
            names
                .iter()
                .map(|name| value(name).map(number).unwrap_or_default()),
        );
        line.push(format!("{:.1e}", on_data.largest_difference(first)));
    }
    line
}

/// The steps as a JSON object.
pub fn json(steps: &[Step], out: &Path) -> Value {
    let first = steps
        .first()
        .and_then(|step| step.measured.on_data.as_ref());
    let of = |step: &Step| {
        let measured = &step.measured;
        let mut object = json!({
            "step": step.name,
            "bytes": measured.bytes,
            "parameters": measured.parameters,
            "zeros": measured.zeros,
            "details": step.details,
        });
        if let (Some(on_data), Some(first)) = (&measured.on_data, first) {
            object["microseconds_one_row"] = on_data.one_row.into();
            object["batch_rows"] = on_data.batch.0.into();
            object["microseconds_a_row"] = on_data.batch.1.into();
            object["largest_difference"] = on_data.largest_difference(first).into();
            if let Some(logs) = &on_data.logs {
                let logs = logs
                    .iter()
                    .map(|(name, value)| (name.to_owned(), value.into()));
                object["measured"] = Value::Object(logs.collect::<Map<_, _>>());
            }
        }
        object
    };
    let steps: Vec<Value> = steps.iter().map(of).collect();
    json!({ "out": out.to_string_lossy(), "steps": steps })
}
