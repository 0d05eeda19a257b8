//! Training rows of a single class, from which nothing can be learned.

use super::finding::{Finding, Severity};
use super::rows::{Rows, What};

const NAME: &str = "one_class";

pub(super) fn look(rows: &Rows<'_>) -> Vec<Finding> {
    let targets = rows.targets.iter();
    let alone = targets.filter(|target| matches!(target.what, What::Classes { count: 1, .. }));
    let finding = alone.map(|target| {
        let What::Classes { of_rows, .. } = &target.what else {
            return None;
        };
        let class = class_name(rows, of_rows[0]);
        let found = format!("found class {class} in all {} training rows", of_rows.len());
        let advice = "expected two at least: is the file sorted, so that the other classes are \
                      held out? `validation = { fraction = 0.1, stratify = true }` takes of each";
        // Other targets may still be worth training.
        let severity = match rows.targets.len() {
            1 => Severity::Error,
            _ => Severity::Warning,
        };
        Some(Finding::warning(NAME, target.place.clone(), found, advice).severity(severity))
    });
    finding.flatten().collect()
}

/// A class by its name, if it has one, else by its number.
pub(super) fn class_name(rows: &Rows<'_>, code: u32) -> String {
    match rows.train.class_names().get(code as usize) {
        Some(name) => format!("`{name}`"),
        None => (code as i32).to_string(),
    }
}
