//! Momentum that does nothing, or never ends.

use crate::data::checks::{Finding, Where};
use crate::inspect::PlannedTraining;

const NAME: &str = "momentum";
/// Momentum from which steps add up to hundreds.
const MOST: f64 = 0.995;

pub(super) fn look(planned: &PlannedTraining<'_>) -> Vec<Finding> {
    let Some(optimizer) = planned.optimizer() else {
        return Vec::new();
    };
    let config = optimizer.method.to_config();
    let Some(momentum) = config["momentum"].as_f64() else {
        return Vec::new();
    };
    let warn = |key: &str, found: String, advice: &str| {
        let place = Where::of(format!("train.optimizer.{key}"));
        vec![Finding::warning(NAME, place, found, advice)]
    };
    if momentum == 0.0 && config["nesterov"] == true {
        let found = "Nesterov's step without momentum is plain gradient descent".to_owned();
        let advice = "give it one, such as `momentum = 0.9`, or leave `nesterov` out";
        return warn("nesterov", found, advice);
    }
    if momentum >= MOST {
        let found = format!("a momentum of {momentum}");
        let advice = "there is hardly any friction: weights overshoot, and steps add up to \
                      hundreds: 0.9 is usual";
        return warn("momentum", found, advice);
    }
    Vec::new()
}
