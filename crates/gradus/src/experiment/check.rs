//! Checks: everything but the training, and the suspicious findings about data,
//! configuration and weights.

use super::config::Document;
use super::event::{Event, Progress};
use super::model_data::{data_to_evaluate, data_to_predict};
use super::resolve::Run;
use crate::data::checks::{Finding, Silenced};
use crate::data::{Data, Dataset, RunData, is_table};
use crate::error::Result;
use crate::inspect::PlannedTraining;
use crate::model::Model;

/// The findings of a check.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// The rows that were looked at, as text of some lines.
    pub rows: String,
    /// The suspicious things, in the order in which they were found.
    pub findings: Vec<Finding>,
}

/// Checks data, and the way in which a model is to be trained on it.
pub fn check(document: &Document, progress: &Progress<'_>) -> Result<Checked> {
    let run = document.read()?.look(document.base(), progress);
    let run = run.map_err(|error| document.locate(error))?;
    let mut checked = Checked {
        rows: format!("{}\n", run.rows),
        findings: Vec::new(),
    };
    let (data, is_table) = (&run.data, run.data.schema().is_some());
    match &data.train {
        Data::Memory(_) => {
            let parts = [
                Some(&data.train),
                data.validation.as_ref(),
                data.test.as_ref(),
            ];
            for part in parts.into_iter().flatten() {
                checked.refused(&run.model, part.sample(), is_table);
            }
            checked.findings.extend(recipe(&run, data));
        }
        _ => {
            checked.rows +=
                "the rows are larger than `data.memory`: only the first are looked at\n";
            checked.refused(&run.model, data.train.sample(), is_table);
        }
    }
    checked.findings.extend(run.findings);
    Ok(checked)
}

/// Checks the weights of a model, and data for it if `spec` names some.
pub fn check_model(
    model: &Model,
    spec: Option<&str>,
    progress: impl FnMut(&Event<'_>) -> Result<()>,
) -> Result<Checked> {
    let mut checked = Checked {
        rows: String::new(),
        findings: model.findings(),
    };
    let Some(spec) = spec else {
        return Ok(checked);
    };
    let is_table = is_table(spec)?;
    let compiled = model.compiled.as_ref();
    let has_losses = compiled.is_some_and(|compiled| compiled.trained().next().is_some());
    let data = match has_losses {
        true => data_to_evaluate(model, spec, progress)?.sample().clone(),
        false => data_to_predict(model, spec, progress)?.sample().clone(),
    };
    checked.rows += &format!("{}: {} rows\n", data.name(), data.rows());
    checked.refused(model, &data, is_table);
    let of_classes = match has_losses {
        true => model.targets_of_classes(&data)?,
        false => Vec::new(),
    };
    let mut rows = RunData::of(data);
    rows.facts.schema = model.table_schema().filter(|_| is_table);
    let findings = rows.findings(&Silenced::default(), &of_classes);
    checked.findings.extend(findings);
    Ok(checked)
}

impl Checked {
    /// Adds the first thing that a training would refuse.
    fn refused(&mut self, model: &Model, data: &Dataset, is_table: bool) {
        if let Err(error) = model.check_data(data) {
            self.findings.push(Finding::refused(&error, data, is_table));
        }
    }
}

fn recipe(run: &Run, data: &RunData) -> Vec<Finding> {
    PlannedTraining {
        model: &run.model,
        data,
        epochs: run.epochs,
        batch_size: run.batch_size,
        fresh: run.fresh,
        pretrained: run.pretrain.is_some(),
        scheduled: run.schedule.is_some(),
        mixup: run.mixup.is_some(),
        early_stopping: run.callbacks.early_stopping.as_ref(),
        reduce_lr_on_plateau: run.callbacks.reduce_lr_on_plateau.as_ref(),
    }
    .findings()
}
