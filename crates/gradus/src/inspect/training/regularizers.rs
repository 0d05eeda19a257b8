//! Penalties, weight decay and constraints: their strength, and the optimizer that they go with.

use crate::data::checks::{Finding, Where};
use crate::inspect::PlannedTraining;
use crate::inspect::graph::{all_of, at};
use crate::rules::optimizers::LearningRate;

const NAME: &str = "regularizer";
/// Coefficients of ℓ1 and ℓ2 from which the penalty outweighs the loss.
const MOST: (f64, f64) = (0.1, 0.5);
/// Share of each weight that a step may take away.
const MOST_DECAY: f64 = 0.01;
/// Norm below which hardly anything gets through.
const LEAST_NORM: f64 = 0.1;

pub(super) fn look(planned: &PlannedTraining<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut with_l2 = Vec::new();
    let trained = planned.model.layers.iter().filter(|l| l.trainable);
    for layer in trained {
        for rules in layer.rule.variable_rules() {
            let key = rules.argument;
            let penalty = rules.regularizer.and_then(|r| r.l1_l2());
            if let Some(penalty) = &penalty {
                let (l1, l2) = (penalty.l1, penalty.l2);
                if l2 > 0.0 && with_l2.last() != Some(&layer.name.as_str()) {
                    with_l2.push(layer.name.as_str());
                }
                let strong = [("l1", l1, MOST.0), ("l2", l2, MOST.1)];
                for (name, found, _) in strong.iter().filter(|(_, found, most)| found >= most) {
                    let found = format!("`{key}_regularizer` has {name} = {found}");
                    let advice = "the penalty outweighs the loss, and weights shrink to 0: 0.01 or \
                                  less is usual";
                    findings.push(Finding::warning(NAME, at(&layer.name), found, advice));
                }
            }
            let norm = rules.constraint.map(|c| c.to_config());
            let norm = norm.and_then(|config| config["max_value"].as_f64());
            if let Some(norm) = norm.filter(|norm| *norm <= LEAST_NORM) {
                let found = format!("`{key}_constraint` allows a norm of {norm}");
                let advice = "hardly anything gets through: 1 to 4 are usual";
                findings.push(Finding::warning(NAME, at(&layer.name), found, advice));
            }
        }
    }
    let Some(optimizer) = planned.optimizer() else {
        return findings;
    };
    if let (Some(decoupled), false) = (optimizer.method.decoupled(), with_l2.is_empty()) {
        let mut place = all_of(&with_l2);
        place.source += ", train.optimizer";
        let found = format!("{} with an ℓ2 penalty", optimizer.method.class());
        let advice = format!(
            "it divides the penalty's gradient by its size, too, which is no longer weight decay: \
             leave the regularizer out, and take `optimizer = {{ type = \"{decoupled}\", \
             weight_decay = 0.01 }}`"
        );
        findings.push(Finding::warning(NAME, place, found, advice));
    }
    if let (Some(decay), LearningRate::Constant(rate)) =
        (optimizer.weight_decay, &optimizer.learning_rate)
        && planned.schedule.is_none()
        && decay * rate > MOST_DECAY
    {
        let found = format!(
            "each step takes {:.0}% of every weight away: the decay times the rate",
            100.0 * decay * rate
        );
        let advice = "weights shrink to 0: 0.004 to 0.1 are usual";
        let place = Where::of("train.optimizer.weight_decay");
        findings.push(Finding::warning(NAME, place, found, advice));
    }
    findings
}
