//! `gradus train --json`: one JSON object a line. Numbers that are NaN or infinite are null.

use crate::output;
use gradus::Result;
use gradus::experiment::{CrossValidated, Event, Outcome};
use gradus::train::Logs;
use serde_json::{Map, Value, json};

/// The lines of a training that goes on.
#[derive(Debug, Default)]
pub struct Lines {
    /// The fold of a cross-validation, from 1.
    fold: Option<usize>,
}

impl Lines {
    /// Prints a line for an epoch that has ended, and for a warning.
    pub fn print(&mut self, event: &Event<'_>) -> Result<()> {
        let line = match event {
            Event::FoldBegin { fold, .. } => {
                self.fold = Some(*fold);
                return Ok(());
            }
            Event::Warning(finding) => {
                let message = finding.to_string();
                let message = message.trim_start_matches("warning: ").into();
                self.line("warning", [("message".to_owned(), message)])
            }
            Event::EpochEnd { epoch, .. } => {
                let number = [("epoch".to_owned(), epoch.epoch.into())];
                let seconds = [("seconds".to_owned(), epoch.seconds.into())];
                let values = number.into_iter().chain(values(&epoch.logs));
                self.line("epoch", values.chain(seconds))
            }
            _ => return Ok(()),
        };
        output::json(&line)
    }

    fn line(&self, event: &str, fields: impl IntoIterator<Item = (String, Value)>) -> Value {
        let mut line = Map::new();
        line.insert("event".into(), event.into());
        line.extend(self.fold.map(|fold| ("fold".to_owned(), fold.into())));
        line.extend(fields);
        line.into()
    }
}

fn values(logs: &Logs) -> Map<String, Value> {
    let values = logs
        .iter()
        .map(|(name, value)| (name.to_owned(), value.into()));
    values.collect()
}

/// The last line of a training.
pub fn done(trained: &Outcome) -> Value {
    let results = &trained.results;
    let mut line = json!({
        "event": "done",
        "folder": trained.folder.to_string_lossy(),
        "epochs": trained.history.epochs.len(),
        "seconds": results.seconds,
        "kept_epoch": results.kept,
    });
    let test = results.test.as_ref().map(|(logs, _)| logs);
    let parts = [
        ("training", results.training.as_ref()),
        ("validation", results.validation.as_ref()),
        ("test", test),
    ];
    for (part, logs) in parts {
        if let Some(logs) = logs {
            line[part] = values(logs).into();
        }
    }
    line
}

/// The last line of a cross-validation.
pub fn of_folds(trained: &CrossValidated) -> Value {
    let measured = &trained.measured;
    let over_folds = |of: &dyn Fn(&str) -> Option<f64>| -> Value {
        let names = measured.names().into_iter();
        let values = names.map(|name| (name.to_owned(), of(name).into()));
        Value::Object(values.collect())
    };
    let folds = measured.folds.iter().map(|logs| Value::from(values(logs)));
    json!({
        "event": "done",
        "folder": trained.folder.to_string_lossy(),
        "seconds": trained.seconds,
        "folds": folds.collect::<Vec<_>>(),
        "mean": over_folds(&|name| measured.mean(name)),
        "std": over_folds(&|name| measured.std(name)),
    })
}
