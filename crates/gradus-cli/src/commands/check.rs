//! `gradus check CONFIG.toml [--json]`.

use crate::args::Check;
use crate::config::{Document, Run};
use crate::output;
use gradus::data::checks::{Finding, Severity};
use gradus::{Dataset, Error, Result};
use serde_json::json;
use std::path::Path;

/// Runs the command: what stops a training is a mistake of the user's, once it is
/// printed.
pub fn run(args: Check) -> Result<()> {
    let document = Document::open(Some(&args.file), &[], None)?;
    let located = |error| document.locate(error);
    let run = document.read()?.look(document.base()).map_err(located)?;
    let mut findings = refused(&run);
    findings.extend(run.findings);
    findings.sort_by_key(|finding| finding.severity);
    let count = |severity| findings.iter().filter(|f| f.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let summary = [
        (errors, "error"),
        (warnings, "warning"),
        (count(Severity::Note), "note"),
    ];
    output::result(&match args.json {
        true => in_json(&args.file, &findings, summary),
        false => format!("{}\n{}", run.rows, in_text(&findings, summary)),
    })?;
    match errors {
        0 => Ok(()),
        _ => Err(Error::file(
            &args.file,
            format!("{} found", counted(errors, "error")),
        )),
    }
}

/// What the training would refuse, of each part of the rows the first.
fn refused(run: &Run) -> Vec<Finding> {
    let (data, is_table) = (&run.data, run.data.schema.is_some());
    let parts = [
        Some(&data.train),
        data.validation.as_ref(),
        data.test.as_ref(),
    ];
    let refused = |data: &Dataset| {
        let error = run.model.check_data(data).err()?;
        Some(Finding::refused(&error, data, is_table))
    };
    parts.into_iter().flatten().filter_map(refused).collect()
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

fn in_json(file: &Path, findings: &[Finding], summary: [(usize, &str); 3]) -> String {
    let mut object = json!({ "file": file, "findings": findings });
    for (count, what) in summary {
        object[format!("{what}s")] = count.into();
    }
    format!("{object}\n")
}

fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}
