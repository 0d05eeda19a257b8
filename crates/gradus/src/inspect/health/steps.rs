//! The size of steps beside the weights that they change: about a thousandth is usual.

use super::{Seen, short};
use crate::data::checks::{Finding, Where};
use crate::train::health::HealthSample;

/// Ratios above this tear the weights about, in a step
const TEARING: f64 = 1.0;
/// or in several;
const LARGE: f64 = 0.1;
/// below this they move nothing.
const SMALL: f64 = 1e-6;
/// Samples that have to show it.
const SAMPLES: usize = 5;
/// Steps before which a schedule may be warming up.
const WARM: u64 = 100;

const NAME: &str = "update_ratio";

/// The ratio that three quarters of the layers reach; `None` in a step that updates nothing. Layers that
/// began at 0 change much at first.
fn ratio(sample: &HealthSample) -> Option<f64> {
    let ratios = sample.layers.iter().filter_map(|layer| layer.update_ratio);
    let mut ratios: Vec<f64> = ratios.filter(|ratio| ratio.is_finite()).collect();
    ratios.sort_by(f64::total_cmp);
    ratios.get(ratios.len() / 4).copied()
}

/// A step that changes the weights by more than their size, or several by more than a tenth of it.
pub(super) fn are_large(seen: &Seen) -> Option<Finding> {
    let last = ratio(seen.samples.last()?)?;
    let recent = || {
        seen.recent(SAMPLES)?
            .iter()
            .map(ratio)
            .collect::<Option<Vec<f64>>>()
    };
    let all = || recent().is_some_and(|ratios| ratios.iter().all(|&ratio| ratio >= LARGE));
    if last < TEARING && !all() {
        return None;
    }
    let found = format!(
        "a step changes the weights by {} of their size; 0.001 is usual",
        short(last)
    );
    let advice = "a smaller `learning_rate`; `gradus lr-find` looks for one";
    Some(Finding::warning(NAME, place(seen)?, found, advice))
}

/// Steps none of which has moved anything.
pub(super) fn are_small(seen: &Seen) -> Option<Finding> {
    let all = seen.samples.iter().filter_map(ratio);
    let (count, most) = all.fold((0, 0.0_f64), |(count, most), ratio| {
        (count + 1, most.max(ratio))
    });
    if count < SAMPLES || seen.samples.last()?.step < WARM || most >= SMALL {
        return None;
    }
    let found = format!(
        "no step has changed the weights by more than {} of their size; 0.001 is usual",
        short(most)
    );
    let advice = "a larger `learning_rate`; `gradus lr-find` looks for one";
    Some(Finding::warning(NAME, place(seen)?, found, advice))
}

fn place(seen: &Seen) -> Option<Where> {
    Some(Where::of(format!("step {}", seen.samples.last()?.step)))
}
