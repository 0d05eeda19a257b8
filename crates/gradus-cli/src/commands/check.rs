//! `gradus check CONFIG.toml|MODEL|RUN [--data SPEC] [--json]`.

use crate::args::Check;
use crate::config::{Document, Run};
use crate::copies;
use crate::models;
use crate::output;
use crate::run_folder::{CONFIG, MODEL};
use gradus::data::checks::{Finding, Severity, Silenced};
use gradus::data::{Data, OnCopy, RunData, is_table};
use gradus::{Dataset, Error, Model, Result};
use serde_json::json;
use std::path::Path;

/// Runs the command: what stops a training is a mistake of the user's, once it is
/// printed.
pub fn run(args: Check) -> Result<()> {
    let is_config = args.file.extension();
    let is_config = is_config.is_some_and(|e| e.eq_ignore_ascii_case("toml"));
    let is_run = args.file.join(CONFIG).is_file();
    if let (true, Some(spec)) = (is_config || is_run, &args.data) {
        let expected = "a model beside it: a configuration names its data";
        return Err(Error::invalid("--data", format!("`{spec}`"), expected));
    }
    let mut looked = Looked::default();
    if is_run {
        looked.config(&args.file.join(CONFIG))?;
        looked.model(&args.file.join(MODEL), None)?;
    } else if is_config {
        looked.config(&args.file)?;
    } else {
        looked.model(&args.file, args.data.as_deref())?;
    }
    let Looked { rows, mut findings } = looked;
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
        false => rows + &in_text(&findings, summary),
    })?;
    match errors {
        0 => Ok(()),
        _ => {
            let problem = format!("{} found", counted(errors, "error"));
            Err(Error::file(&args.file, problem))
        }
    }
}

/// What was looked at.
#[derive(Default)]
struct Looked {
    rows: String,
    findings: Vec<Finding>,
}

impl Looked {
    /// Data, and how a model is to be trained on it.
    fn config(&mut self, path: &Path) -> Result<()> {
        let document = Document::open(Some(path), &[], None)?;
        let located = |error| document.locate(error);
        let tell = copies::shown(false);
        let run = document.read()?;
        let run = run.look(document.base(), OnCopy::new(&tell));
        let run = run.map_err(located)?;
        self.rows += &format!("{}\n", run.rows);
        let (data, is_table) = (&run.data, run.data.schema().is_some());
        match &data.train {
            Data::Memory(_) => {
                let parts = [
                    Some(&data.train),
                    data.validation.as_ref(),
                    data.test.as_ref(),
                ];
                for part in parts.into_iter().flatten() {
                    self.refused(&run.model, part.sample(), is_table);
                }
                self.findings.extend(recipe(&run, data));
            }
            _ => {
                self.rows +=
                    "the rows are larger than `data.memory`: only the first are looked at\n";
                self.refused(&run.model, data.train.sample(), is_table);
            }
        }
        self.findings.extend(run.findings);
        Ok(())
    }

    /// The weights of a model, and data for it.
    fn model(&mut self, path: &Path, spec: Option<&str>) -> Result<()> {
        let model = models::load(path)?;
        self.findings.extend(model.findings());
        let Some(spec) = spec else {
            return Ok(());
        };
        let is_table = is_table(spec)?;
        let goals = model.compiled.as_ref();
        let has_goals = goals.is_some_and(|compiled| compiled.trained().next().is_some());
        let data = match has_goals {
            true => super::labelled_for(&model, spec)?.sample().clone(),
            false => super::data_for(&model, spec)?.sample().clone(),
        };
        self.rows += &format!("{}: {} rows\n", data.name(), data.rows());
        self.refused(&model, &data, is_table);
        let of_classes = match has_goals {
            true => model.targets_of_classes(&data)?,
            false => Vec::new(),
        };
        let mut rows = RunData::of(data);
        rows.facts.schema = model.table_schema().filter(|_| is_table);
        self.findings
            .extend(rows.findings(&Silenced::default(), &of_classes));
        Ok(())
    }

    /// The first thing that a training would refuse.
    fn refused(&mut self, model: &Model, data: &Dataset, is_table: bool) {
        if let Err(error) = model.check_data(data) {
            self.findings.push(Finding::refused(&error, data, is_table));
        }
    }
}

fn recipe(run: &Run, data: &RunData) -> Vec<Finding> {
    gradus::inspect::PlannedTraining {
        model: &run.model,
        data,
        epochs: run.epochs,
        batch_size: run.batch_size,
        fresh: run.fresh,
        scheduled: run.schedule.is_some(),
        mixup: run.mixup.is_some(),
        early_stopping: run.callbacks.early_stopping.as_ref(),
        reduce_lr_on_plateau: run.callbacks.reduce_lr_on_plateau.as_ref(),
    }
    .findings()
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
