//! Gradients that vanish or explode on their way down through the layers (Glorot and Bengio, 2010).
//!
//! Layers are compared by the norm of their weights' gradient over that of the weights: what a step of
//! one rate for all changes, relative to what is there. On the digits, the least of all layers was a
//! thirtieth to a third of the largest in stacks of 5 to 100 layers of ReLU, ELU, SELU and tanh; with
//! sigmoid it was a 150th in three layers, a 10,000th in six, and a 3,000th in 100 with N(0, 1).

use super::{Seen, short};
use crate::data::checks::{Finding, Where};
use crate::inspect::graph::all_of;
use crate::train::health::HealthSample;

/// Share of the largest gradient below which layers hardly learn beside the others.
const FAINT: f64 = 1.0 / 300.0;
/// The largest gradient below which there is none to compare with: the training has ended.
const NOTHING: f64 = 1e-7;
/// Times the last layer's gradient from which those before it explode.
const HUGE: f64 = 1000.0;
/// Samples that have to show it.
const SAMPLES: usize = 2;

/// The layers that multiply with weights, by their place, each with its gradient over its weights.
fn relative(seen: &Seen, sample: &HealthSample) -> Vec<(usize, f64)> {
    let layers = sample.layers.iter().zip(&seen.layers).enumerate();
    let products = layers.filter(|(_, (_, name))| seen.products.contains(*name));
    let known = products
        .filter_map(|(place, (layer, _))| Some((place, layer.gradient_norm? / layer.weight_norm?)));
    known.filter(|(_, size)| size.is_finite()).collect()
}

/// First layers whose gradient is bad.
struct Stretch {
    /// The step of the last sample.
    step: u64,
    /// The first of them, with its gradient.
    first: (usize, f64),
    /// The last of them.
    last: usize,
    /// The layer that they are compared with, with its gradient.
    other: (usize, f64),
}

/// The first layers whose gradient `is_bad` beside that of the layer which `choose` picks.
fn stretch(
    seen: &Seen,
    choose: impl Fn(&[(usize, f64)]) -> Option<(usize, f64)>,
    is_bad: impl Fn(f64, f64) -> bool,
) -> Option<Stretch> {
    let found = seen.recent(SAMPLES)?.iter().map(|sample| {
        let all = relative(seen, sample);
        let other = choose(&all)?;
        let bad = all.iter().take_while(|(_, size)| is_bad(*size, other.1));
        let last = bad.last()?.0;
        Some(Stretch {
            step: sample.step,
            first: all[0],
            last,
            other,
        })
    });
    found.reduce(|before, now| before.and(now)).flatten()
}

/// First layers that hardly learn beside the others.
pub(super) fn vanish(seen: &Seen) -> Option<Finding> {
    let largest = |all: &[(usize, f64)]| {
        all.iter()
            .copied()
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .filter(|most| most.1 > NOTHING)
    };
    let found = stretch(seen, largest, |size, most| size < FAINT * most)?;
    let advice = "these layers hardly learn: `relu`, `elu` or `swish` with `he_normal`, `selu` with \
                  `lecun_normal`, batch normalization, or skip connections keep the gradient's size";
    let place = found.place(seen);
    Some(Finding::warning(
        "vanishing_gradients",
        place,
        found.text(seen, "vanish"),
        advice,
    ))
}

/// First layers with far more gradient than the last one.
pub(super) fn explode(seen: &Seen) -> Option<Finding> {
    let last = |all: &[(usize, f64)]| all.last().copied().filter(|last| last.1 > 0.0);
    let found = stretch(seen, last, |size, last| size > HUGE * last)?;
    let advice = "smaller initial weights (`he_normal`, `lecun_normal`), batch normalization, or \
                  clipping (`clipnorm = 1.0`) hold them";
    let place = found.place(seen);
    Some(Finding::warning(
        "exploding_gradients",
        place,
        found.text(seen, "explode"),
        advice,
    ))
}

impl Stretch {
    fn place(&self, seen: &Seen) -> Where {
        let name = |place: usize| seen.layers[place].as_str();
        match self.first.0 == self.last {
            true => all_of(&[name(self.last)]),
            false => all_of(&[name(self.first.0), name(self.last)]),
        }
    }

    fn text(&self, seen: &Seen, verb: &str) -> String {
        format!(
            "step {}: the gradients {verb}: over the norm of the weights, that of {} is {}, that of {} {}",
            self.step,
            seen.layers[self.other.0],
            short(self.other.1),
            seen.layers[self.first.0],
            short(self.first.1)
        )
    }
}
