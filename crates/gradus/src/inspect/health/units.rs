//! Units that are dead or saturated.

use super::{SAMPLES, Seen};
use crate::data::checks::Finding;
use crate::inspect::graph::at;
use crate::train::health::LayerHealth;

/// Share of a layer's units from which it is told that they are dead: in a batch, some rest by chance.
const DEAD: f64 = 0.5;
/// Share of a layer's outputs from which it is told that they are saturated.
const SATURATED: f64 = 0.8;

/// The layer with the largest share in the sample of the last ones in which it is least, and that share.
fn worst(seen: &Seen, share: impl Fn(&LayerHealth) -> Option<f64>) -> Option<(usize, f64)> {
    let recent = seen.recent(SAMPLES)?;
    let least = |place: usize| {
        let shares = recent.iter().map(|sample| share(&sample.layers[place]));
        shares.reduce(|a, b| Some(a?.min(b?))).flatten()
    };
    let all = (0..seen.layers.len()).filter(|&place| !seen.last.contains(&seen.layers[place]));
    let all = all.filter_map(|place| Some((place, least(place)?)));
    all.max_by(|a, b| a.1.total_cmp(&b.1))
}

/// A layer half of whose units are 0 for all rows of the last samples.
pub(super) fn are_dead(seen: &Seen) -> Option<Finding> {
    let (place, share) = worst(seen, |layer| layer.dead).filter(|found| found.1 >= DEAD)?;
    let step = seen.samples.last()?.step;
    let found = format!(
        "step {step}: {:.0}% of the units give 0 for every row of the batch, as in the samples before",
        100.0 * share
    );
    let advice = "they get no gradient and may never learn again: a smaller rate, `leaky_relu` or `elu`, \
                  `he_normal`";
    Some(Finding::warning(
        "dead_units",
        at(&seen.layers[place]),
        found,
        advice,
    ))
}

/// A hidden layer most of whose outputs are at the flat ends of its activation.
pub(super) fn are_saturated(seen: &Seen) -> Option<Finding> {
    let (place, share) =
        worst(seen, |layer| layer.saturated).filter(|found| found.1 >= SATURATED)?;
    let step = seen.samples.last()?.step;
    let found = format!(
        "step {step}: {:.0}% of the outputs are at the flat ends of the activation",
        100.0 * share
    );
    let advice = "hardly any gradient passes: smaller initial weights (`glorot_normal`), batch \
                  normalization before the activation, a smaller rate, or `relu`, `elu`, `selu`";
    Some(Finding::warning(
        "saturated_units",
        at(&seen.layers[place]),
        found,
        advice,
    ))
}
