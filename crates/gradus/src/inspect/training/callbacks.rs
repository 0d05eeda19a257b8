//! Callbacks that can never act.

use crate::data::checks::{Finding, Where};
use crate::inspect::PlannedTraining;

pub(super) fn look(planned: &PlannedTraining<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Some(stopping) = planned.early_stopping else {
        return findings;
    };
    if let Some(plateau) = planned.reduce_lr_on_plateau
        && plateau.monitor == stopping.monitor
        && plateau.patience >= stopping.patience
    {
        let place = Where::of("callbacks.reduce_lr_on_plateau.patience");
        let found = format!(
            "its patience is {}, that of early stopping {}",
            plateau.patience, stopping.patience
        );
        let advice = "the training is stopped before the rate is lowered: make it smaller";
        findings.push(Finding::warning("patience", place, found, advice));
    }
    findings
}
