//! Weights, or optimizer values, that are NaN or infinite.

use crate::data::checks::{Finding, Severity};
use crate::inspect::graph::at;
use crate::model::Model;

const NAME: &str = "not_finite";

pub(super) fn look(model: &Model) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (n, layer) in model.layers.iter().enumerate() {
        for (w, weight) in layer.weights.iter().enumerate() {
            if let Some(found) = bad(&weight.values) {
                let found = format!("{}: {found}", weight.name);
                let advice = "its predictions are worthless: train again with a smaller rate \
                              or clipping (`clipnorm = 1.0`)";
                let finding = Finding::warning(NAME, at(&layer.name), found, advice);
                findings.push(finding.severity(Severity::Error));
            }
            let slots = model.state.slots.get(n).and_then(|layer| layer.get(w));
            let bad_slots = slots.into_iter().flatten().find_map(|slot| bad(slot));
            if let Some(found) = bad_slots {
                let found = format!("the optimizer's state of {}: {found}", weight.name);
                let advice = "its next step makes the weights so: name a `train.optimizer`, which \
                              starts afresh";
                findings.push(Finding::warning(NAME, at(&layer.name), found, advice));
            }
        }
    }
    findings
}

fn bad(values: &[f32]) -> Option<String> {
    let count = values.iter().filter(|x| !x.is_finite()).count();
    let place = values.iter().position(|x| !x.is_finite())?;
    let (first, all) = (values[place], values.len());
    Some(format!(
        "{count} of {all} numbers are not finite, the first is {first} at {place}"
    ))
}
