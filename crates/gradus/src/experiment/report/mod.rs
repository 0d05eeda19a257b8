//! The report of a run: `report.html`, while it is trained, after it, and from its folder.

mod compare;
mod facts;
mod folder;
mod importance;
mod live;
mod momentum;
mod outputs;
mod rows;
mod uncertainty;

pub use folder::report;
pub use live::{Live, interrupted};

use crate::artifacts::report::{Report, RunPage, WeightPage};
use crate::data::RunData;
use crate::error::Result;
use crate::model::Model;
use crate::train::History;
use std::path::Path;

/// Everything about a run that is there.
pub struct Known<'a> {
    /// Its folder.
    pub folder: &'a Path,
    /// The resolved configuration.
    pub config: &'a str,
    pub history: &'a History,
    pub model: Option<&'a Model>,
    pub data: Option<&'a RunData>,
    /// True if it was trained by this process.
    pub trained_here: bool,
}

/// The page of one run.
pub fn html(known: &Known<'_>) -> Result<String> {
    let report = Report {
        runs: vec![page(known, true)],
        differences: None,
    };
    report.html()
}

/// A run on a page; its predictions, weights and columns only if all of it is wanted.
fn page(known: &Known<'_>, all: bool) -> RunPage {
    let mut page = RunPage {
        name: facts::name(known.folder),
        history: known.history.clone(),
        momentum: momentum::of(known).unwrap_or_default(),
        facts: facts::facts(known),
        config: known.config.to_owned(),
        ..RunPage::default()
    };
    if !all {
        return page;
    }
    match known.model {
        Some(model) => page.weights = WeightPage::of_model(model),
        None => page.notes.push("Weights: there is no model.keras.".into()),
    }
    if let (Some(model), Some(data)) = (known.model, known.data)
        && let Err(problem) = outputs::add(&mut page, model, data, known.history)
    {
        page.notes.push(format!("Predictions: {problem}"));
    }
    if known.history.health.samples.is_empty() {
        page.notes.push("Layer health: none was sampled.".into());
    }
    page
}
