//! The possible uses of a model.

use crate::data::checks::{Finding, Severity, Where};
use crate::model::Model;

const NAME: &str = "compile_state";

pub(super) fn look(model: &Model) -> Vec<Finding> {
    let note = |found: &str, advice: &str| {
        Finding::warning(NAME, Where::of("model"), found, advice).severity(Severity::Note)
    };
    let mut findings = Vec::new();
    if model.compiled().is_err() {
        let advice = "it can predict; to evaluate it or train on, compile it and save it again";
        findings.push(note("it was saved without loss and optimizer", advice));
    } else if model
        .compiled
        .as_ref()
        .is_some_and(|c| c.optimizer.is_none())
    {
        let advice = "it can predict and be evaluated; to train on, name an optimizer";
        findings.push(note("it was saved without an optimizer", advice));
    }
    let trained = model.layers.iter().filter(|layer| layer.trainable);
    let mut trained = trained
        .flat_map(|layer| &layer.weights)
        .filter(|w| w.trainable);
    if trained.next().is_none() && model.weights().next().is_some() {
        let advice = "to train on, set `model.trainable` of some layers";
        findings.push(note("all its layers are frozen", advice));
    }
    findings
}
