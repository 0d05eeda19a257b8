//! `gradus check CONFIG.toml|MODEL|RUN [--data SPEC] [--json]`.

use crate::args::Check;
use crate::copies;
use crate::models;
use crate::output;
use gradus::data::checks::{Finding, Severity};
use gradus::experiment::run_folder::{CONFIG, MODEL};
use gradus::experiment::{Checked, Experiment, check_model};
use gradus::{Error, Result};
use serde_json::{Value, json};
use std::path::Path;

/// Runs the command: an obstacle to training is a mistake of the user's, once it is printed.
pub fn run(args: Check) -> Result<()> {
    let is_config = args.file.extension();
    let is_config = is_config.is_some_and(|e| e.eq_ignore_ascii_case("toml"));
    let is_run = args.file.join(CONFIG).is_file();
    if let (true, Some(spec)) = (is_config || is_run, &args.data) {
        let expected = "a model beside it: a configuration names its data";
        return Err(Error::invalid("--data", format!("`{spec}`"), expected));
    }
    let config = |path: &Path| Experiment::read(path)?.check(copies::shown());
    let model = |path: &Path, data| check_model(&models::load(path)?, data, copies::shown());
    let Checked { rows, mut findings } = if is_run {
        let mut checked = config(&args.file.join(CONFIG))?;
        let of_model = model(&args.file.join(MODEL), None)?;
        checked.findings.extend(of_model.findings);
        checked
    } else if is_config {
        config(&args.file)?
    } else {
        model(&args.file, args.data.as_deref())?
    };
    findings.sort_by_key(|finding| finding.severity);
    let count = |severity| findings.iter().filter(|f| f.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let summary = [
        (errors, "error"),
        (warnings, "warning"),
        (count(Severity::Note), "note"),
    ];
    match args.json {
        true => output::json(&in_json(&args.file, &findings, summary))?,
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
