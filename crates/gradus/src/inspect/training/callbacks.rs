//! Callbacks that can never act.

use crate::data::checks::{Finding, Where};
use crate::inspect::PlannedTraining;
use crate::rules::optimizers::LearningRate;

const NAME: &str = "patience";

pub(super) fn look(planned: &PlannedTraining<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut warn = |key: &str, found: String, advice: &str| {
        let place = Where::of(format!("callbacks.{key}"));
        findings.push(Finding::warning(NAME, place, found, advice));
    };
    let epochs = planned.epochs;
    if let Some(stopping) = planned.early_stopping {
        let never = stopping.patience + stopping.start_from_epoch;
        if never >= epochs {
            let found = format!("it waits for {never} epochs, and there are {epochs}");
            let advice = "the training never stops early: more epochs, or less patience";
            warn("early_stopping.patience", found, advice);
        }
    }
    let Some(plateau) = planned.reduce_lr_on_plateau else {
        return findings;
    };
    if plateau.patience >= epochs {
        let found = format!(
            "its patience is {}, and there are {epochs} epochs",
            plateau.patience
        );
        let advice = "the rate is never lowered: more epochs, or less patience";
        warn("reduce_lr_on_plateau.patience", found, advice);
    } else if let Some(stopping) = planned.early_stopping
        && plateau.monitor == stopping.monitor
        && plateau.patience >= stopping.patience
    {
        let found = format!(
            "its patience is {}, that of early stopping {}",
            plateau.patience, stopping.patience
        );
        let advice = "the training is stopped before the rate is lowered: make it smaller";
        warn("reduce_lr_on_plateau.patience", found, advice);
    }
    let rate = planned.optimizer().map(|o| &o.learning_rate);
    if let Some(LearningRate::Constant(rate)) = rate
        && plateau.min_lr >= *rate
    {
        let found = format!(
            "the lowest rate is {}, and it begins with {rate}",
            plateau.min_lr
        );
        let advice = "the rate is never lowered: make it smaller, or leave it out";
        warn("reduce_lr_on_plateau.min_lr", found, advice);
    }
    findings
}
