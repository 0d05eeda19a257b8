//! One file for each command.

pub mod calibrate;
pub mod check;
pub mod completions;
pub mod convert;
pub mod data;
pub mod evaluate;
pub mod init;
mod labelled;
pub mod lr_find;
pub mod optimize;
pub mod predict;
pub mod report;
pub mod runs;
pub mod schema;
#[cfg(feature = "serve")]
pub mod serve;
mod show_table;
pub mod summary;
pub mod train;
mod zeros;

use crate::copies;
use crate::output::message;
use gradus::data::{Data, Unfamiliar};
use gradus::experiment::{self, Experiment};
use gradus::{Model, Result};
use std::path::Path;

/// The experiment of a configuration file, or the built-in one, with `--set`'s overrides.
fn experiment(config: Option<&Path>, sets: &[String]) -> Result<Experiment> {
    let experiment = match config {
        Some(path) => Experiment::read(path)?,
        None => Experiment::built_in()?,
    };
    sets.iter().try_fold(experiment, |e, set| e.set(set))
}

/// The rows that SPEC names, as the model takes them, for predictions: of a built-in set or a run's
/// configuration, those that were not trained on. Rows larger than memory are streamed.
fn data_for(model: &Model, spec: &str) -> Result<Data> {
    experiment::data_to_predict(model, spec, copies::shown())
}

/// Like `data_for`, with targets.
fn labelled_for(model: &Model, spec: &str) -> Result<Data> {
    experiment::data_to_evaluate(model, spec, copies::shown())
}

/// Warns that a model's outputs are worthless if its weights are not finite.
fn warn_of_nan(model: &Model, path: &Path) {
    if let Some((layer, weight)) = model.not_finite().next() {
        message(&format!(
            "warning: {}: layer {layer}: its {weight} has NaN or infinite numbers: what the model \
             gives is worthless",
            path.display()
        ));
    }
}

/// Prints the findings, if there are any.
fn say(unfamiliar: Option<Unfamiliar>, source: &str) {
    let lines = unfamiliar.map(|unfamiliar| unfamiliar.lines(source));
    lines.iter().flatten().for_each(|line| message(line));
}
