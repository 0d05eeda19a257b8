//! `gradus check CONFIG.toml|MODEL|RUN [--set KEY=VALUE]... [--data SPEC] [--json]`.

use crate::args::Check;
use crate::copies;
use crate::models;
use crate::output;
use gradus::data::checks::{Finding, Severity};
use gradus::experiment::run_folder::{CONFIG, MODEL};
use gradus::experiment::{Checked, check_model};
use gradus::inspect::InitialHealth;
use gradus::train::health::Distribution;
use gradus::{Error, Result};
use serde_json::{Value, json};
use std::path::Path;

/// Runs the command: an obstacle to training is a mistake of the user's, once it is printed.
pub fn run(args: Check) -> Result<()> {
    let is_config = args.file.extension();
    let is_config = is_config.is_some_and(|e| e.eq_ignore_ascii_case("toml"));
    let is_run = args.file.join(CONFIG).is_file();
    if let (false, Some(key)) = (is_config || is_run, args.set.first()) {
        let expected = "a configuration or a run folder: a model has no keys";
        return Err(Error::invalid("--set", format!("`{key}`"), expected));
    }
    let config = |path: &Path, data: Option<&str>| {
        let experiment = super::experiment(Some(path), &args.set)?;
        match data {
            Some(spec) => experiment.check_on(spec, copies::shown()),
            None => experiment.check(copies::shown()),
        }
    };
    let data = args.data.as_deref();
    let model = |path: &Path, data| check_model(&models::load(path)?, data, copies::shown());
    let checked = if is_run {
        let mut checked = config(&args.file.join(CONFIG), None)?;
        let of_model = model(&args.file.join(MODEL), data)?;
        checked.rows += &of_model.rows;
        checked.findings.extend(of_model.findings);
        checked.activity = of_model.activity;
        checked.health = of_model.health;
        checked
    } else if is_config {
        config(&args.file, data)?
    } else {
        model(&args.file, data)?
    };
    let Checked {
        rows,
        mut findings,
        activity,
        health,
    } = checked;
    findings.sort_by_key(|finding| finding.severity);
    let count = |severity| findings.iter().filter(|f| f.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let summary = [
        (errors, "error"),
        (warnings, "warning"),
        (count(Severity::Note), "note"),
    ];
    match args.json {
        true => {
            let mut object = in_json(&args.file, &findings, summary);
            if data.is_some() {
                object["activity"] = json!(activity);
                object["health"] = health.map_or(Value::Null, |health| in_numbers(&health));
            }
            output::json(&object)?
        }
        false => output::result(&(rows + &in_text(&findings, summary)))?,
    }
    match errors {
        0 => Ok(()),
        _ => {
            let problem = format!("{} found", counted(errors, "error"));
            Err(Error::file(&args.file, problem))
        }
    }
}

/// The health of each layer at the first step.
fn in_numbers(of: &InitialHealth) -> Value {
    let distribution = |d: Option<Distribution>| {
        d.map(|d| json!({ "mean": d.mean, "std": d.std, "max": d.largest }))
    };
    let samples = of.health.samples.first();
    let layers = samples
        .map_or(&[][..], |sample| &sample.layers)
        .iter()
        .zip(&of.health.layers);
    let layers = layers.map(|(layer, name)| {
        json!({
            "layer": name,
            "output": distribution(layer.outputs),
            "gradient": distribution(layer.gradients),
            "gradient_norm": layer.gradient_norm,
            "weight_norm": layer.weight_norm,
            "update_ratio": layer.update_ratio,
            "dead": layer.dead,
            "saturated": layer.saturated,
        })
    });
    json!({
        "loss": of.loss,
        "chance": of.chance,
        "rows": of.rows,
        "layers": layers.collect::<Vec<_>>(),
    })
}

fn in_text(findings: &[Finding], summary: [(usize, &str); 3]) -> String {
    let lines = findings.iter().map(|finding| format!("{finding}\n"));
    let counts = summary.iter().filter(|(count, _)| *count > 0);
    let counts: Vec<String> = counts.map(|(count, what)| counted(*count, what)).collect();
    lines.collect::<String>()
        + &match counts.is_empty() {
            true => "nothing suspicious found\n".to_owned(),
            false => format!("{} found\n", counts.join(", ")),
        }
}

fn in_json(file: &Path, findings: &[Finding], summary: [(usize, &str); 3]) -> Value {
    let mut object = json!({ "file": file, "findings": findings });
    for (count, what) in summary {
        object[format!("{what}s")] = count.into();
    }
    object
}

fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}
