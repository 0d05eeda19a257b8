//! Checks: everything but the training, and the suspicious findings about data,
//! configuration and weights.

use super::config::Document;
use super::event::{Event, Progress};
use super::model_data::{data_to_evaluate, data_to_predict};
use super::resolve::Run;
use crate::data::checks::{Finding, Silenced};
use crate::data::{Data, Dataset, RunData, is_table};
use crate::error::Result;
use crate::inspect::{Activity, InitialHealth, PlannedTraining, at, sample};
use crate::model::Model;

/// The findings of a check.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// The rows that were looked at, as text of some lines.
    pub rows: String,
    /// The suspicious things, in the order in which they were found.
    pub findings: Vec<Finding>,
    /// The activity of layers whose units can die, on the data that was named.
    pub activity: Vec<Activity>,
    /// Signal and gradients in each layer, on the data that was named, if it has targets.
    pub health: Option<InitialHealth>,
}

/// Checks data, and the way in which a model is to be trained on it. The activity of its units is
/// that on the training rows, or on the data of `spec`.
pub fn check(document: &Document, spec: Option<&str>, progress: &Progress<'_>) -> Result<Checked> {
    let run = document.read()?.look(document.base(), progress);
    let run = run.map_err(|error| document.locate(error))?;
    let mut checked = Checked {
        rows: format!("{}\n", run.rows),
        ..Checked::default()
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
    match (spec, &data.train) {
        (Some(spec), _) => {
            let model = adapted(&run, &data.train)?;
            let tell = |event: &Event<'_>| progress.tell(event);
            let rows = data_to_predict(&model, spec, tell)?;
            checked.add_activity(model.activity(rows.sample())?, true);
            checked.add_health(&model, spec, tell);
        }
        // A model that cannot be run is told above.
        (None, Data::Memory(_)) => {
            let mut all = usual_activity(&run, data).unwrap_or_default();
            // The reason may be told already.
            let told = |of: &Activity| checked.findings.iter().any(|f| f.place == at(&of.layer));
            all.retain(|of| !told(of));
            checked.add_activity(all, false);
        }
        (None, _) => {}
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
        findings: model.findings(),
        ..Checked::default()
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
    if let (Ok(active), true) = (model.activity(rows.train.sample()), model.is_built()) {
        checked.add_activity(active, true);
    }
    if has_losses && let Ok(health) = model.initial_health(rows.train.sample()) {
        checked.take_health(health);
    }
    Ok(checked)
}

/// Share of a layer's units from which it is told, unasked, that they are dead from the start: of
/// a few units, many may be so by chance.
const NEARLY_ALL: f64 = 0.75;

/// The activity with the initial weights on some training rows, of layers that are as good as dead.
fn usual_activity(run: &Run, data: &RunData) -> Result<Vec<Activity>> {
    let rows = sample(data.train.sample())?;
    let mut all = adapted(run, &Data::from(rows.clone()))?.activity(&rows)?;
    all.retain(|of| of.share() >= NEARLY_ALL);
    Ok(all)
}

/// The model as it would begin its training.
fn adapted(run: &Run, train: &Data) -> Result<Model> {
    let mut model = run.model.clone();
    model.adapt_new(train)?;
    Ok(model)
}

impl Checked {
    /// Adds what is suspicious about the activity; all of it is told if data was named for it.
    fn add_activity(&mut self, all: Vec<Activity>, is_told: bool) {
        self.findings
            .extend(all.iter().filter_map(Activity::finding));
        if is_told {
            let lines = all.iter().map(|of| {
                let (never, units) = (of.never.len(), of.units);
                format!(
                    "layer {}: {never} of {units} units are never active\n",
                    of.layer
                )
            });
            self.rows.extend(lines);
            self.activity = all;
        }
    }

    /// Looks at signal and gradients on the data of `spec`.
    fn add_health(
        &mut self,
        model: &Model,
        spec: &str,
        progress: impl FnMut(&Event<'_>) -> Result<()>,
    ) {
        let data = data_to_evaluate(model, spec, progress);
        match data.and_then(|data| model.initial_health(data.sample())) {
            Ok(health) => self.take_health(health),
            Err(error) => {
                self.rows += &format!("signal and gradients are not looked at: {error}\n");
            }
        }
    }

    /// Adds what is suspicious about signal and gradients, and their table.
    fn take_health(&mut self, health: InitialHealth) {
        self.rows += &health.to_string();
        self.findings.extend(health.findings.iter().cloned());
        self.health = Some(health);
    }

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
        schedule: run.schedule.as_ref(),
        find_rate: run.find_rate,
        shuffle: run.shuffle,
        mixup: run.mixup.is_some(),
        early_stopping: run.callbacks.early_stopping.as_ref(),
        reduce_lr_on_plateau: run.callbacks.reduce_lr_on_plateau.as_ref(),
    }
    .findings()
}
